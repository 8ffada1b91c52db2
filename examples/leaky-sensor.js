// A sensor that leaks: an alarm's record is not freed when a newer alarm replaces it. Watch it with `heapglass monitor`:
// the readings come and go, the alarms pile up, and the report names the line that made them.
import { createHeap } from 'heapglass';

const heap = createHeap({ bytes: 2048 });
const WINDOW = 8;
const readings = new Uint16Array(WINDOW);
let at = 0;
let alarm = 0;
let seed = 1;

// A pseudo-random temperature, the same on each run (Lehmer's generator with 16-bit values).
function measure() {
  seed = (seed * 75) % 65537;
  return seed % 400;
}

function store(value) {
  const reading = heap.malloc(16);
  if (reading) heap.u16[reading >> 1] = value;
  return reading;
}

export function sample() {
  const value = measure();
  if (readings[at]) heap.free(readings[at]);
  readings[at] = store(value);
  at = (at + 1) % WINDOW;
  // The leak: the alarm before this one is forgotten, not freed.
  if (value > 350) {
    alarm = heap.malloc(40);
    if (alarm) heap.u16[alarm >> 1] = value;
  }
  return value;
}

setInterval(sample, 50);
