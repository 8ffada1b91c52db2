/**
 * `bench --worst`: the worst sequence known for each policy. Its loop steps stand beside the stated bound, its cycles are
 * those of the interpreters of two boards.
 *
 * Sequences are constructed from what makes allocators slow, and one is found by hill climbing (a tenth of the best is
 * changed; what is no better is dropped). Each is run on the policy with counted loops, then call by call on each board.
 *
 *   holes        [ live ][ free ][ live ][ free ] ... to the arena's end, then what fits no hole, and what joins two
 *   ladder       holes of 24, 40, 56 ... bytes: every list and class has one
 *   path         trie-fit's tree as one path as deep as keys have bits
 *   one block    half of the arena in one block, freed and resized
 *   cached       blocks of 8 bytes, freed but for one in each 512 bytes below the last, then larger ones
 *   searched     what the hill climbing found
 */
import { join } from 'node:path';
import { loadBoard } from '../../boards/board.ts';
import { packageRoot } from '../../boards/root.ts';
import type { PolicyName } from '../../firmware/src/policies/index.ts';
import { bundle } from '../../firmware/toolchain/bundle.ts';
import { createEngine } from '../../sim/engine/create.ts';
import { programOf } from './interpreted.ts';
import { type Call, calls, keepWorse, type Step, StepMeter, type Worst } from './step-meter.ts';
import { countedPolicy, stepBounds } from './steps.ts';
import { randomSource } from './synthetic.ts';

export const WORST_ARENA_BYTES = 8192;
export const WORST_BOARDS = ['kaluma-pico', 'puckjs'];
export const SEARCH_SEED = 20_260_111;
const SEQUENCE_LENGTH = 600;

export interface WorstRow {
  policy: PolicyName;
  arenaBytes: number;
  /** The stated bound, for malloc; free; realloc. */
  bound: string;
  steps: Record<Call, Worst & { sequence: string }>;
  /** Cycles of the slowest call of all sequences, by board; null where the board cannot run the policy. */
  cycles: Record<string, Record<Call, number> | null>;
}

type Sequence = (meter: StepMeter) => void;

/** Blocks of `size(i)` until there is no room; their keys. */
function fill(meter: StepMeter, size: (i: number) => number): number[] {
  const keys: number[] = [];
  for (let key = meter.malloc(size(0)); key !== 0; key = meter.malloc(size(keys.length))) keys.push(key);
  return keys;
}

/** Every other block is freed, from `from` on; the keys that stay. */
function freeEveryOther(meter: StepMeter, keys: readonly number[], from: number): number[] {
  for (let i = from; i < keys.length; i += 2) meter.free(keys[i]!);
  return keys.filter((_, i) => i < from || (i - from) % 2 !== 0);
}

function holesOf(sizeBytes: number, last: number): Sequence {
  return (meter) => {
    const top = meter.malloc(last);
    const keys = fill(meter, () => sizeBytes);
    const kept = freeEveryOther(meter, keys, 0);
    meter.malloc(meter.arenaBytes >> 2);
    const grown = meter.realloc(kept.at(-1)!, 3 * sizeBytes);
    if (grown !== 0) kept[kept.length - 1] = grown;
    meter.free(kept.at(-2)!);
    meter.free(kept[kept.length >> 1]!);
    meter.free(kept[0]!);
    meter.realloc(kept[1]!, last);
    meter.free(top);
    meter.malloc(last);
    meter.malloc(meter.arenaBytes >> 1);
  };
}

const ladder: Sequence = (meter) => {
  const keys = fill(meter, (i) => (i % 2 === 0 ? 8 : 24 + 8 * i));
  const rest = fill(meter, () => 8);
  const kept = freeEveryOther(meter, keys, 1);
  freeEveryOther(meter, rest, 0);
  meter.malloc(meter.arenaBytes >> 2);
  meter.realloc(kept[0]!, 600);
  for (const key of kept) meter.free(key);
};

/** Frees granules whose keys in trie-fit's tree each share one bit more with the last one than the one before. */
const path: Sequence = (meter) => {
  const keys = new Set(fill(meter, () => 8));
  const granules = meter.arenaBytes >> 3;
  const width = granules.toString(2).length;
  const target = (granules >> 1) + 1;
  const free = (granule: number): void => {
    if (granule !== target && keys.delete(granule * 8)) meter.free(granule * 8);
  };
  for (let i = 0; i < width; i++) free((granules >> 2) + 1 + 2 * i);
  for (let bit = width - 1; bit >= 1; bit--) free(target ^ (1 << bit));
  if (keys.delete(target * 8)) meter.free(target * 8);
  for (let round = 0; round < 4; round++) {
    const key = meter.malloc(8);
    if (key !== 0) meter.free(key);
    if (round === 0 && keys.delete(target * 8 + 8)) meter.free(target * 8 + 8);
    const pair = meter.malloc(16);
    if (pair !== 0) meter.realloc(pair, 8);
  }
};

