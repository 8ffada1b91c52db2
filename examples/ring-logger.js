// A logger that keeps the last lines: texts of any length, the oldest freed first, and never out of memory. When the
// arena is full, old lines make room: that is what a heap inside the program can do and the engine's own cannot.
import { createHeap } from 'heapglass';

const heap = createHeap({ bytes: 2048 });
const MOST = 64;
const lines = new Uint16Array(MOST);
let first = 0;
let count = 0;

function dropOldest() {
  heap.free(lines[first]);
  first = (first + 1) % MOST;
  count--;
}

export function log(text) {
  if (count === MOST) dropOldest();
  let line = heap.malloc(text.length + 1);
  while (!line && count > 0) {
    dropOldest();
    line = heap.malloc(text.length + 1);
  }
  if (!line) return false;
  heap.u8[line] = text.length;
  for (let i = 0; i < text.length; i++) heap.u8[line + 1 + i] = text.charCodeAt(i);
  lines[(first + count) % MOST] = line;
  count++;
  return true;
}

export function read(index) {
  if (index >= count) return '';
  const line = lines[(first + index) % MOST];
  let text = '';
  for (let i = 0; i < heap.u8[line]; i++) text += String.fromCharCode(heap.u8[line + 1 + i]);
  return text;
}

export function kept() {
  return count;
}

let n = 0;
setInterval(() => {
  n++;
  let text = `reading ${n}`;
  for (let i = 0; i < n % 7; i++) text += ` +${i * n}`;
  log(text);
}, 100);
