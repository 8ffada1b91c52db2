// Blink with a heap: the pattern is a block of the arena, made anew each time the message changes.
// Runs on every board of `heapglass boards`: heapglass flash examples/blink.js --board puckjs
import { createHeap } from 'heapglass';

const heap = createHeap({ bytes: 512 });
const led = typeof LED1 === 'undefined' ? 25 : LED1;

// A dot is one tick of light, a dash three; a tick of dark after each.
function makePattern(signs) {
  let ticks = 0;
  for (let i = 0; i < signs.length; i++) ticks += signs[i] === '-' ? 4 : 2;
  const pattern = heap.malloc(ticks + 1);
  if (!pattern) return 0;
  heap.u8[pattern] = ticks;
  let at = pattern + 1;
  for (let i = 0; i < signs.length; i++) {
    for (let on = signs[i] === '-' ? 3 : 1; on > 0; on--) heap.u8[at++] = 1;
    heap.u8[at++] = 0;
  }
  return pattern;
}

let pattern = makePattern('...---...');
let tick = 0;

export function show(signs) {
  heap.free(pattern);
  pattern = makePattern(signs);
  tick = 0;
  return pattern;
}

setInterval(() => {
  if (!pattern) return;
  digitalWrite(led, heap.u8[pattern + 1 + tick]);
  tick = (tick + 1) % heap.u8[pattern];
}, 200);
