// The compact trace and the program that reads it: run here, it makes exactly the trace's calls.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeTrace } from '../../host/demo/encode.ts';
import { parseBoardReport } from '../../host/demo/program.ts';
import { thinTrace } from '../../host/demo/thin.ts';
import { OP_ALLOCATE, OP_FREE, OP_RESIZE, type Trace } from '../../host/trace/trace.ts';

/** A sound trace out of random numbers. */
const traces = fc.array(fc.tuple(fc.nat(2), fc.nat(12), fc.nat(70_000)), { maxLength: 300 }).map((steps): Trace => {
  const live = new Set<number>();
  const kinds: number[] = [];
  const ids: number[] = [];
  const sizes: number[] = [];
  for (const [kind, id, size] of steps) {
    const op = kind === OP_RESIZE ? OP_RESIZE : live.has(id) ? OP_FREE : OP_ALLOCATE;
    kinds.push(op);
    ids.push(id);
    sizes.push(op === OP_FREE ? 0 : size);
    if (op === OP_FREE) live.delete(id);
    else live.add(id);
  }
  const header = { name: 'random' };
  return {
    ...{ name: 'random', header, kinds: Uint8Array.from(kinds), ids: Int32Array.from(ids) },
    ...{ sizes: Int32Array.from(sizes), idCount: 13, peakLiveBytes: 0, maxLiveBlocks: 13 },
  };
});

/** What examples/replay-trace.js reads, read the same way. */
function* decode({ chunks, opCount, slotCount }: ReturnType<typeof encodeTrace>) {
  const text = chunks.join('');
  const next = Array.from({ length: slotCount + 1 }, (_, slot) => slot + 1);
  let at = 0;
  let empty = 0;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 5) {
      const digit = text.charCodeAt(at++) - 48;
      value |= (digit & 31) << shift;
      if ((digit & 32) === 0) return value;
    }
  };
  for (let op = 0; op < opCount; op++) {
    const n = number();
    const slot = n >> 2;
    if ((n & 3) === 0) {
      yield { slot: empty, size: n >> 2, kind: OP_ALLOCATE };
      empty = next[empty]!;
    } else if ((n & 3) === 1) {
      next[slot] = empty;
      empty = slot;
      yield { slot, size: 0, kind: OP_FREE };
    } else yield { slot, size: number(), kind: OP_RESIZE };
  }
}

test('every operation comes out with its size, and on the slot that holds its block', () => {
  fc.assert(
    fc.property(traces, (trace) => {
      const slotOf = new Map<number, number>();
      let op = 0;
      for (const { slot, size, kind } of decode(encodeTrace(trace))) {
        const id = trace.ids[op]!;
        const known = slotOf.get(id);
        if (known === undefined) {
          expect(kind).toBe(OP_ALLOCATE);
          expect([...slotOf.values()]).not.toContain(slot);
          slotOf.set(id, slot);
        } else {
          expect(kind).toBe(trace.kinds[op]);
          expect(slot).toBe(known);
        }
        expect(size).toBe(trace.sizes[op]);
        if (kind === OP_FREE) slotOf.delete(id);
        op++;
      }
      expect(op).toBe(trace.kinds.length);
    }),
    { numRuns: 200 },
  );
});

test('a thinned trace is sound, and keeps every operation of the blocks it keeps', () => {
  fc.assert(
    fc.property(traces, fc.integer({ min: 2, max: 5 }), (trace, n) => {
      const thin = thinTrace(trace, n);
      const kept = [...trace.ids].filter((id) => id % n === 0);
      expect([...thin.ids]).toEqual(kept.map((id) => id / n));
      expect(() => [...decode(encodeTrace(thin))]).not.toThrow();
    }),
  );
});

test('the board’s last line is read whole or not at all', () => {
  const line =
    'x heapglass-replay ops=9 failures=0 damaged=0 mallocs=4 mallocUs=12.5 frees=3 freeUs=8 clockUs=1 live=64 blocks=1 free=900 largest=800';
  expect(parseBoardReport(line)).toMatchObject({ ops: 9, mallocUs: 12.5, largest: 800 });
  expect(parseBoardReport(line.slice(0, -14))).toBeNull();
  expect(parseBoardReport('heapglass-replay arena=0')).toBeNull();
  expect(parseBoardReport('hello')).toBeNull();
});
