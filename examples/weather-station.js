// A small weather station, with the three things that go wrong on such a board: a ring of readings that comes and goes,
// messages of any length that wait for a slow radio and break the free memory up, and listeners that are added at each
// reconnect and never removed. Watch it with `heapglass monitor --web`.
import { createHeap } from 'heapglass';

const heap = createHeap({ bytes: 4096 });
const RING = 24;
const ring = new Uint16Array(RING);
const QUEUE = 40;
const queue = new Uint16Array(QUEUE);
let at = 0;
let first = 0;
let waiting = 0;
let dropped = 0;
let ticks = 40;
let seed = 7;

// Lehmer's generator with 16-bit values: the same on each run.
function random(most) {
  seed = (seed * 75) % 65537;
  return seed % most;
}

function keepReading() {
  if (ring[at]) heap.free(ring[at]);
  ring[at] = heap.malloc(24);
  at = (at + 1) % RING;
}

function queueMessage() {
  const message = waiting < QUEUE ? heap.malloc(16 + random(120)) : 0;
  if (!message) {
    dropped++;
    return;
  }
  queue[(first + waiting) % QUEUE] = message;
  waiting++;
}

// The radio sends the oldest; behind the hill, three seconds of every twelve, it sends nothing.
function sendMessage() {
  ticks++;
  if (waiting === 0 || ticks % 160 < 40) return;
  heap.free(queue[first]);
  first = (first + 1) % QUEUE;
  waiting--;
}

// The leak: the listener of the connection before is forgotten.
export function reconnect() {
  const listener = heap.malloc(48);
  if (listener) heap.u16[listener >> 1] = waiting;
  return listener;
}

export function refused() {
  return dropped;
}

setInterval(keepReading, 70);
setInterval(queueMessage, 110);
setInterval(sendMessage, 75);
setInterval(reconnect, 1300);
