/**
 * A frame's body, read field by field. Whatever is beyond its end or out of range reads as 0 and makes it `malformed`:
 * who reads looks at that before a value leaves, and not at every byte.
 */

const MAX_VARINT_BYTES = 5;
/** The recorder sends larger or senseless values as this. */
const MOST_AMOUNT = 0x7ffffff;

export class BodyReader {
  /** True when a field was cut off by the frame's end or is out of range. */
  malformed = false;
  #body: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;

  /** Goes to the fields in body[from..end). */
  begin(body: Uint8Array, from: number, end: number): void {
    this.#body = body;
    this.#at = from;
    this.#end = end;
    this.malformed = false;
  }

  hasMore(): boolean {
    return this.#at < this.#end && !this.malformed;
  }

  byte(): number {
    if (this.#at < this.#end) return this.#body[this.#at++]!;
    this.malformed = true;
    return 0;
  }

  u16(): number {
    return this.byte() | (this.byte() << 8);
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    this.malformed = true;
    return 0;
  }

  /** A varint of a record: nothing that a record names is larger. */
  amount(): number {
    const value = this.varint();
    if (value <= MOST_AMOUNT) return value;
    this.malformed = true;
    return 0;
  }

  u32(): number {
    return (this.u16() + this.u16() * 0x10000) >>> 0;
  }
}
