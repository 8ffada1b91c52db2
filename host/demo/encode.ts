/** A trace as the text that `examples/replay-trace.js` reads; the format is drawn there. */
import { OP_ALLOCATE, OP_FREE, type Trace } from '../trace/trace.ts';

/** Characters of a string on the board; the program indexes with `>> 7` and `& 127`. */
const CHUNK_CHARACTERS = 128;
const FIRST_CHARACTER = 48;

export interface EncodedTrace {
  chunks: string[];
  opCount: number;
  slotCount: number;
}

function numberText(value: number): string {
  let text = '';
  do {
    const more = value > 31 ? 32 : 0;
    text += String.fromCharCode(FIRST_CHARACTER + (value & 31) + more);
    value >>>= 5;
  } while (value > 0);
  return text;
}

export function encodeTrace(trace: Trace): EncodedTrace {
  const slotOf = new Int32Array(trace.idCount).fill(-1);
  const empty: number[] = [];
  let slotCount = 0;
  let text = '';
  for (let op = 0; op < trace.kinds.length; op++) {
    const id = trace.ids[op]!;
    const slot = slotOf[id]!;
    const kind = trace.kinds[op]!;
    if (kind === OP_FREE) {
      text += numberText((slot << 2) | 1);
      slotOf[id] = -1;
      empty.push(slot);
    } else if (slot === -1) {
      // A realloc of nothing is an allocation.
      slotOf[id] = empty.pop() ?? slotCount++;
      text += numberText(trace.sizes[op]! << 2);
    } else if (kind !== OP_ALLOCATE) {
      text += numberText((slot << 2) | 2) + numberText(trace.sizes[op]!);
    }
  }
  const chunks: string[] = [];
  for (let at = 0; at < text.length; at += CHUNK_CHARACTERS) chunks.push(text.slice(at, at + CHUNK_CHARACTERS));
  return { chunks, opCount: trace.kinds.length, slotCount };
}
