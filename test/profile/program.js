import { createHeap } from 'heapglass';

const heap = createHeap({ bytes: 2048 });

function checksum(offset, count) {
  let sum = 0;
  for (let i = 0; i < count; i++) sum = (sum + heap.u8[offset + i]) & 255;
  return sum;
}

const once = (size) => {
  const block = heap.malloc(size);
  const sum = checksum(block, size);
  heap.free(block);
  return sum;
};

export function work(rounds) {
  for (let i = 0; i < rounds; i++) once(64);
}

setInterval(() => once(16), 100);
