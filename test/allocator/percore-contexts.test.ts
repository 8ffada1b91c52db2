// percore with an interrupt at every step: each load and each store of an operation of context 0 is preceded, in turn, by
// a handler that uses the heap as context 1. Afterwards all blocks are whole and apart, and every invariant holds.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import type * as percoreModule from '../../firmware/src/policies/percore.ts';

type Hooked = typeof percoreModule & { bindArena(buffer: ArrayBuffer): void };

/** Called before each access to the arena; the views of the hooked build go through it. */
let beforeAccess: () => void = () => {};

function hookedView(View: typeof Uint8Array | typeof Uint16Array | typeof Uint32Array) {
  return function construct(buffer: ArrayBuffer) {
    return new Proxy(new View(buffer), {
      get(target, key) {
        beforeAccess();
        return Reflect.get(target, key, target);
      },
      set(target, key, value) {
        beforeAccess();
        return Reflect.set(target, key, value, target);
      },
    });
  };
}

let heap: Hooked;
beforeAll(async () => {
  Object.assign(globalThis, {
    hookedUint8Array: hookedView(Uint8Array),
    hookedUint16Array: hookedView(Uint16Array),
    hookedUint32Array: hookedView(Uint32Array),
  });
  const outfile = join(mkdtempSync(join(tmpdir(), 'heapglass-')), 'percore.mjs');
  await build({
    stdin: {
      contents: `export { bindArena } from './firmware/src/arena.ts'; export * from './firmware/src/policies/percore.ts';`,
      resolveDir: packageRoot,
      loader: 'ts',
    },
    bundle: true,
    format: 'esm',
    outfile,
    define: {
      Uint8Array: 'hookedUint8Array',
      Uint16Array: 'hookedUint16Array',
      Uint32Array: 'hookedUint32Array',
    },
  });
  heap = (await import(pathToFileURL(outfile).href)) as Hooked;
});

const ARENA_BYTES = 6 * 512;

interface World {
  bytes: Uint8Array;
  live: Map<number, { size: number; fill: number }>;
}

/** Gives a block and fills it; 0 is an allowed answer. */
function give(world: World, size: number, alignment = 1): number {
  const offset = alignment === 1 ? heap.malloc(size) : heap.memalign(alignment, size);
  if (offset === 0) return 0;
  if (offset % alignment !== 0) throw new Error(`memalign(${alignment}, ${size}) gives ${offset}`);
  const fill = (offset >> 3) & 0xff;
  world.live.set(offset, { size, fill });
  world.bytes.fill(fill, offset, offset + size);
  return offset;
}

function take(world: World, offset: number | undefined): void {
  if (offset === undefined || !world.live.delete(offset)) return;
  world.bytes.fill(0xee, offset, offset + 16);
  if (heap.free(offset) !== 0) throw new Error(`free(${offset}) is refused`);
}

function resize(world: World, offset: number | undefined, size: number): void {
  const block = offset === undefined ? undefined : world.live.get(offset);
  if (offset === undefined || !block) return;
  const moved = heap.realloc(offset, size);
  if (moved === 0) return;
  world.live.delete(offset);
  const kept = world.bytes.subarray(moved, moved + Math.min(size, block.size));
  if (kept.some((byte) => byte !== block.fill)) throw new Error(`realloc(${offset}, ${size}) lost contents`);
  const fill = (moved >> 3) & 0xff;
  world.live.set(moved, { size, fill });
  world.bytes.fill(fill, moved, moved + size);
}

/** Blocks of both kinds, caches that are full or empty, one page nearly used up. */
const setups: Record<string, (world: World) => void> = {
  fresh: () => {},
  'caches filled': (world) => {
    for (let i = 0; i < 12; i++) give(world, 100);
    for (const offset of [...world.live.keys()].slice(0, 6)) take(world, offset);
    handler(() => {
      const mine = [give(world, 100), give(world, 20)];
      for (const offset of mine) take(world, offset);
    });
  },
  'memory short': (world) => {
    give(world, 600);
    while (give(world, 200) !== 0);
    take(world, [...world.live.keys()][3]);
  },
};

/** A block that neither the first nor the last operation of a test works on. */
const middle = (world: World): number | undefined =>
  world.live.size > 2 ? nth(world, world.live.size >> 1) : undefined;

const nth = (world: World, i: number): number | undefined => [...world.live.keys()].at(i);

const operations: Record<string, (world: World) => void> = {
  'malloc 100': (world) => void give(world, 100),
  'malloc 200': (world) => void give(world, 200),
  'malloc 700': (world) => void give(world, 700),
  'free first': (world) => take(world, nth(world, 0)),
  'free last': (world) => take(world, nth(world, -1)),
  'realloc first to 230': (world) => resize(world, nth(world, 0), 230),
  'realloc first to 900': (world) => resize(world, nth(world, 0), 900),
  'realloc first to 20': (world) => resize(world, nth(world, 0), 20),
  'memalign 64': (world) => void give(world, 40, 64),
  'memalign 1024': (world) => void give(world, 300, 1024),
  flush: () => heap.flush(),
};

