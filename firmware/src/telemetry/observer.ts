/**
 * What the heap tells about its work: one call after each operation. These bodies are empty, so a bundle without
 * telemetry pays nothing (the bundler removes the calls). The recorder (recorder.ts) takes this file's place in a bundle
 * with telemetry, by exporting the same names.
 *
 * `heap` is the heap's number (1 for the first created), `site` the small integer of the call site, 0 when unknown.
 */

/** Whether each operation is told: then a batch is as many single ones (heap.ts). */
export const isObserving = false;

/** Offset of a live block that must not go unannounced: see observeWatched. 0 when there is none. */
export const watchedOffset = 0;

/** Called before the block at `watchedOffset` is freed or resized. */
export function observeWatched(_heap: number): void {}

/** `usable` is what the block holds (>= size). */
export function observeMalloc(_heap: number, _site: number, _size: number, _offset: number, _usable: number): void {}

export function observeMemalign(
  _heap: number,
  _site: number,
  _alignment: number,
  _size: number,
  _offset: number,
  _usable: number,
): void {}

/** `newOffset` may equal `offset`. `offset` 0 is reported as a malloc instead. `held` was usable before. */
export function observeRealloc(
  _heap: number,
  _site: number,
  _offset: number,
  _size: number,
  _newOffset: number,
  _usable: number,
  _held: number,
): void {}

/** `offset` is where the payload lay. */
export function observeFree(_heap: number, _site: number, _offset: number, _usable: number): void {}

/** A request that got nothing. `offset` is the block a realloc left as it was, else 0; `alignment` is 8 but for memalign. */
export function observeFailure(
  _heap: number,
  _site: number,
  _offset: number,
  _alignment: number,
  _size: number,
): void {}

/** A free or realloc of something that is not a live block; `code` is MISUSE_. Nothing was changed. */
export function observeMisuse(_heap: number, _site: number, _offset: number, _code: number): void {}
