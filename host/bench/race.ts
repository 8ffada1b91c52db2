/**
 * Operations a second on this machine, all contestants in one process and one run, taken in turns so that a change of
 * the clock meets everyone alike.
 *
 * Contestants: the policies, each bundled over one arena; one of them as programs in Node call it, through `createHeap`,
 * which counts, observes and dispatches between policies; AssemblyScript's TLSF, compiled here from the runtime's sources
 * in the npm package `assemblyscript`; dlmalloc as Emscripten builds it, inside the npm package `binaryen`, which exports
 * its malloc and free. binaryen exports no realloc: there a resize is a malloc and a free, and contents are not copied.
 * The last is no allocator: empty functions, so that its time is the loop's own, which is part of everyone's.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { type CountedHeap, createHeap } from '../../firmware/src/heap.ts';
import { type PolicyName, policies } from '../../firmware/src/policies/index.ts';
import { OP_FREE, type Trace } from '../trace/trace.ts';
import { geometricMean } from './bench.ts';
import { ampleArenaBytes } from './cycles.ts';
import { hostPolicy } from './host-policy.ts';

export interface RaceResult {
  name: string;
  /** Millions of operations a second, geometric mean over the traces. */
  megaOperations: number;
}

interface Contestant {
  name: string;
  /** Called before each measurement. */
  prepare(trace: Trace): boolean;
  run: Run;
}

/** A trace as calls, decoded before the clock starts. What is live at its end is freed by calls of its own. */
export interface Calls {
  /** The call in the low two bits, CALL_MALLOC, CALL_FREE or CALL_REALLOC; above them the slot that holds the block. */
  codes: Int32Array;
  sizes: Int32Array;
  slotCount: number;
}

const CALL_MALLOC = 0;
const CALL_FREE = 1;
const CALL_REALLOC = 2;

/** Slots of freed blocks are used again, so that the loop's own data stays small. */
export function callsOf(trace: Trace): Calls {
  const codes: number[] = [];
  const sizes: number[] = [];
  const slots = new Map<number, number>();
  const unused: number[] = [];
  let slotCount = 0;
  const call = (kind: number, slot: number, size: number): void => {
    codes.push((slot << 2) | kind);
    sizes.push(size);
  };
  for (let i = 0; i < trace.kinds.length; i++) {
    const id = trace.ids[i]!;
    const slot = slots.get(id);
    if (trace.kinds[i] !== OP_FREE) {
      const used = slot ?? unused.pop() ?? slotCount++;
      slots.set(id, used);
      call(slot === undefined ? CALL_MALLOC : CALL_REALLOC, used, trace.sizes[i]!);
    } else if (slot !== undefined) {
      slots.delete(id);
      unused.push(slot);
      call(CALL_FREE, slot, 0);
    }
  }
  for (const slot of slots.values()) call(CALL_FREE, slot, 0);
  return { codes: Int32Array.from(codes), sizes: Int32Array.from(sizes), slotCount };
}

/** What all contestants run through, as long as the longest trace; the calls of the trace at hand lie at its start. */
interface Tape {
  codes: Int32Array;
  sizes: Int32Array;
  /** By slot: what the contestant gave. */
  offsets: Int32Array;
}

/** Makes the first so many calls of the tape. */
type Run = (count: number) => void;

let runs = 0;

/**
 * The loop over a trace as a function of its own for each contestant: a shared one would see many targets at its calls,
 * and the engine would inline none. Its text differs by a name, because V8 shares what it learnt between equal texts.
 * All it uses is `const`, so that V8 knows where it lies: the loop's own work is to be as little as can be.
 */
