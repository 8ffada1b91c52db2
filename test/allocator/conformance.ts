/**
 * What every policy of the registry is held to; the rules M1..M10 are in support/model.ts.
 *
 *   random      operations of every kind in arenas of several sizes, against the model; seeds are printed
 *   exhaustive  every sequence of the alphabet up to a length, in a tiny arena
 *   drain       after everything is freed, the largest request of a fresh arena is served again
 */
import type { Policy } from '../../firmware/src/policy.ts';
import type { Built } from './support/built.ts';
import { HeapModel, ModelFault } from './support/model.ts';
import { randomSource } from './support/random.ts';

/** Policies that keep freed blocks apart on purpose: classes, caches, pages, powers of two, dead blocks until compaction. */
const keepsApart = new Set(['segregated', 'buddy', 'slab', 'percore', 'compact']);

export type Walker = (bytes: Uint8Array, model: HeapModel) => void;

function newModel(built: Built, name: string, arenaBytes: number): HeapModel {
  const policy: Policy = built.policies[name as keyof Built['policies']];
  const buffer = new ArrayBuffer(arenaBytes);
  built.bindArena(buffer);
  return new HeapModel(policy, new Uint8Array(buffer), !keepsApart.has(name));
}

const arenaSizes = [600, 2048, 8192, 65536];

/** Runs `operations` random operations; throws a ModelFault that names seed and operation. Returns how many were done. */
export function randomOperations(
  built: Built,
  name: string,
  seed: number,
  operations: number,
  walker?: Walker,
): { done: number; failed: number } {
  const random = randomSource(seed);
  let done = 0;
  let failed = 0;
  for (let round = 0; done < operations; round++) {
    const arenaBytes = arenaSizes[round % arenaSizes.length]!;
    const model = newModel(built, name, arenaBytes);
    if (model.capacity === 0) {
      if (done === 0 && round > 4) throw new ModelFault(`no arena of ${arenaSizes} bytes is large enough`);
      continue;
    }
    const largest = [40, 100, 400, 1500][random(4)]!;
    const size = (): number => (random(4) === 0 ? random(largest) : random(32));
    const length = 2000 + random(4000);
    try {
      for (let i = 0; i < length && done < operations; i++, done++) {
        const { live } = model;
        const dice = random(100);
        let ok = true;
        // Phases of growth and of decay, so that the heap is both full and nearly empty again and again.
        const growing = (i >> 9) % 2 === 0;
        if (live.length === 0 || dice < (growing ? 50 : 30)) ok = model.malloc(size());
        else if (dice < 80) model.free(random(live.length));
        else if (dice < 96) ok = model.realloc(random(live.length), size());
        else if (dice < 98) ok = model.memalign(1 << random(7), size());
        else if (dice < 99) model.togglePin(random(live.length));
        else model.freeWild(random(arenaBytes + 64));
        if (!ok) failed++;
        if (i % 256 === 0 || arenaBytes < 1000) {
          model.audit();
          walker?.(model.bytes, model);
        }
      }
      drain(model);
      walker?.(model.bytes, model);
    } catch (error) {
      if (!(error instanceof ModelFault)) throw error;
      throw new ModelFault(
        `${name}, seed ${seed}, operation ${done}, arena of ${arenaBytes} bytes, round ${round}: ${error.message}`,
      );
    }
  }
  return { done, failed };
}

/** Frees everything; then a request of the whole capacity must be served, as it was at first. */
function drain(model: HeapModel): void {
  while (model.live.length > 0) model.free(model.live.length - 1);
  model.audit();
  if (!model.malloc(model.capacity)) throw new ModelFault(`${model.capacity} bytes cannot be had from an empty heap`);
  model.free(0);
}

type Operation = (model: HeapModel) => void;

/** The alphabet of a state: what may be done next. */
function alphabet(model: HeapModel): [string, Operation][] {
  const operations: [string, Operation][] = [
    ['malloc 1', (m) => m.malloc(1)],
    ['malloc 16', (m) => m.malloc(16)],
    ['malloc 40', (m) => m.malloc(40)],
    ['memalign 32 8', (m) => m.memalign(32, 8)],
  ];
  for (let i = 0; i < model.live.length; i++) {
    operations.push([`free #${i}`, (m) => m.free(i)]);
    operations.push([`realloc #${i} 24`, (m) => m.realloc(i, 24)]);
  }
  if (model.live.length > 0) operations.push(['realloc #0 60', (m) => m.realloc(0, 60)]);
  return operations;
}

/**
 * Every sequence of the alphabet up to `length` operations in an arena of `arenaBytes`. A state that was reached before
 * with as many operations left is not explored again: the arena's image and the live blocks are all there is to it.
 */
export function everySequence(
  built: Built,
  name: string,
  arenaBytes: number,
  length: number,
): { states: number; steps: number } {
  const model = newModel(built, name, arenaBytes);
  if (model.capacity === 0) throw new ModelFault(`${name}: an arena of ${arenaBytes} bytes is too small`);
  const seen = new Map<string, number>();
  const path: string[] = [];
  let steps = 0;

  const explore = (left: number): void => {
    const image = Buffer.from(model.bytes);
    const live = model.live.map((block) => ({ ...block }));
    const key = `${image.toString('latin1')}|${live.map(({ offset, size }) => `${offset}:${size}`).join()}`;
    if ((seen.get(key) ?? -1) >= left) return;
    seen.set(key, left);
    if (left === 0) return;
    for (const [text, operation] of alphabet(model)) {
      path.push(text);
      steps++;
      operation(model);
      model.audit();
      if (left > 1) explore(left - 1);
      path.pop();
      model.restore(image, live);
    }
  };

  try {
    explore(length);
  } catch (error) {
    if (!(error instanceof ModelFault)) throw error;
    throw new ModelFault(`${name}, arena of ${arenaBytes} bytes, ${path.join('; ')}: ${error.message}`);
  }
  return { states: seen.size, steps };
}
