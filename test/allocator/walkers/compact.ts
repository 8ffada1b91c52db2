// A compact heap from its raw bytes: the table of starts gives the blocks, the handle words say which are live.
import type { HeapModel } from '../support/model.ts';
import { rawView } from './raw.ts';

const DEAD = 0xffff;

export function walkCompact(bytes: Uint8Array, model: HeapModel): void {
  const { half, byte, expect, take, done } = rawView(bytes, model);
  const top = half(0);
  const end = half(2);
  const handles = half(6);
  expect(end === bytes.length >> 3, `END is ${end} of ${bytes.length} bytes`);
  const tableBytes = ((end >> 4) + 1) * 2;
  const control = Math.ceil((8 + tableBytes) / 8);
  const starts: number[] = [];
  for (let granule = 0; granule < tableBytes * 8; granule++) {
    if ((byte(8 + (granule >> 3)) >> (granule & 7)) & 1) starts.push(granule);
  }
  const beyond = starts.filter((start) => start >= top);
  expect(starts[0] === control + 1 && beyond[0] === top, `starts from ${starts[0]}, top ${top}`);
  expect(
    beyond.every((start) => start === top || start === end),
    `starts ${beyond} from the top on`,
  );
  expect(top * 8 + handles * 2 <= end * 8, `${handles} handles reach the top`);

  const handleOf = new Map<number, number>();
  const free = new Set<number>();
  const pinned: number[] = [];
  for (let handle = 1; handle <= handles; handle++) {
    const word = half(end * 8 - 2 * handle);
    if (word >= 0xc000) {
      pinned.push(word & 0x3fff);
    } else if (word >= 0x8000) {
      free.add(handle);
    } else {
      expect(!handleOf.has(word), `two handles lead to granule ${word}`);
      handleOf.set(word, handle);
    }
  }
  const live = new Set(handleOf.values());
  expect(pinned.every((handle) => live.has(handle)) && pinned.length === half(control * 8 + 4), 'the pins');
  let dead = 0;
  for (const [i, start] of starts.entries()) {
    if (start >= top) break;
    const granules = starts[i + 1]! - start;
    const handle = handleOf.get(start);
    if (handle === undefined) {
      expect(half(start * 8) === DEAD, `granule ${start} is neither live nor dead`);
      dead += granules;
    } else {
      take(handle, granules * 8);
      handleOf.delete(start);
    }
  }
  done();
  expect(handleOf.size === 0, `handles ${[...handleOf.values()].slice(0, 5)} lead to no start`);
  expect(dead === half(control * 8 + 2), `${dead} dead granules`);
  for (let handle = half(control * 8); handle !== 0; handle = half(end * 8 - 2 * handle) & 0x3fff) {
    expect(free.delete(handle), `the chain of free handles holds ${handle}`);
  }
  expect(free.size === 0, `handles ${[...free].slice(0, 5)} are in no chain`);
}
