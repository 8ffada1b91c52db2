/**
 * Operations a second on this machine, all contestants in one process and one run, taken in turns so that a change of
 * the clock meets everyone alike.
 *
 * Contestants: the policies over one arena; AssemblyScript's TLSF, compiled here from the runtime's sources in the
 * npm package `assemblyscript`; dlmalloc as Emscripten builds it, inside the npm package `binaryen`, which exports its
 * malloc and free. binaryen exports no realloc: there a resize is a malloc and a free. Contents are not copied for it.
 */
import { exitCodes, Problem } from '../../boards/problem.ts';
import { bindArena } from '../../firmware/src/arena.ts';
import { type PolicyName, policies } from '../../firmware/src/policies/index.ts';
import { OP_FREE, type Trace } from '../trace/trace.ts';
import { geometricMean } from './bench.ts';
import { ampleArenaBytes } from './cycles.ts';

export interface RaceResult {
  name: string;
  /** Millions of operations a second, geometric mean over the traces. */
  megaOperations: number;
}

interface Contestant {
  name: string;
  /** Called before each trace. */
  prepare(trace: Trace): boolean;
  run: Run;
}

type Run = (kinds: Uint8Array, ids: Int32Array, sizes: Int32Array, offsets: Int32Array) => void;

/**
 * The loop over a trace as a function of its own for each contestant: a shared one would see many targets at its calls,
 * and the engine would inline none.
 */
function newRun(
  malloc: (size: number) => number,
  free: (offset: number) => unknown,
  realloc: (offset: number, size: number) => number,
): Run {
  const body = `return function run(kinds, ids, sizes, offsets) {
    for (let i = 0; i < kinds.length; i++) {
      const id = ids[i];
      const offset = offsets[id];
      if (kinds[i] === ${OP_FREE}) { free(offset); offsets[id] = 0; }
      else offsets[id] = offset === 0 ? malloc(sizes[i]) : realloc(offset, sizes[i]);
    }
    for (let id = 0; id < offsets.length; id++) if (offsets[id] !== 0) { free(offsets[id]); offsets[id] = 0; }
  };`;
  return new Function('malloc', 'free', 'realloc', body)(malloc, free, realloc) as Run;
}

function policyContestant(name: PolicyName): Contestant {
  const policy = policies[name];
  return {
    name,
    prepare(trace) {
      const arenaBytes = ampleArenaBytes(trace);
      bindArena(new ArrayBuffer(arenaBytes));
      return policy.init(arenaBytes) !== 0;
    },
    run: newRun(policy.malloc, policy.free, policy.realloc),
  };
}

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

/** Each measurement lasts at least so many operations, and the best of the rounds counts: the others were disturbed. */
const OPERATIONS_A_ROUND = 100_000;
const ROUNDS = 5;

export async function race(traces: readonly Trace[], names: readonly PolicyName[]): Promise<RaceResult[]> {
  const contestants = [...names.map(policyContestant), await assemblyScriptContestant(), await dlmallocContestant()];
  const rates = new Map<Contestant, number[]>(contestants.map((contestant) => [contestant, []]));
  for (const trace of traces) {
    const { kinds, ids, sizes } = trace;
    const offsets = new Int32Array(trace.idCount);
    const repeats = Math.ceil(OPERATIONS_A_ROUND / kinds.length);
    const best = new Map<Contestant, number>();
    for (let round = 0; round <= ROUNDS; round++) {
      for (const contestant of contestants) {
        if (!contestant.prepare(trace)) continue;
        const from = performance.now();
        for (let i = 0; i < repeats; i++) contestant.run(kinds, ids, sizes, offsets);
        const rate = (kinds.length * repeats) / (performance.now() - from) / 1000;
        // The first round warms up.
        if (round > 0) best.set(contestant, Math.max(rate, best.get(contestant) ?? 0));
      }
    }
    for (const [contestant, rate] of best) rates.get(contestant)!.push(rate);
  }
  return [...rates]
    .filter(([, of]) => of.length === traces.length)
    .map(([{ name }, of]) => ({ name, megaOperations: geometricMean(of) }))
    .sort((a, b) => b.megaOperations - a.megaOperations);
}
