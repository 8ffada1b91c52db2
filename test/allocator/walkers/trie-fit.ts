// A trie-fit heap from its raw bytes: the table of starts gives the blocks, the tree from the root gives the free ones.
import { type HeapModel, ModelFault } from '../support/model.ts';

/** Mixed with the last word of both ends of a free block. */
const SEAL = 0xfff5;

export function walkTrieFit(bytes: Uint8Array, model: HeapModel): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const half = (offset: number): number => view.getUint16(offset, true);
  const expect = (truth: boolean, text: string): void => {
    if (!truth) throw new ModelFault(`raw bytes: ${text}`);
  };
  const end = half(2);
  const width = half(0);
  expect(width === end.toString(2).length, `W is ${width} for ${end} granules`);

  expect(end === bytes.length >> 3, `END is ${end} of ${bytes.length} bytes`);
  const tableBytes = ((end >> 4) + 1) * 2;
  const first = Math.ceil((8 + tableBytes) / 8);
  const starts: number[] = [];
  for (let granule = 0; granule < tableBytes * 8; granule++) {
    if ((bytes[8 + (granule >> 3)]! >> (granule & 7)) & 1) starts.push(granule);
  }
  expect(starts[0] === first && starts.at(-1) === end, `starts run from ${starts[0]} to ${starts.at(-1)}`);
  const sizes = new Map(starts.slice(0, -1).map((start, i) => [start, starts[i + 1]! - start]));

  const free = new Set<number>();
  const pending: { node: number; up: number; prefix: string }[] = [{ node: half(4), up: 0, prefix: '' }];
  for (let entry = pending.pop(); entry; entry = pending.pop()) {
    const { node, up, prefix } = entry;
    if (node === 0) continue;
    const size = sizes.get(node);
    expect(size !== undefined && !free.has(node), `the tree holds ${node}`);
    const last = node + size! - 1;
    expect(half(node * 8) === size && half(last * 8) === size, `the ends of ${node}`);
    expect((half(node * 8 + 6) ^ SEAL) === up, `the parent of ${node}`);
    expect(last === node || half(last * 8 + 6) === (SEAL ^ last), `the last word of ${node}`);
    const digits = size! < 32 ? `0${size!.toString(2).padStart(5, '0')}` : `1${size!.toString(2).padStart(width, '0')}`;
    const key = digits + node.toString(2).padStart(width, '0');
    expect(key.startsWith(prefix), `node ${node} lies under ${prefix}`);
    free.add(node);
    pending.push({ node: half(node * 8 + 2), up: node, prefix: `${prefix}0` });
    pending.push({ node: half(node * 8 + 4), up: node, prefix: `${prefix}1` });
  }

  const live = new Map(model.live.map((block) => [block.offset, block.usable]));
  let previousFree = false;
  for (const [start, size] of sizes) {
    const isFree = free.has(start);
    expect(!(isFree && previousFree), `free neighbours at ${start}`);
    expect(isFree !== live.has(start * 8), `granule ${start} is ${isFree ? 'free' : 'live'}`);
    if (!isFree) expect(live.get(start * 8) === size * 8, `granule ${start} holds ${size * 8}`);
    previousFree = isFree;
  }
  expect(live.size === sizes.size - free.size, 'live blocks are missing');
}
