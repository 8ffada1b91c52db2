// Recordings with known contents, made by the firmware's own recorder.

import { LEVEL_EVENTS } from '../../firmware/wire/format.ts';
import { Keeper } from '../../host/monitor/keeper.ts';
import { Session } from '../../host/monitor/session.ts';
import { RecordingWriter } from '../../host/recording/writer.ts';
import { readTrace } from '../../host/trace/trace.ts';
import { recordedHeap, step } from '../wire/device.ts';

/**
 * A trace, over and over, until there are this many operations; 1 ms each on the board's clock. The line loses the
 * frames that are drained while `isLost`.
 */
export function recordTrace(
  path: string,
  tracePath: string,
  operations: number,
  { isLost = () => false, level = LEVEL_EVENTS }: { isLost?: (atMs: number) => boolean; level?: number } = {},
): Session {
  const trace = readTrace(tracePath);
  const { heap, clock, drain } = recordedHeap({ policy: 'best-fit', bytes: 131072, ringFrames: 64, level });
  const keeper = new Keeper(
    new Session({ source: 'test board' }),
    new RecordingWriter(path, { startedAt: '2026-01-01T00:00:00Z', source: 'test board', program: 'trace.js' }),
  );
  const offsets = new Int32Array(trace.idCount);
  for (let done = 0; done < operations; done++) {
    const at = done % trace.kinds.length;
    if (at === 0) {
      for (let id = 0; id < offsets.length; id++) if (offsets[id] !== 0) heap.free(offsets[id]!);
      offsets.fill(0);
    }
    step(heap, trace, at, offsets, (at % 5) + 1);
    clock.ms++;
    if (done % 16 === 15) for (const frame of drain()) if (!isLost(clock.ms)) keeper.hear(frame);
  }
  for (const frame of drain()) keeper.hear(frame);
  keeper.close();
  return keeper.session;
}

/** Frames of a heap in which the given blocks are made, each of its site. */
export function framesOf(sizes: readonly number[], bundleId = 0): Uint8Array[] {
  const { heap, clock, drain } = recordedHeap({ policy: 'best-fit', bytes: 4096, bundleId, ringFrames: 16 });
  for (const [index, size] of sizes.entries()) {
    heap.malloc(size, (index % 3) + 1);
    clock.ms += 40;
  }
  return drain();
}
