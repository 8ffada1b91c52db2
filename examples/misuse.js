/**
 * Four mistakes, one a second, on a safe heap: each is named with its block, and the program goes on.
 *
 *   heapglass flash examples/misuse.js --board kaluma-pico --port sim:kaluma-pico --monitor
 *
 * createSafeHeap puts guards, a quarantine and a table of blocks over the heap; see docs/safety.md for what it costs.
 */
import { createHeap, createSafeHeap } from 'heapglass';

const heap = createSafeHeap(createHeap({ bytes: 1024 }));

const mistakes = [
  function overflow() {
    const name = heap.malloc(20);
    for (let i = 0; i <= 20; i++) heap.u8[name + i] = 65;
    heap.free(name);
  },
  function doubleFree() {
    const reading = heap.malloc(32);
    heap.free(reading);
    heap.free(reading);
  },
  function wildFree() {
    const list = heap.malloc(40);
    heap.free(list + 8);
    heap.free(list);
  },
  function useAfterFree() {
    const message = heap.malloc(24);
    heap.free(message);
    heap.u8[message] = 33;
    heap.check();
  },
];

let next = 0;
setInterval(() => {
  mistakes[next]();
  next = (next + 1) % mistakes.length;
}, 1000);

/** For the prompt: what was found so far. */
export function faults() {
  return heap.faults();
}
