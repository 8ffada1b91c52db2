// The story of a failed request: what was asked, what was free, who keeps it apart, what came before.
import { expect, test } from 'vitest';
import { createHeap } from '../../firmware/src/heap.ts';
import { policies } from '../../firmware/src/policies/index.ts';
import {
  OPERATION_FREE,
  OPERATION_MALLOC,
  OPERATION_REALLOC,
  PostMortemWatch,
} from '../../host/answers/post-mortem.ts';
import { HeapModel } from '../../host/model/heap-model.ts';

/** A heap and the host's model of it, event by event. */
function watched(bytes: number) {
  const heap = createHeap({ bytes, policy: policies['first-fit'] })!;
  const model = new HeapModel();
  model.hello({
    atMs: 0,
    boot: true,
    policy: 1,
    level: 3,
    arenaBytes: bytes,
    clockHz: 0,
    bundleId: 0,
    firstBlock: heap.policy.firstBlock(),
    headerBytes: 4,
  } as Parameters<HeapModel['hello']>[0]);
  model.eventsBegin(0, false, 4);
  const watch = new PostMortemWatch();
  const malloc = (size: number, site: number): number => {
    const offset = heap.malloc(size, site);
    if (offset === 0) watch.failed(model, 0, size, 0, site);
    else {
      model.malloc(offset, size, heap.usableSize(offset), site, 8);
      watch.operation(OPERATION_MALLOC, size, site);
    }
    return offset;
  };
  const free = (offset: number): void => {
    heap.free(offset);
    model.free(offset);
    watch.operation(OPERATION_FREE, offset, 0);
  };
  return { watch, malloc, free };
}

const nameOf = (site: number): string => `app.js:${site}`;

test('there is no story while nothing failed', () => {
  expect(watched(1024).watch.story(nameOf)).toBeNull();
});

test('what was asked, what was free, who keeps it apart, what came before', () => {
  const { watch, malloc, free } = watched(1024);
  const blocks = [1, 2, 3, 4].map((line) => malloc(230, line));
  free(blocks[0]!);
  free(blocks[2]!);
  malloc(400, 9);
  const story = watch.story(nameOf)!;
  expect(story).toMatch(
    /^A request failed: malloc\(400\) at app\.js:9, with \d+ B free in \d+ pieces, the largest \d+ B/,
  );
  expect(story).toMatch(/held apart by \d blocks? from app\.js:[24]/);
  expect(story).toContain(`free of 0x${blocks[0]!.toString(16)}, free of 0x${blocks[2]!.toString(16)}.`);
  expect(story).toContain('malloc(230) at app.js:4');
});

test('of many failures the last one is told, with the last operations around the ring', () => {
  const { watch, malloc } = watched(1024);
  for (let i = 0; i < 40; i++) watch.operation(OPERATION_REALLOC, i, 0);
  for (let i = 0; i < 3; i++) malloc(5000 + i, 7);
  const story = watch.story(nameOf)!;
  expect(story).toMatch(/^3 requests failed; the last one: malloc\(5002\)/);
  expect(story).toContain('Before it: realloc(36), realloc(37), realloc(38), realloc(39).');
});
