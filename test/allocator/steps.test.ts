// Loop steps of every call stay within the bound that host/bench/steps.ts states, on traces, on random operations, and on
// sequences that a search makes worse and worse. HEAPGLASS_SEARCH: sequences tried a policy (default 150).
import { afterAll, expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { type PolicyName, policies, policyNames } from '../../firmware/src/policies/index.ts';
import { ampleArenaBytes } from '../../host/bench/cycles.ts';
import { minimumFootprint } from '../../host/bench/footprint.ts';
import { type BoundOf, type CountedPolicy, countedPolicy, stepBounds } from '../../host/bench/steps.ts';
import { OP_FREE, readTrace, type Trace } from '../../host/trace/trace.ts';
import { randomSource } from './support/random.ts';

const searches = Number(process.env.HEAPGLASS_SEARCH ?? 150);
const SEED = 20_260_111;
const SEARCH_ARENA_BYTES = 8192;
const SEQUENCE = 600;

type Call = 'malloc' | 'free' | 'realloc';
interface Worst {
  steps: number;
  bound: number;
}
type Found = Record<Call, Worst>;
const rows: string[] = [];

/** Calls with their steps noted; throws at the first call above its bound. */
class Meter {
  readonly found: Found = {
    malloc: { steps: -1, bound: 0 },
    free: { steps: -1, bound: 0 },
    realloc: { steps: -1, bound: 0 },
  };
  readonly counted: CountedPolicy;
  readonly #name: PolicyName;
  readonly #arenaBytes: number;
  live = 0;
  /** Sum over the calls of the share of their bound: what the search climbs. */
  score = 0;

  constructor(name: PolicyName, counted: CountedPolicy, arenaBytes: number) {
    this.#name = name;
    this.counted = counted;
    this.#arenaBytes = arenaBytes;
    counted.policy.init(arenaBytes);
  }

  #noted(call: Call, heldBytes: number, run: () => number): number {
    const of: BoundOf = { arenaBytes: this.#arenaBytes, live: this.live, heldBytes };
    this.counted.counter.steps = 0;
    const result = run();
    const { steps } = this.counted.counter;
    const bound = stepBounds[this.#name][call](of);
    if (steps > bound) throw new Error(`${this.#name} ${call}: ${steps} steps, bound ${bound}, ${JSON.stringify(of)}`);
    if (steps > this.found[call].steps) this.found[call] = { steps, bound };
    this.score = Math.max(this.score, steps / Math.max(1, bound));
    return result;
  }

  malloc(size: number): number {
    const given = this.#noted('malloc', 0, () => this.counted.policy.malloc(size));
    if (given !== 0) this.live++;
    return given;
  }

  free(key: number): void {
    if (this.#noted('free', 0, () => this.counted.policy.free(key)) === 0) this.live--;
  }

  realloc(key: number, size: number): number {
    return this.#noted('realloc', this.counted.policy.usableSize(key), () => this.counted.policy.realloc(key, size));
  }
}

function worse(into: Found, from: Found): void {
  for (const call of ['malloc', 'free', 'realloc'] as const) {
    if (from[call].steps > into[call].steps) into[call] = from[call];
  }
}

function runTrace(meter: Meter, trace: Trace): void {
  const keys = new Int32Array(trace.idCount);
  for (let i = 0; i < trace.kinds.length; i++) {
    const id = trace.ids[i]!;
    const key = keys[id]!;
    if (trace.kinds[i] === OP_FREE) {
      meter.free(key);
      keys[id] = 0;
    } else {
      const given = key === 0 ? meter.malloc(trace.sizes[i]!) : meter.realloc(key, trace.sizes[i]!);
      if (given !== 0) keys[id] = given;
    }
  }
}

/** A sequence is numbers: what to do, on which block, with which size. */
function runSequence(meter: Meter, sequence: Int32Array): void {
  const keys: number[] = [];
  for (const gene of sequence) {
    const which = (gene >>> 4) & 0xffff;
    const size = (gene >>> 20) & 0x7ff;
    const small = size & 63;
    const kind = gene & 15;
    if (keys.length === 0 || kind < 7) {
      const key = meter.malloc(kind < 4 ? small : size);
      if (key !== 0) keys.push(key);
    } else if (kind < 13) {
      meter.free(keys.splice(which % keys.length, 1)[0]!);
    } else {
      const at = which % keys.length;
      const key = meter.realloc(keys[at]!, kind === 13 ? small : size);
      if (key !== 0) keys[at] = key;
    }
  }
}

const traces = ['expat-config', 'lua-queens', 'mqtt-sub'].map((name) =>
  readTrace(`${packageRoot}/test/fixtures/traces/${name}.trace`),
);

test.each(policyNames)(`%s: no call takes more steps than stated (seed ${SEED})`, async (name) => {
  const found = new Meter(name, await countedPolicy(name, SEARCH_ARENA_BYTES), SEARCH_ARENA_BYTES).found;
  for (const trace of traces) {
    for (const arenaBytes of [ampleArenaBytes(trace), minimumFootprint(policies[name], trace)!.footprintBytes]) {
      const meter = new Meter(name, await countedPolicy(name, arenaBytes), arenaBytes);
      runTrace(meter, trace);
      worse(found, meter.found);
    }
  }
  // Hill climbing: a tenth of the best sequence is changed; what is no better is dropped.
  const random = randomSource(SEED);
  const gene = (): number => (random(0x10000) << 16) | random(0x10000);
  const counted = await countedPolicy(name, SEARCH_ARENA_BYTES);
  let best = Int32Array.from({ length: SEQUENCE }, gene);
  let bestScore = -1;
  for (let i = 0; i < searches; i++) {
    const next = best.map((old) => (i > 0 && random(10) !== 0 ? old : gene()));
    const meter = new Meter(name, counted, SEARCH_ARENA_BYTES);
    runSequence(meter, next);
    worse(found, meter.found);
    if (meter.score >= bestScore) {
      best = next;
      bestScore = meter.score;
    }
  }
  const cells = (['malloc', 'free', 'realloc'] as const).map((call) => `${found[call].steps} of ${found[call].bound}`);
  rows.push(`${name.padEnd(12)} ${cells.map((cell) => cell.padStart(14)).join(' ')}`);
  expect(found.malloc.steps).toBeGreaterThanOrEqual(0);
});

afterAll(() => {
  console.info(
    `worst steps found, and the bound there\n${''.padEnd(12)}         malloc           free        realloc\n${rows.join('\n')}`,
  );
});
