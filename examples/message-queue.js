// A queue of messages of any length between two parts of a program that work at their own pace. Each message is one
// block: [ next: 2 bytes ][ length: 2 bytes ][ bytes ... ]. When the consumer is slow, send() answers false: the
// producer hears of the full heap as a value, and nothing dies.
import { createHeap } from 'heapglass';

const heap = createHeap({ bytes: 1536 });
let head = 0;
let tail = 0;
let waiting = 0;
let refused = 0;

export function send(length, fillWith) {
  const message = heap.malloc(4 + length);
  if (!message) {
    refused++;
    return false;
  }
  heap.u16[message >> 1] = 0;
  heap.u16[(message >> 1) + 1] = length;
  for (let i = 0; i < length; i++) heap.u8[message + 4 + i] = fillWith;
  if (tail) heap.u16[tail >> 1] = message;
  else head = message;
  tail = message;
  waiting++;
  return true;
}

// Takes the oldest message and returns the sum of its bytes, -1 when there is none.
export function receive() {
  if (!head) return -1;
  const message = head;
  const length = heap.u16[(message >> 1) + 1];
  let sum = 0;
  for (let i = 0; i < length; i++) sum += heap.u8[message + 4 + i];
  head = heap.u16[message >> 1];
  if (!head) tail = 0;
  heap.free(message);
  waiting--;
  return sum;
}

export function state() {
  return { waiting: waiting, refused: refused, live: heap.stats().liveBlocks };
}

let n = 0;
setInterval(() => {
  n++;
  send(4 + ((n * 29) % 60), n & 255);
}, 40);
setInterval(receive, 60);
