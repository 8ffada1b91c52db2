// What the walkers share: numbers read from the arena's bytes, a fault that says so, and the live blocks still to be met.
import { type HeapModel, ModelFault } from '../support/model.ts';

export interface Raw {
  word(offset: number): number;
  half(offset: number): number;
  byte(offset: number): number;
  expect(truth: boolean, text: string): void;
  /** Takes a live block off the list; the model must have it with this many usable bytes. */
  take(key: number, usable: number): void;
  isLive(key: number): boolean;
  /** Every live block was taken. */
  done(): void;
}

export function rawView(bytes: Uint8Array, model: HeapModel): Raw {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const live = new Map(model.live.map((block) => [block.offset, block.usable]));
  const expect = (truth: boolean, text: string): void => {
    if (!truth) throw new ModelFault(`raw bytes: ${text}`);
  };
  return {
    word: (offset) => view.getUint32(offset, true),
    half: (offset) => view.getUint16(offset, true),
    byte: (offset) => view.getUint8(offset),
    expect,
    take(key, usable) {
      expect(live.get(key) === usable, `${key} holds ${usable}, the program has ${live.get(key)}`);
      live.delete(key);
    },
    isLive: (key) => live.has(key),
    done: () => expect(live.size === 0, `live blocks ${[...live.keys()].slice(0, 5)} are missing`),
  };
}
