// Seeded programs with and without a leak, run over a real heap into a model: start-up tables, churn, queues, caches
// that fill and caches that replace, cyclic load. Site numbers are the parts' own, the leak has one of them or its own.
import { createHeap } from '../../firmware/src/heap.ts';
import { policies } from '../../firmware/src/policies/index.ts';
import { LeakWatch } from '../../host/answers/leaks.ts';
import { HeapModel } from '../../host/model/heap-model.ts';
import { below, type Random, random } from '../wire/random.ts';

export const ARENA_BYTES = 1 << 20;
const STEPS = 6000;

interface World {
  next: Random;
  take(size: number, site: number): number;
  give(offset: number): void;
  resize(offset: number, size: number, site: number): number;
}

/** A part of a program: called once a step, with how far the run is (0 to 1). */
type Part = (progress: number) => void;

function startup(world: World, site: number): Part {
  const count = 20 + below(world.next, 200);
  let left = count;
  const until = 0.02 + 0.13 * world.next();
  return (progress) => {
    for (; left > 0 && progress * count >= (count - left) * until; left--) world.take(8 + below(world.next, 100), site);
  };
}

function churn(world: World, site: number): Part {
  const live: number[] = [];
  const most = 5 + below(world.next, 60);
  return () => {
    if (live.length < most && (live.length === 0 || world.next() < 0.5)) {
      live.push(world.take(8 + below(world.next, 120), site));
    } else world.give(live.splice(below(world.next, live.length), 1)[0]!);
  };
}

function queue(world: World, site: number): Part {
  const live: number[] = [];
  const most = 10 + below(world.next, 80);
  return () => {
    live.push(world.take(16 + below(world.next, 60), site));
    if (live.length > most) world.give(live.shift()!);
  };
}

/** Keys come at random; an entry is made for each new one. Fills ever more slowly, or replaces when it is full. */
function cache(world: World, site: number, replaces: boolean): Part {
  const keys = 30 + below(world.next, 150);
  const room = replaces ? Math.floor(keys * (0.3 + 0.4 * world.next())) : keys;
  const entries = new Map<number, number>();
  const rate = 0.2 + 0.5 * world.next();
  return () => {
    if (world.next() > rate) return;
    const key = below(world.next, keys);
    if (entries.has(key)) return;
    if (entries.size >= room) {
      const oldest = entries.keys().next().value!;
      world.give(entries.get(oldest)!);
      entries.delete(oldest);
    }
    entries.set(key, world.take(24 + below(world.next, 80), site));
  };
}

/** Fills evenly up to a part of the run, and stays. */
function evenFill(world: World, site: number): Part {
  const until = 0.2 + 0.35 * world.next();
  const every = 5 + below(world.next, 20);
  let step = 0;
  return (progress) => {
    if (progress < until && step++ % every === 0) world.take(32 + below(world.next, 32), site);
  };
}

/** A load that comes and goes: held bytes follow a wave of the run. */
function cyclic(world: World, site: number): Part {
  const live: number[] = [];
  const waves = 4 + below(world.next, 20);
  const height = 20 + below(world.next, 150);
  const phase = world.next();
  return (progress) => {
    const wanted = (0.5 - 0.5 * Math.cos(2 * Math.PI * (progress * waves + phase))) * height;
    if (live.length < wanted) live.push(world.take(16 + below(world.next, 90), site));
    else if (live.length > 0) world.give(live.splice(below(world.next, live.length), 1)[0]!);
  };
}

function leak(world: World, site: number): Part {
  const kind = below(world.next, 3);
  const every = [20, 60, 150, 300][below(world.next, 4)]!;
  let step = below(world.next, every);
  if (kind === 0) {
    // Never given back.
    return () => {
      if (step++ % every === 0) world.take(8 + below(world.next, 60), site);
    };
  }
  if (kind === 1) {
    // Given back but for one in a few: the error path forgot.
    const live: number[] = [];
    const one = 3 + below(world.next, 30);
    return () => {
      live.push(world.take(16 + below(world.next, 40), site));
      if (live.length < 8) return;
      const offset = live.shift()!;
      if (below(world.next, one) !== 0) world.give(offset);
    };
  }
  // One block that only grows: a log.
  let size = 32;
  let log = world.take(size, site);
  return () => {
    if (step++ % every === 0) {
      size += 16 + below(world.next, 16);
      log = world.resize(log, size, site);
    }
  };
}

export interface Outcome {
  model: HeapModel;
  watch: LeakWatch;
  /** The site that leaks, 0 when none does. */
  leaks: number;
  /** A request failed while it ran. */
  hasFailed: boolean;
  /** Goes on until a request fails; when that was, null when it was not. */
  goOn(forMs: number): number | null;
}

export function runProgram(seed: number, leaks: boolean, arenaBytes = ARENA_BYTES): Outcome {
  const next = random(seed);
  const heap = createHeap({ bytes: arenaBytes, policy: policies['best-fit'] })!;
  const model = new HeapModel();
  model.begin(arenaBytes, heap.policy.firstBlock(), 4);
  const watch = new LeakWatch();
  let failed = false;
  const world: World = {
    next,
    take(size, site) {
      const offset = heap.malloc(size);
      if (offset === 0) failed = true;
      if (offset === 0) return 0;
      model.malloc(offset, size, heap.usableSize(offset), site);
      return offset;
    },
    give(offset) {
      if (offset === 0) return;
      heap.free(offset);
      model.free(offset);
    },
    resize(offset, size, site) {
      const moved = heap.realloc(offset, size);
      if (moved === 0) failed = true;
      if (moved === 0) return offset;
      model.realloc(offset, moved, size, heap.usableSize(moved), site);
      return moved;
    },
  };
  const kinds = [
    (site: number) => startup(world, site),
    (site: number) => churn(world, site),
    (site: number) => queue(world, site),
    (site: number) => cache(world, site, false),
    (site: number) => cache(world, site, true),
    (site: number) => evenFill(world, site),
    (site: number) => cyclic(world, site),
  ];
  const parts: Part[] = [];
  const count = 3 + below(next, 6);
  for (let i = 0; i < count; i++) parts.push(kinds[below(next, kinds.length)]!(10 + i));
  // Every clean program holds what is easily taken for a leak.
  parts.push(kinds[3]!(30), kinds[6]!(31), kinds[5]!(32));
  const leaking = next() < 0.5 ? 77 : 10;
  if (leaks) parts.push(leak(world, leaking));
  for (let step = 0; step < STEPS; step++) {
    for (const part of parts) part(step / STEPS);
    model.atMs = step;
    watch.observe(model);
  }
  // The world goes on as it was: `progress` stays at its end for the parts that have one, the waves go on.
  const goOn = (forMs: number): number | null => {
    const from = STEPS;
    for (let step = from; step < from + forMs; step++) {
      for (const part of parts) part(step / STEPS);
      model.atMs = step;
      if (failed) return step;
    }
    return null;
  };
  return { model, watch, leaks: leaks ? leaking : 0, hasFailed: failed, goOn };
}