/** Handlers touch blocks that the interrupted operation does not: those in the middle. */
const handlers: Record<string, (world: World) => void> = {
  'malloc 100': (world) => void give(world, 100),
  'malloc 20, free it': (world) => take(world, give(world, 20) || undefined),
  'free one': (world) => take(world, middle(world)),
  'malloc 700': (world) => void give(world, 700),
  'malloc 700, free it': (world) => take(world, give(world, 700) || undefined),
  'realloc one to 150': (world) => resize(world, middle(world), 150),
  'realloc one to 700': (world) => resize(world, middle(world), 700),
  'memalign 64, free it': (world) => take(world, give(world, 40, 64) || undefined),
  'memalign 1024': (world) => void give(world, 300, 1024),
  // Refills its cache and leaves all of it there.
  'malloc 30 three times, free them': (world) => {
    for (const offset of [1, 2, 3].map(() => give(world, 30))) take(world, offset || undefined);
  },
  flush: () => heap.flush(),
};

function handler(work: () => void): void {
  const before = heap.enterContext(1);
  work();
  heap.enterContext(before);
}

function audit(world: World, name: string): void {
  const held = new Uint8Array(ARENA_BYTES);
  for (const [offset, { size, fill }] of world.live) {
    for (let at = offset; at < offset + size; at++) {
      if (held[at] === 1) throw new Error(`${name}: byte ${at} is in two blocks`);
      if (world.bytes[at] !== fill) throw new Error(`${name}: block ${offset} lost byte ${at - offset}`);
      held[at] = 1;
    }
  }
  const violated = heap.check();
  if (violated !== 0) throw new Error(`${name}: invariant ${violated} at ${heap.checkOffset()}`);
}

function run(setup: string, operation: string, handling: string, at: number): boolean {
  const buffer = new ArrayBuffer(ARENA_BYTES);
  heap.bindArena(buffer);
  heap.init(ARENA_BYTES);
  const world: World = { bytes: new Uint8Array(buffer), live: new Map() };
  setups[setup]!(world);
  // Blocks the operation works on are its own: the handler must not free them.
  let accesses = 0;
  let interrupted = false;
  beforeAccess = () => {
    accesses++;
    if (accesses !== at || interrupted) return;
    interrupted = true;
    handler(() => handlers[handling]!(world));
  };
  operations[operation]!(world);
  beforeAccess = () => {};
  audit(world, `${setup}, ${operation}, ${handling} at access ${at}`);
  for (const offset of [...world.live.keys()]) take(world, offset);
  handler(() => heap.flush());
  heap.flush();
  audit(world, `${setup}, ${operation}, ${handling} at access ${at}, all freed`);
  if (heap.malloc(ARENA_BYTES - 512 - 16) === 0) throw new Error(`${setup}, ${operation}, ${handling}: memory is lost`);
  return interrupted;
}

test('a handler between any two accesses of an operation harms neither', () => {
  let runs = 0;
  for (const setup of Object.keys(setups)) {
    for (const operation of Object.keys(operations)) {
      for (const handling of Object.keys(handlers)) {
        let at = 1;
        while (run(setup, operation, handling, at)) {
          at++;
          runs++;
        }
      }
    }
  }
  expect(runs).toBeGreaterThan(5000);
}, 120_000);

/** What an empty heap has in one block. */
function capacity(): number {
  return heap.init(ARENA_BYTES);
}

test('a context that ends with full caches leaves its objects to whoever takes its number, and nothing else is lost', () => {
  const buffer = new ArrayBuffer(ARENA_BYTES);
  heap.bindArena(buffer);
  const whole = capacity();
  const world: World = { bytes: new Uint8Array(buffer), live: new Map() };
  handler(() => {
    const given = [20, 100, 200, 20].map((size) => give(world, size));
    for (const offset of given) take(world, offset);
  });
  // The program goes on without it, as far as the rest of the memory goes.
  const kept = [give(world, 60), give(world, 60)];
  audit(world, 'the context has ended');
  expect(kept.every((offset) => offset !== 0)).toBe(true);
  expect(heap.malloc(whole)).toBe(0);
  for (const offset of kept) take(world, offset);
  heap.flush();
  // Its number is used again: a flush finds what it held.
  handler(() => heap.flush());
  audit(world, 'its caches are empty');
  expect(heap.malloc(whole)).not.toBe(0);
});

test('a context that ends while a block waits for the lock leaves it to whoever takes its number', () => {
  const buffer = new ArrayBuffer(ARENA_BYTES);
  heap.bindArena(buffer);
  const whole = capacity();
  const world: World = { bytes: new Uint8Array(buffer), live: new Map() };
  const large = give(world, 700);
  let interrupted = false;
  // LOCK is the third half: the first access after it was taken.
  beforeAccess = () => {
    if (interrupted || new Uint16Array(buffer)[2] !== 1) return;
    interrupted = true;
    handler(() => take(world, large));
  };
  const other = give(world, 300);
  beforeAccess = () => {};
  expect(interrupted).toBe(true);
  audit(world, 'a large block waits');
  expect(heap.usableSize(large)).toBe(0);
  take(world, other);
  heap.flush();
  expect(heap.malloc(whole)).toBe(0);
  handler(() => heap.flush());
  audit(world, 'it was freed');
  expect(heap.malloc(whole)).not.toBe(0);
});
