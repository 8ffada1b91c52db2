// Replays a recorded allocation trace on the board: what `heapglass demo` and `replay --board` flash.
//
// The trace is text: numbers of five bits a character, least significant first, bit 5 says that more follow, 48 added.
//
//   size << 2              malloc: into the slot that was emptied last
//   slot << 2 | 1          free of that slot
//   slot << 2 | 2, size    realloc of that slot
//
// Empty slots are chained through `slots`, so a malloc need not say which one it takes. Each payload's first byte is
// the slot's number, compared at its free. At the end one line is printed: `heapglass-replay` and `name=value` words.
import { createHeap } from 'heapglass';

/**
 * @param chunks the trace, 128 characters a string (a long string is slow to index on Espruino)
 * @param opCount operations in it
 * @param slotCount most blocks live at once
 * @param arenaBytes size of the arena
 * @param tickMs milliseconds from one batch to the next
 * @param opsPerTick operations a batch
 * @param now microseconds: `micros` on Kaluma, `getTime() * 1e6` on Espruino
 */
export function replayTrace(chunks, opCount, slotCount, arenaBytes, tickMs, opsPerTick, now) {
  const heap = createHeap({ bytes: arenaBytes });
  if (!heap) {
    console.log('heapglass-replay arena=0');
    return;
  }
  const slots = new Uint32Array(slotCount + 1);
  let emptySlot = 0;
  let character = 0;
  let op = 0;
  let failures = 0;
  let damaged = 0;
  let mallocs = 0;
  let mallocUs = 0;
  let frees = 0;
  let freeUs = 0;

  for (let i = 0; i < slotCount; i++) slots[i] = i + 1;

  function number() {
    let value = 0;
    let shift = 0;
    let digit;
    do {
      digit = chunks[character >> 7].charCodeAt(character & 127) - 48;
      character++;
      value |= (digit & 31) << shift;
      shift += 5;
    } while (digit & 32);
    return value;
  }

  function malloc(size) {
    const slot = emptySlot;
    emptySlot = slots[slot];
    const startUs = now();
    const offset = heap.malloc(size);
    mallocUs += now() - startUs;
    mallocs++;
    slots[slot] = offset;
    if (offset === 0) failures++;
    else heap.u8[offset] = slot;
  }

  function free(slot) {
    const offset = slots[slot];
    if (offset !== 0) {
      if (heap.u8[offset] !== (slot & 255)) damaged++;
      const startUs = now();
      heap.free(offset);
      freeUs += now() - startUs;
      frees++;
    }
    slots[slot] = emptySlot;
    emptySlot = slot;
  }

  function realloc(slot, size) {
    const offset = heap.realloc(slots[slot], size);
    if (offset === 0) failures++;
    else {
      slots[slot] = offset;
      heap.u8[offset] = slot;
    }
  }

  function finish() {
    let clockUs = now();
    clockUs = now() - clockUs;
    const stats = heap.stats();
    console.log(
      `heapglass-replay ops=${op} failures=${failures} damaged=${damaged} mallocs=${mallocs} mallocUs=${mallocUs}` +
        ` frees=${frees} freeUs=${freeUs} clockUs=${clockUs} live=${stats.liveBytes} blocks=${stats.liveBlocks}` +
        ` free=${stats.freeBytes} largest=${stats.largestFreeBytes}`,
    );
  }

  const timer = setInterval(() => {
    for (let i = 0; i < opsPerTick && op < opCount; i++) {
      const n = number();
      const kind = n & 3;
      if (kind === 0) malloc(n >> 2);
      else if (kind === 1) free(n >> 2);
      else realloc(n >> 2, number());
      op++;
    }
    if (op === opCount) {
      clearInterval(timer);
      finish();
    }
  }, tickMs);
}