const oneBlock: Sequence = (meter) => {
  const half = meter.malloc(meter.arenaBytes >> 1);
  const small = meter.malloc(100);
  const kept = meter.realloc(half, (meter.arenaBytes >> 1) - 100) || half;
  meter.free(small);
  meter.free(kept);
};

/** percore: only the last page gets all its objects back, and only when the caches are emptied. */
const cached: Sequence = (meter) => {
  const keys = fill(meter, () => 8);
  const last = Math.max(...keys) & ~511;
  const kept = keys.filter((key) => (key & 511) === 0 && key < last);
  for (const key of keys) if (!kept.includes(key)) meter.free(key);
  if (kept.length > 0) meter.realloc(kept[0]!, 32);
  meter.malloc(meter.arenaBytes >> 3);
  meter.malloc(100);
};

/** A sequence as numbers: what to do, on which block, with which size. */
function runGenes(meter: StepMeter, genes: Int32Array): void {
  const keys: number[] = [];
  for (const gene of genes) {
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

/** Hill climbing from `seed`: the best sequence of `tries`, and the worst steps of all of them. */
export async function searchWorst(
  policy: PolicyName,
  arenaBytes: number,
  tries: number,
  seed: number,
): Promise<{ genes: Int32Array; found: Record<Call, Worst> }> {
  const random = randomSource(seed);
  const gene = (): number => (random(0x10000) << 16) | random(0x10000);
  const counted = await countedPolicy(policy, arenaBytes);
  const { found } = new StepMeter(policy, counted, arenaBytes);
  let genes = Int32Array.from({ length: SEQUENCE_LENGTH }, gene);
  let bestScore = -1;
  for (let i = 0; i < tries; i++) {
    const next = genes.map((old) => (i > 0 && random(10) !== 0 ? old : gene()));
    const meter = new StepMeter(policy, counted, arenaBytes);
    runGenes(meter, next);
    keepWorse(found, meter.found);
    if (meter.score >= bestScore) {
      genes = next;
      bestScore = meter.score;
    }
  }
  return { genes, found };
}

/** Runs the steps of each sequence on the board, each on a heap formatted anew. */
async function cyclesOn(
  boardId: string,
  policy: PolicyName,
  sequences: readonly (readonly Step[])[],
): Promise<Record<Call, number> | null> {
  const board = loadBoard(boardId);
  const source = programOf(policy, WORST_ARENA_BYTES);
  const { code } = await bundle({ entry: join(packageRoot, 'worst.js'), source, board, telemetry: 'off' });
  const worst = { malloc: 0, free: 0, realloc: 0 };
  for (const sequence of sequences) {
    const engine = createEngine(board);
    if (engine.run(code, 'worst.js').kind !== 'value') return null;
    const called = (name: string): unknown => {
      const outcome = engine.run(name, 'worst.js');
      return outcome.kind === 'value' ? outcome.value : null;
    };
    const functions = { malloc: called('allocate'), free: called('release'), realloc: called('resize') };
    for (const [call, first, second] of sequence) {
      const before = engine.cycles;
      const outcome = engine.call(functions[call], second === undefined ? [first] : [first, second]);
      if (outcome.kind !== 'value') return null;
      worst[call] = Math.max(worst[call], engine.cycles - before);
    }
  }
  return worst;
}

/** The worst known of one policy; `tries` sequences are searched. Throws when a call exceeds the stated bound. */
export async function worstOf(
  policy: PolicyName,
  tries: number,
  boards: readonly string[] = WORST_BOARDS,
): Promise<WorstRow> {
  const { genes } = await searchWorst(policy, WORST_ARENA_BYTES, tries, SEARCH_SEED);
  const sequences: Record<string, Sequence> = {
    'small holes': holesOf(8, 200),
    holes: holesOf(16, 200),
    ladder,
    path,
    'one block': oneBlock,
    cached,
    searched: (meter) => runGenes(meter, genes),
  };
  const none = { steps: -1, bound: 0, sequence: '' };
  const steps: WorstRow['steps'] = { malloc: none, free: none, realloc: none };
  const made: Step[][] = [];
  for (const [name, run] of Object.entries(sequences)) {
    const meter = new StepMeter(policy, await countedPolicy(policy, WORST_ARENA_BYTES), WORST_ARENA_BYTES, true);
    run(meter);
    made.push(meter.sequence);
    for (const call of calls) {
      const found = meter.found[call];
      if (found.steps > steps[call].steps) steps[call] = { ...found, sequence: name };
    }
  }
  const cycles: WorstRow['cycles'] = {};
  for (const board of boards) cycles[board] = await cyclesOn(board, policy, made);
  return { policy, arenaBytes: WORST_ARENA_BYTES, bound: stepBounds[policy].text, steps, cycles };
}
