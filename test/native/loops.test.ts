// The annotations `// loop: at most N` that the time bounds rest on, asserted by counting on the core: no loop of a policy
// goes round more often than its annotation says, over traces in an ample and in a tight arena, and over sequences made to
// drive each loop far. Every loop that is reached at all is listed with its most rounds.
// HEAPGLASS_NATIVE_ALL=1 takes all shared traces.
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { policies, policyNames } from '../../firmware/src/policies/index.ts';
import { compile } from '../../firmware/toolchain/native/compile.ts';
import { loopCounts } from '../../firmware/toolchain/native/loop-bounds.ts';
import { compilePolicy } from '../../firmware/toolchain/native/policy.ts';
import { parseSource } from '../../firmware/toolchain/native/source.ts';
import { ampleArenaBytes } from '../../host/bench/cycles.ts';
import { OP_FREE, readTrace, type Trace } from '../../host/trace/trace.ts';
import { NativeHeap } from '../../sim/cortex-m/native-heap.ts';
import { LoopCounter } from './loop-counter.ts';
import { random } from './programs.ts';

const all = process.env.HEAPGLASS_NATIVE_ALL === '1';
const own = `${packageRoot}/test/fixtures/traces`;
const shared = `${packageRoot}/../shared/traces`;
const SHORT_OPERATIONS = 1000;

function traces(): Trace[] {
  const list = (folder: string) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.trace'))
      .map((name) => readTrace(`${folder}/${name}`));
  if (!all) return list(own);
  try {
    return list(shared);
  } catch {
    console.warn(`native loops: no traces in ${shared}, the project's own are taken`);
    return list(own);
  }
}

function countOf(bound: string, counts: Record<string, number>): number {
  const count = counts[bound];
  if (count === undefined) throw new Error(`loop-bounds.ts does not say what "at most ${bound}" is`);
  return count;
}

/** Calls a policy's entries and checks every loop's rounds after each call. */
class Checked {
  readonly counter: LoopCounter;
  readonly heap: NativeHeap;
  private readonly limits: number[];

  constructor(name: string, arenaBytes: number, counts = loopCounts(arenaBytes)) {
    const compiled = compilePolicy(name, 'cortex-m0plus');
    this.counter = new LoopCounter(compiled);
    this.heap = new NativeHeap(compiled, arenaBytes, { runner: this.counter.runner });
    this.limits = this.counter.loops.map(({ bound }) =>
      bound === null ? Number.POSITIVE_INFINITY : typeof bound === 'number' ? bound : countOf(bound, counts),
    );
    this.call('init', arenaBytes);
  }

  call(name: string, ...args: number[]): number {
    const result = this.heap.call(name, ...args);
    this.counter.loops.forEach(({ place, most }, k) => {
      if (most > this.limits[k]!)
        throw new Error(`the loop at ${place} went round ${most} times, not ${this.limits[k]}`);
    });
    return result;
  }
}

function replay(name: string, trace: Trace, arenaBytes: number, most: Map<string, number>): void {
  const heap = new Checked(name, arenaBytes);
  const offsets = new Int32Array(trace.idCount);
  const count = all ? trace.kinds.length : Math.min(trace.kinds.length, SHORT_OPERATIONS);
  for (let i = 0; i < count; i++) {
    const id = trace.ids[i]!;
    if (trace.kinds[i] === OP_FREE) {
      heap.call('free', offsets[id]!);
      offsets[id] = 0;
    } else if (offsets[id] === 0) offsets[id] = heap.call('malloc', trace.sizes[i]!);
    else offsets[id] = heap.call('realloc', offsets[id]!, trace.sizes[i]!) || offsets[id]!;
  }
  note(heap, most);
}

/** Fills the arena with blocks of every size, frees them in an order that leaves many, and asks for what needs joining. */
function drive(name: string, seed: number, most: Map<string, number>): void {
  const below = random(seed);
  const arenaBytes = 1024 + 8 * below(300);
  const heap = new Checked(name, arenaBytes);
  for (let round = 0; round < 6; round++) {
    const live: number[] = [];
    const size = [1, 4, 9, 20, 1 + below(100)][below(5)]!;
    for (
      let offset = heap.call('malloc', size);
      offset !== 0 && live.length < 400;
      offset = heap.call('malloc', size)
    ) {
      live.push(offset);
    }
    const keep = below(3) === 0 ? 7 : 0;
    const order = below(2) === 0 ? live : live.toReversed();
    order.forEach((offset, k) => {
      if (keep === 0 || k % keep !== 0) heap.call('free', offset);
    });
    heap.call('malloc', below(arenaBytes));
    const grown = heap.call('malloc', 8);
    if (grown !== 0) heap.call('realloc', grown, below(arenaBytes >> 1));
    order.forEach((offset, k) => {
      if (keep !== 0 && k % keep === 0) heap.call('free', offset);
    });
    // The list of a batch is written where the block lies, which a handle of compact does not say.
    const list = name === 'compact' ? 0 : heap.call('malloc', 64);
    if (list !== 0) {
      const made = heap.call('mallocMany', 8, 16, list);
      heap.call('usableMany', made, list);
      heap.call('freeMany', made, list);
    }
  }
  note(heap, most);
}

