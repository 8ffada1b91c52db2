/**
 * The lessons of the tour. Each is a heap, and steps that call it and say what happened. Every figure in the words is
 * taken from the heap itself, so that the words stay true when a policy changes.
 */
import type { PolicyName } from '../../firmware/src/policies/index.ts';
import { type Shown, TourHeap } from './tour-heap.ts';

export interface Step {
  /** What is done; none for a step that only looks. */
  act?: (heap: TourHeap) => Shown;
  say: (heap: TourHeap) => string;
}

export interface Lesson {
  /** What the command line calls it. */
  name: string;
  title: string;
  policy: PolicyName;
  arenaBytes: number;
  steps: readonly Step[];
}

export const lessons: readonly Lesson[] = [
  {
    name: 'split',
    title: 'malloc splits',
    policy: 'first-fit',
    arenaBytes: 400,
    steps: [
      {
        say: (heap) =>
          `An arena of ${heap.arenaBytes} bytes, all of it one free block but for the policy's own words at its start. Each character below is 8 bytes.`,
      },
      {
        act: (heap) => heap.malloc('a', 40),
        say: (heap) =>
          `The free block is split: its front becomes a, the rest stays free. What malloc returns is an offset, ${heap.offsetOf('a')}: bytes from the arena's start. Before it lie 4 bytes of header, with the block's size.`,
      },
      {
        act: (heap) => heap.malloc('b', 13),
        say: (heap) =>
          `13 bytes were asked for, and b can hold ${heap.usable('b')}: sizes are rounded up, so that every payload begins at a multiple of 8. The difference is internal fragmentation.`,
      },
      {
        act: (heap) => heap.malloc('c', 100),
        say: (heap) => `One block after another, and ${heap.figures().largestFreeBytes} bytes left in one piece.`,
      },
    ],
  },
  {
    name: 'coalesce',
    title: 'free coalesces',
    policy: 'first-fit',
    arenaBytes: 400,
    steps: [
      { act: (heap) => heap.malloc('a', 60), say: () => 'Four blocks in a row.' },
      { act: (heap) => heap.malloc('b', 60), say: () => 'The second.' },
      { act: (heap) => heap.malloc('c', 60), say: () => 'The third.' },
      { act: (heap) => heap.malloc('d', 60), say: () => 'The fourth: it keeps the rest away from the three.' },
      {
        act: (heap) => heap.free('b'),
        say: (heap) => `A hole. There are now ${heap.figures().freeBlocks} free blocks: the hole and the rest.`,
      },
      {
        act: (heap) => heap.free('a'),
        say: (heap) =>
          `a lies before the hole, so the two become one: still ${heap.figures().freeBlocks} free blocks. This is coalescing, and it looks both ways: forward by the size in the header, backward by the size that a free block keeps in its last word.`,
      },
      {
        act: (heap) => heap.free('c'),
        say: () => 'c lay between the hole and d. One hole again, three blocks wide.',
      },
      {
        act: (heap) => heap.malloc('e', 170),
        say: () => 'Without coalescing there would be no room for this one there.',
      },
    ],
  },
  {
    name: 'fragment',
    title: 'Enough memory, and no room',
    policy: 'first-fit',
    arenaBytes: 400,
    steps: [
      ...[...'abcdefgh'].map(
        (name): Step => ({
          act: (heap) => heap.malloc(name, 36),
          say: () => (name === 'h' ? 'Eight blocks of the same size.' : ''),
        }),
      ),
      ...[...'aceg'].map(
        (name): Step => ({
          act: (heap) => heap.free(name),
          say: () => (name === 'g' ? 'Every other one is freed.' : ''),
        }),
      ),
      {
        act: (heap) => heap.malloc('x', 90),
        say: (heap) => {
          const { freeBytes, largestFreeBytes, freeBlocks } = heap.figures();
          const part = Math.round((1 - largestFreeBytes / freeBytes) * 100);
          return `${freeBytes} bytes are free, in ${freeBlocks} blocks, and the largest is ${largestFreeBytes}: 90 bytes cannot be had. This is external fragmentation, ${part} % here (1 - largest / free). It is why a program that never leaks can die after a week.`;
        },
      },
      {
        act: (heap) => heap.free('b'),
        say: () => 'One block more is freed, and three neighbours become one.',
      },
      { act: (heap) => heap.malloc('x', 90), say: () => 'Now it fits.' },
    ],
  },
  {
    name: 'place',
    title: 'Which hole: first fit and best fit',
    policy: 'best-fit',
    arenaBytes: 400,
    steps: [
      { act: (heap) => heap.malloc('a', 100), say: () => '' },
      { act: (heap) => heap.malloc('b', 20), say: () => '' },
      { act: (heap) => heap.malloc('c', 44), say: () => '' },
      { act: (heap) => heap.malloc('d', 20), say: () => '' },
      { act: (heap) => heap.free('a'), say: () => 'A wide hole at the front ...' },
      { act: (heap) => heap.free('c'), say: () => '... and a narrow one behind it.' },
      {
        act: (heap) => heap.malloc('e', 40),
        say: (heap) =>
          `Best fit takes the narrow hole, at ${heap.offsetOf('e')}, and the wide one stays whole. First fit would have taken the first that is large enough, the wide one, and left a remainder of it.`,
      },
      {
        act: (heap) => heap.malloc('f', 96),
        say: () => 'So there is room for this one, where it would else have gone to the end.',
      },
    ],
  },
  {
    name: 'resize',
    title: 'realloc: in place if it can',
    policy: 'first-fit',
    arenaBytes: 400,
    steps: [
      { act: (heap) => heap.malloc('a', 60), say: () => '' },
      { act: (heap) => heap.malloc('b', 60), say: () => 'Two blocks.' },
      {
        act: (heap) => heap.realloc('b', 120),
        say: () => 'What follows b is free, so b grows into it. Nothing was copied.',
      },
      {
        act: (heap) => heap.realloc('b', 30),
        say: () => 'Smaller: the end is given back at once, and joins the free block behind it.',
      },
      {
        act: (heap) => heap.realloc('a', 100),
        say: () =>
          'a has b behind it. A new block is found, the contents are copied, the old place is freed: for a moment both are there, and a heap that is nearly full fails here first.',
      },
    ],
  },
  {
    name: 'misuse',
    title: 'Misuse, found and refused',
    policy: 'first-fit',
    arenaBytes: 400,
    steps: [
      { act: (heap) => heap.malloc('a', 40), say: () => '' },
      { act: (heap) => heap.malloc('b', 40), say: () => 'Two blocks.' },
      { act: (heap) => heap.free('a'), say: () => 'The first time is right.' },
      {
        act: (heap) => heap.free('a'),
        say: () =>
          'The second is a double free. In C this silently ruins the heap; here it is refused, counted and sent.',
      },
      { act: (heap) => heap.freeOffset(99), say: () => 'An offset that never was a block.' },
      {
        act: (heap) => heap.write('b', 48),
        say: () => 'More is written to b than it holds. The header of what follows lies there.',
      },
      {
        act: (heap) => heap.check(),
        say: () => 'check() reads every header and names the first that cannot be true, and where it is.',
      },
    ],
  },
  {
    name: 'outside',
    title: 'Bookkeeping outside the blocks',
    policy: 'trie-fit',
    arenaBytes: 400,
    steps: [
      {
        say: () =>
          'The default policy keeps one bit for every 8 bytes in a table of its own, before the blocks: a bit is set where a block begins. Live blocks have no headers.',
      },
      {
        act: (heap) => heap.malloc('a', 40),
        say: (heap) =>
          `All ${heap.usable('a')} bytes of the block are payload. Larger blocks come from the arena’s end.`,
      },
      { act: (heap) => heap.malloc('b', 40), say: () => 'b lies right before a, without a gap.' },
      {
        act: (heap) => heap.write('b', 56),
        say: () => 'The same mistake as in the lesson before: the program’s own data in a are damaged ...',
      },
      { act: (heap) => heap.check(), say: () => '... but the heap is sound,' },
      { act: (heap) => heap.free('b'), say: () => 'b can be freed,' },
      { act: (heap) => heap.malloc('c', 24), say: () => 'and its memory used again.' },
    ],
  },
];

export interface Moment {
  lesson: string;
  title: string;
  policy: PolicyName;
  /** Counted from 1 within the lesson. */
  step: number;
  call: string | null;
  result: string | null;
  /** A character a cell of 8 bytes. */
  map: string;
  text: string;
}

/** Plays lessons from the start, one moment at a time. */
export function* moments(chosen: readonly Lesson[] = lessons): Generator<Moment> {
  for (const { name, title, policy, arenaBytes, steps } of chosen) {
    const heap = new TourHeap(policy, arenaBytes);
    for (const [index, { act, say }] of steps.entries()) {
      const shown = act?.(heap);
      const call = shown?.call ?? null;
      const result = shown?.result ?? null;
      yield { lesson: name, title, policy, step: index + 1, call, result, map: heap.cells(), text: say(heap) };
    }
  }
}
