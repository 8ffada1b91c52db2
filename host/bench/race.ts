/**
 * Operations a second on this machine, all contestants in one process and one run, taken in turns so that a change of
 * the clock meets everyone alike.
 *
 * Contestants: the policies, each bundled over one arena; AssemblyScript's TLSF, compiled here from the runtime's sources
 * in the npm package `assemblyscript`; dlmalloc as Emscripten builds it, inside the npm package `binaryen`, which exports
 * its malloc and free. binaryen exports no realloc: there a resize is a malloc and a free, and contents are not copied.
 * The last is no allocator: empty functions, so that its time is the loop's own, which is part of everyone's.
 */
import { exitCodes, Problem } from '../../boards/problem.ts';
import type { PolicyName } from '../../firmware/src/policies/index.ts';
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

type Run = (codes: Int32Array, sizes: Int32Array, offsets: Int32Array) => void;

let runs = 0;

/**
 * The loop over a trace as a function of its own for each contestant: a shared one would see many targets at its calls,
 * and the engine would inline none. Its text differs by a name, because V8 shares what it learnt between equal texts.
 */
function newRun(
  malloc: (size: number) => number,
  free: (offset: number) => unknown,
  realloc: (offset: number, size: number) => number,
): Run {
  const body = `return function run${runs++}(codes, sizes, offsets) {
    const count = codes.length;
    for (let i = 0; i < count; i++) {
      const code = codes[i];
      const slot = code >> 2;
      const kind = code & 3;
      if (kind === ${CALL_FREE}) free(offsets[slot]);
      else if (kind === ${CALL_MALLOC}) offsets[slot] = malloc(sizes[i]);
      else offsets[slot] = realloc(offsets[slot], sizes[i]);
    }
  };`;
  return new Function('malloc', 'free', 'realloc', body)(malloc, free, realloc) as Run;
}

async function policyContestant(name: PolicyName, arenaBytes: number): Promise<Contestant> {
  const policy = await hostPolicy(name, arenaBytes);
  return {
    name,
    prepare: (trace) => policy.init(ampleArenaBytes(trace)) !== 0,
    run: newRun(policy.malloc, policy.free, policy.realloc),
  };
}

/** Gives everyone 8 and does nothing. */
function loopAlone(): Contestant {
  const run = newRun(
    () => 8,
    () => 0,
    () => 8,
  );
  return { name: LOOP_ALONE, prepare: () => true, run };
}

/** Name of the contestant whose time is the loop's own. */
export const LOOP_ALONE = 'the loop, empty functions';

/** What is used of the compiler. Its own declarations would replace the globals of this program by AssemblyScript's. */
interface AssemblyScriptCompiler {
  main(
    words: readonly string[],
    io: {
      readFile(name: string): string | null;
      writeFile(name: string, contents: string | Uint8Array): void;
      listFiles(): string[];
    },
  ): Promise<{ error: Error | null }>;
}

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

const compilerModule: string = 'assemblyscript/asc';

async function contestantModule(name: string): Promise<unknown> {
  try {
    return await import(name);
  } catch (error) {
    throw new Problem(
      exitCodes.missing,
      `the race needs the npm package ${name.split('/')[0]}`,
      [(error as Error).message.split('\n')[0]!],
      'Run it in a clone after `npm ci`; the packages raced against are development dependencies.',
    );
  }
}

async function assemblyScriptContestant(): Promise<Contestant> {
  const asc = (await contestantModule(compilerModule)) as AssemblyScriptCompiler;
  const source = `
    export function malloc(size: usize): usize { return heap.alloc(size); }
    export function release(offset: usize): void { heap.free(offset); }
    export function resize(offset: usize, size: usize): usize { return heap.realloc(offset, size); }`;
  const files: Record<string, string | Uint8Array> = { 'race.ts': source };
  const { error } = await asc.main(['race.ts', '--outFile', 'race.wasm', '-O3', '--runtime', 'minimal'], {
    readFile: (name) => (Object.hasOwn(files, name) ? (files[name] as string) : null),
    writeFile: (name, contents) => {
      files[name] = contents;
    },
    listFiles: () => [],
  });
  if (error) throw error;
  const abort = (): never => {
    throw new Error('AssemblyScript aborted');
  };
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi };
  const { instance } = await WebAssembly.instantiate(files['race.wasm'] as Uint8Array, { env: { abort } });
  const wasm = instance.exports;
  return {
    name: 'AssemblyScript TLSF (wasm)',
    prepare: () => true,
    run: newRun(wasm.malloc, wasm.release, wasm.resize),
  };
}

async function dlmallocContestant(): Promise<Contestant> {
  const { default: binaryen } = (await contestantModule('binaryen')) as {
    default: { _malloc(size: number): number; _free(offset: number): void };
  };
  const { _malloc, _free } = binaryen;
  const realloc = (offset: number, size: number): number => {
    const moved = _malloc(size);
    _free(offset);
    return moved;
  };
  return { name: 'dlmalloc (wasm)', prepare: () => true, run: newRun(_malloc, _free, realloc) };
}

/** Each measurement makes at least so many calls, and the best of the rounds counts: the others were disturbed. */
const CALLS_A_ROUND = 40_000;
const ROUNDS = 20;
/** Rounds whose time does not count: the engine compiles. */
const WARM_UP_ROUNDS = 3;

export async function race(traces: readonly Trace[], names: readonly PolicyName[]): Promise<RaceResult[]> {
  const arenaBytes = Math.max(...traces.map(ampleArenaBytes));
  const contestants: Contestant[] = [];
  for (const name of names) contestants.push(await policyContestant(name, arenaBytes));
  contestants.push(await assemblyScriptContestant(), await dlmallocContestant(), loopAlone());
  const rates = new Map<Contestant, number[]>(contestants.map((contestant) => [contestant, []]));
  for (const trace of traces) {
    const { codes, sizes, slotCount } = callsOf(trace);
    const offsets = new Int32Array(slotCount);
    const repeats = Math.ceil(CALLS_A_ROUND / codes.length);
    const best = new Map<Contestant, number>();
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
      for (const contestant of contestants) {
        if (!contestant.prepare(trace)) continue;
        const from = performance.now();
        for (let i = 0; i < repeats; i++) contestant.run(codes, sizes, offsets);
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
