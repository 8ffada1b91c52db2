/**
 * A heap of two regions: small records in one, frames of a camera in pages of the other, given back when they are done.
 *
 *   heapglass flash examples/two-banks.js --board kaluma-pico --port sim:kaluma-pico --monitor
 *
 * The first region's arena grows as records come, and `trim` gives back its top when they are gone; see docs/regions.md.
 */
import { createRegionHeap } from 'heapglass';

const FRAME_BYTES = 900;
const heap = createRegionHeap({
  regions: [
    { name: 'records', bytes: 2048 },
    { name: 'frames', bytes: 4096, large: true },
  ],
  largeFrom: 512,
});
const records = [];
let frame = 0;
let ticks = 0;

setInterval(() => {
  ticks++;
  if (frame) heap.free(frame);
  frame = heap.malloc(FRAME_BYTES);
  if (frame) heap.bytesOf(frame)[heap.placeOf(frame)] = ticks;
  const record = heap.malloc(24);
  if (record) records.push(record);
  if (records.length === 16) {
    while (records.length > 2) heap.free(records.pop());
    heap.trim(64);
  }
}, 100);

/** For the prompt: breaks and pages. */
export function regions() {
  return [heap.regionStats(0), heap.regionStats(1)];
}