/** Writes past payloads, for the loops that mend what they damage. Not for policies with headers in the blocks. */
function overwrite(name: string, most: Map<string, number>): void {
  const heap = new Checked(name, 2048);
  const live = Array.from({ length: 24 }, (_, i) => heap.call('malloc', 8 + 8 * (i % 5))).filter(
    (block) => block !== 0,
  );
  const kept = live.filter((_, i) => i % 3 === 0);
  for (const block of live) if (!kept.includes(block)) heap.call('free', block);
  for (const block of kept) heap.heap.arena.fill(0xff, block + 64, block + 96);
  for (const block of kept) heap.call('free', block);
  while (heap.call('malloc', 8) !== 0);
  note(heap, most);
}

/** Percore's large blocks: freed while the lock is taken, as an interrupt does (LOCK is the arena's third half); resized. */
function interrupt(name: string, most: Map<string, number>): void {
  const heap = new Checked(name, 16_384);
  const large = Array.from({ length: 6 }, () => heap.call('malloc', 1000));
  heap.heap.arena[4] = 1;
  for (const block of large) heap.call('free', block);
  heap.heap.arena[4] = 0;
  const first = heap.call('malloc', 1000);
  heap.call('realloc', first, 5000);
  heap.call('realloc', first, 1000);
  note(heap, most);
}

function note({ counter }: Checked, most: Map<string, number>): void {
  for (const { place, bound, most: rounds } of counter.loops) {
    const name = `${place} (${bound === null ? 'no annotation' : `at most ${bound}`})`;
    most.set(name, Math.max(most.get(name) ?? 0, rounds));
  }
}

// A policy without a single annotation makes no claim.
const claiming = policyNames.filter((name) =>
  new LoopCounter(compilePolicy(name, 'cortex-m0plus')).loops.some(
    ({ bound, place }) => bound !== null && !place.startsWith('native-batch'),
  ),
);

test.each(claiming)(
  '%s: no annotated loop goes round more often than it says',
  (name) => {
    expect(policies[name]).toBeDefined();
    const most = new Map<string, number>();
    for (const trace of traces()) {
      replay(name, trace, ampleArenaBytes(trace), most);
      replay(name, trace, (trace.peakLiveBytes + 512) & ~7, most);
    }
    for (let seed = 1; seed <= (all ? 200 : 10); seed++) drive(name, seed, most);
    if ([...most.keys()].some((place) => place.includes('overwritten'))) overwrite(name, most);
    if ([...most.keys()].some((place) => place.includes('deferred'))) interrupt(name, most);
    console.info(`${name}: most rounds: ${[...most].map(([place, rounds]) => `${place} ${rounds}`).join(', ')}`);
    // The sequences are worth something: they reach every annotated loop.
    for (const [place, rounds] of most) {
      const isLeftOut = place.includes('no annotation') || (name === 'compact' && place.startsWith('native-batch'));
      if (!isLeftOut) expect([place, rounds > 0]).toEqual([place, true]);
    }
  },
  3_600_000,
);

test('a loop that goes round more often than annotated is found, a nested one is counted from each entry', () => {
  const text = `import { u32 } from './arena.ts';
export function main(a, b) {
  // loop: at most 5
  for (let i = 0; i < a; i++) {
    // loop: at most 3
    for (let k = 0; k < b; k++) u32[k] = i;
  }
  return 0;
}`;
  const compiled = compile(parseSource(text), { cpu: 'cortex-m0plus', entries: ['main'] });
  const counter = new LoopCounter(compiled);
  const heap = new NativeHeap(compiled, 256, { runner: counter.runner });
  heap.call('main', 5, 3);
  const rounds = () => Object.fromEntries(counter.loops.map(({ bound, most }) => [bound, most]));
  expect(rounds()).toEqual({ 5: 5, 3: 3 });
  heap.call('main', 2, 9);
  expect(rounds()).toEqual({ 5: 5, 3: 9 });
});
