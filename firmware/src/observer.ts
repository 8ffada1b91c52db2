/**
 * What the heap tells about its work: one call after each operation. These bodies are empty, so a bundle without
 * telemetry pays nothing (the bundler removes the calls). A recorder takes this file's place by exporting the same
 * functions; in Node they forward to a listener.
 *
 * `heap` is the heap's number (1 for the first created), `site` the small integer of the call site, 0 when unknown.
 */

export function observeMalloc(_heap: number, _site: number, _size: number, _offset: number): void {}

export function observeMemalign(
  _heap: number,
  _site: number,
  _alignment: number,
  _size: number,
  _offset: number,
): void {}

/** `newOffset` may equal `offset`. `offset` 0 is reported as a malloc instead. */
export function observeRealloc(
  _heap: number,
  _site: number,
  _offset: number,
  _size: number,
  _newOffset: number,
): void {}

export function observeFree(_heap: number, _site: number, _offset: number): void {}

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
