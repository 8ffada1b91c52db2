// The lines of docs/regions.md are run, and each map in it is the one that its line makes. HEAPGLASS_UPDATE=1 draws them anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import vm from 'node:vm';
import { expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { createRegionHeap } from '../../firmware/src/index.ts';
import { BLOCK_BEYOND, BLOCK_FREE, BLOCK_LIVE } from '../../firmware/src/policy.ts';
import type { RegionHeap } from '../../firmware/src/regions/region-heap.ts';

const path = join(packageRoot, 'docs', 'regions.md');
const COLUMNS = 64;

/** One character a 64th of each region: whatever most of it is. */
function draw(heap: RegionHeap, names: Readonly<Record<string, number>>): string {
  heap.bind();
  const kinds: string[] = new Array(heap.bytes).fill('#');
  const { policy } = heap;
  for (let block = policy.firstBlock(); block !== 0; ) {
    heap.bind();
    const next = policy.nextBlock(block);
    const kind = policy.blockKind(block);
    const payload = kind === BLOCK_LIVE ? policy.blockPayload(block) : 0;
    const name = Object.keys(names).find((key) => names[key] === payload && payload !== 0);
    const letter = kind === BLOCK_FREE ? '.' : kind === BLOCK_BEYOND ? '-' : (name ?? '#');
    kinds.fill(letter, block, next === 0 ? heap.bytes : next);
    block = next;
  }
  const maps: string[] = [];
  for (let region = 0; region < heap.regionCount; region++) {
    const { baseOffset, bytes } = heap.regionStats(region);
    const step = bytes / COLUMNS;
    maps.push(Array.from({ length: COLUMNS }, (_, i) => kinds[baseOffset + Math.floor(i * step + step / 2)]!).join(''));
  }
  return maps.join(' | ');
}

test('the maps of docs/regions.md', () => {
  const document = readFileSync(path, 'utf8');
  const begin = document.indexOf('```js\nheap = ') + '```js\n'.length;
  const end = document.indexOf('```', begin);
  const lines = document.slice(begin, end).trimEnd().split('\n');
  const names: Record<string, number> = {};
  const world = vm.createContext({ createRegionHeap });
  const drawn: string[] = [];
  for (const line of lines.filter((text) => !text.startsWith('//'))) {
    const value: unknown = vm.runInContext(line, world);
    const assigned = /^([a-z]) = /.exec(line)?.[1];
    if (assigned) {
      expect(value, line).toBeGreaterThan(0);
      names[assigned] = value as number;
    }
    drawn.push(line, `// ${draw(world.heap as RegionHeap, names)}`);
    if (line.startsWith('heap.free')) delete names[line.at(-2)!];
  }
  if (process.env.HEAPGLASS_UPDATE)
    writeFileSync(path, `${document.slice(0, begin)}${drawn.join('\n')}\n${document.slice(end)}`);
  expect(readFileSync(path, 'utf8').slice(begin).split('```')[0]!.trimEnd().split('\n')).toEqual(drawn);
});
