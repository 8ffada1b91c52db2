/**
 * NOR flash: erasing sets a sector to 0xFF, programming only clears bits, both take time, and a power loss in the
 * middle leaves what was done until then.
 *
 * Invariant F1: a byte changes from 0 bits to 1 bits only by an erase.
 */
export interface FlashTimes {
  eraseSectorNs: number;
  programPageNs: number;
}

export class FlashMemory {
  readonly bytes: Uint8Array;
  readonly sectorBytes: number;
  readonly pageBytes: number;
  readonly times: FlashTimes;
  /** Operations (a sector erased, a page programmed) that still complete before the supply fails; null: never. */
  #operationsLeft: number | null = null;
  #powerFailed: () => void = () => {};
  #isDown = false;

  constructor(sizeBytes: number, sectorBytes: number, pageBytes: number, times: FlashTimes) {
    this.bytes = new Uint8Array(sizeBytes).fill(0xff);
    this.sectorBytes = sectorBytes;
    this.pageBytes = pageBytes;
    this.times = times;
  }

  /** Lets the supply fail during the operation after `operations` more. */
  failAfter(operations: number, powerFailed: () => void): void {
    this.#operationsLeft = operations;
    this.#powerFailed = powerFailed;
  }

  powerUp(): void {
    this.#isDown = false;
  }

  /** Erases whole sectors. Returns the time it takes; less than all when the supply fails. */
  erase(offset: number, sizeBytes: number): number {
    let tookNs = 0;
    for (let at = offset; at < offset + sizeBytes; at += this.sectorBytes) {
      tookNs += this.times.eraseSectorNs;
      if (this.#supplyFails()) return tookNs;
      this.bytes.fill(0xff, at, at + this.sectorBytes);
    }
    return tookNs;
  }

  /** Programs bytes at any offset, page by page. Returns the time it takes. */
  program(offset: number, data: Uint8Array): number {
    let tookNs = 0;
    for (let done = 0; done < data.length; ) {
      const inPage = this.pageBytes - ((offset + done) % this.pageBytes);
      const part = data.subarray(done, done + inPage);
      tookNs += this.times.programPageNs;
      const fails = this.#supplyFails();
      // What a brown-out leaves of a page is not defined; half of it is a case that both halves can catch.
      const programmed = fails ? part.length >> 1 : part.length;
      for (let i = 0; i < programmed; i++) this.bytes[offset + done + i]! &= part[i]!;
      if (fails) return tookNs;
      done += part.length;
    }
    return tookNs;
  }

  #supplyFails(): boolean {
    if (this.#isDown) return true;
    if (this.#operationsLeft === null) return false;
    if (this.#operationsLeft-- > 0) return false;
    this.#operationsLeft = null;
    this.#isDown = true;
    this.#powerFailed();
    return true;
  }
}
