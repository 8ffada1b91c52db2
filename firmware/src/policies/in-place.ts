/** The part of the contract that only matters where blocks move, for policies whose blocks stay where they are. */

/** Where the payload of a block lies: at the offset that malloc gave. */
export function locate(offset: number): number {
  return offset;
}

/** Keeps a block from moving; true when it will not. */
export function pin(_offset: number): boolean {
  return true;
}

/** Lets a pinned block move again. */
export function unpin(_offset: number): void {}