function newRun(
  tape: Tape,
  malloc: (size: number) => number,
  free: (offset: number) => unknown,
  realloc: (offset: number, size: number) => number,
): Run {
  const body = `
  const { codes, sizes, offsets } = tape;
  const { malloc, free, realloc } = allocator;
  return function run${runs++}(count) {
    for (let i = 0; i < count; i++) {
      const code = codes[i];
      const slot = code >> 2;
      const kind = code & 3;
      if (kind === ${CALL_FREE}) free(offsets[slot]);
      else if (kind === ${CALL_MALLOC}) offsets[slot] = malloc(sizes[i]);
      else offsets[slot] = realloc(offsets[slot], sizes[i]);
    }
  };`;
  return new Function('tape', 'allocator', body)(tape, { malloc, free, realloc }) as Run;
}

async function policyContestant(tape: Tape, name: PolicyName, arenaBytes: number): Promise<Contestant> {
  const policy = await hostPolicy(name, arenaBytes);
  return {
    name,
    prepare: (trace) => policy.init(ampleArenaBytes(trace)) !== 0,
    run: newRun(tape, policy.malloc, policy.free, policy.realloc),
  };
}

/** A policy with all that a heap adds to it. */
function heapContestant(tape: Tape, name: PolicyName): Contestant {
  let heap: CountedHeap | null = null;
  return {
    name: `${name}, through createHeap`,
    prepare: (trace) => {
      heap = createHeap({ bytes: ampleArenaBytes(trace), policy: policies[name] });
      return heap !== null;
    },
    run: newRun(
      tape,
      (size) => heap!.malloc(size),
      (offset) => heap!.free(offset),
      (offset, size) => heap!.realloc(offset, size),
    ),
  };
}

/** Gives everyone 8 and does nothing. */
function loopAlone(tape: Tape): Contestant {
  const run = newRun(
    tape,
    () => 8,
    () => 0,
    () => 8,
  );
  return { name: LOOP_ALONE, prepare: () => true, run };
}

/** Name of the contestant whose time is the loop's own. */
export const LOOP_ALONE = 'the loop, empty functions';

/** The part of the WebAssembly API that is used; the declarations of the web's are not part of this program. */
interface WebAssemblyApi {
  instantiate(
    bytes: Uint8Array,
    imports: Record<string, Record<string, unknown>>,
  ): Promise<{
    instance: {
      exports: {
        malloc(size: number): number;
        release(offset: number): void;
        resize(offset: number, size: number): number;
      };
    };
  }>;
}

const ASSEMBLYSCRIPT_COMPILER = 'assemblyscript/bin/asc.js';
const DLMALLOC_HOLDER = 'binaryen';

/** Names of the contestants that others are held against. */
export const ASSEMBLYSCRIPT = 'AssemblyScript TLSF (wasm)';
export const DLMALLOC = 'dlmalloc (wasm)';

/** Throws a Problem when a package that is raced against is not installed: for before the work that a race comes after. */
export function findContestants(): void {
  for (const name of [ASSEMBLYSCRIPT_COMPILER, DLMALLOC_HOLDER]) contestantPath(name);
}

/** Where a file of a package raced against lies. */
function contestantPath(name: string): string {
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch (error) {
    throw new Problem(
      exitCodes.missing,
      `the race needs the npm package ${name.split('/')[0]}`,
      [(error as Error).message.split('\n')[0]!],
      'Run it in a clone after `npm ci`; the packages raced against are development dependencies.',
    );
  }
}

/** Pages of 64 KB the wasm module starts with: more than the traces need, so that its memory never grows. */
const INITIAL_PAGES = 64;

/**
 * AssemblyScript's TLSF as wasm. The compiler runs in a process of its own: the memory of its own wasm grows, which
 * detaches an ArrayBuffer, and from then on V8 tests at each access to any typed array of this process whether its
 * buffer is still there.
 */
