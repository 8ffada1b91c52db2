/**
 * A smaller trace out of a real one: every n-th block with all its operations. Sizes and the order of what is kept are
 * as recorded, so a small board sees the same kinds of blocks living and dying, only fewer of them.
 */
import { OP_FREE, type Trace } from '../trace/trace.ts';

export function thinTrace(trace: Trace, everyNth: number): Trace {
  if (everyNth === 1) return trace;
  const kinds: number[] = [];
  const ids: number[] = [];
  const sizes: number[] = [];
  const held = new Map<number, number>();
  let bytes = 0;
  let peakLiveBytes = 0;
  let maxLiveBlocks = 0;
  for (let op = 0; op < trace.kinds.length; op++) {
    const id = trace.ids[op]!;
    if (id % everyNth !== 0) continue;
    const kind = trace.kinds[op]!;
    const size = trace.sizes[op]!;
    kinds.push(kind);
    ids.push(id / everyNth);
    sizes.push(size);
    bytes += size - (held.get(id) ?? 0);
    if (kind === OP_FREE) held.delete(id);
    else held.set(id, size);
    peakLiveBytes = Math.max(peakLiveBytes, bytes);
    maxLiveBlocks = Math.max(maxLiveBlocks, held.size);
  }
  return {
    name: trace.name,
    header: trace.header,
    kinds: Uint8Array.from(kinds),
    ids: Int32Array.from(ids),
    sizes: Int32Array.from(sizes),
    idCount: Math.ceil(trace.idCount / everyNth),
    peakLiveBytes,
    maxLiveBlocks,
  };
}