async function compileAssemblyScript(): Promise<Uint8Array> {
  const compiler = contestantPath(ASSEMBLYSCRIPT_COMPILER);
  const source = `
    export function malloc(size: usize): usize { return heap.alloc(size); }
    export function release(offset: usize): void { heap.free(offset); }
    export function resize(offset: usize, size: usize): usize { return heap.realloc(offset, size); }`;
  const directory = await mkdtemp(join(tmpdir(), 'heapglass-race-'));
  try {
    await writeFile(join(directory, 'race.ts'), source);
    const options = ['-O3', '--runtime', 'minimal', '--initialMemory', String(INITIAL_PAGES)];
    const words = [compiler, 'race.ts', '--outFile', 'race.wasm', ...options];
    await promisify(execFile)(process.execPath, words, { cwd: directory });
    return await readFile(join(directory, 'race.wasm'));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function assemblyScriptContestant(tape: Tape): Promise<Contestant> {
  const abort = (): never => {
    throw new Error('AssemblyScript aborted');
  };
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi };
  const { instance } = await WebAssembly.instantiate(await compileAssemblyScript(), { env: { abort } });
  const wasm = instance.exports;
  return {
    name: ASSEMBLYSCRIPT,
    prepare: () => true,
    run: newRun(tape, wasm.malloc, wasm.release, wasm.resize),
  };
}

async function dlmallocContestant(tape: Tape): Promise<Contestant> {
  const { default: binaryen } = (await import(pathToFileURL(contestantPath(DLMALLOC_HOLDER)).href)) as {
    default: { _malloc(size: number): number; _free(offset: number): void };
  };
  const { _malloc, _free } = binaryen;
  const realloc = (offset: number, size: number): number => {
    const moved = _malloc(size);
    _free(offset);
    return moved;
  };
  return { name: DLMALLOC, prepare: () => true, run: newRun(tape, _malloc, _free, realloc) };
}

/** The policy that is raced through `createHeap` too, when it is among those raced. */
const FASTEST: PolicyName = 'segregated';

/** Each measurement makes at least so many calls, and the best of the rounds counts: the others were disturbed. */
const CALLS_A_ROUND = 40_000;
const ROUNDS = 20;
/** Rounds whose time does not count: the engine compiles. */
const WARM_UP_ROUNDS = 3;

/** The fastest first. `tell` gets the name of each trace before it is run. */
export async function race(
  traces: readonly Trace[],
  names: readonly PolicyName[],
  tell: (trace: string) => void,
): Promise<RaceResult[]> {
  const arenaBytes = Math.max(...traces.map(ampleArenaBytes));
  const calls = traces.map(callsOf);
  const longest = Math.max(...calls.map(({ codes }) => codes.length));
  const tape: Tape = {
    codes: new Int32Array(longest),
    sizes: new Int32Array(longest),
    offsets: new Int32Array(Math.max(...calls.map(({ slotCount }) => slotCount))),
  };
  const contestants: Contestant[] = [];
  for (const name of names) contestants.push(await policyContestant(tape, name, arenaBytes));
  contestants.push(heapContestant(tape, names.includes(FASTEST) ? FASTEST : names[0]!));
  contestants.push(await assemblyScriptContestant(tape), await dlmallocContestant(tape), loopAlone(tape));
  const rates = new Map<Contestant, number[]>(contestants.map((contestant) => [contestant, []]));
  for (const [i, trace] of traces.entries()) {
    tell(trace.name);
    const { codes, sizes } = calls[i]!;
    tape.codes.set(codes);
    tape.sizes.set(sizes);
    const repeats = Math.ceil(CALLS_A_ROUND / codes.length);
    const best = new Map<Contestant, number>();
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
      for (const contestant of contestants) {
        if (!contestant.prepare(trace)) continue;
        const from = performance.now();
        for (let i = 0; i < repeats; i++) contestant.run(codes.length);
        const rate = (codes.length * repeats) / (performance.now() - from) / 1000;
        if (round >= WARM_UP_ROUNDS) best.set(contestant, Math.max(rate, best.get(contestant) ?? 0));
      }
    }
    for (const [contestant, rate] of best) rates.get(contestant)!.push(rate);
  }
  return [...rates]
    .filter(([, of]) => of.length === traces.length)
    .map(([{ name }, of]) => ({ name, megaOperations: geometricMean(of) }))
    .sort((a, b) => b.megaOperations - a.megaOperations);
}
