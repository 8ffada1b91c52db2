/**
 * What a core sees of memory: regions of bytes at addresses. An access outside every region, one that is not aligned to
 * its size, or a store to read-only memory is a Fault with the address and the instruction that did it.
 */

export interface Region {
  readonly name: string;
  readonly base: number;
  /** At a multiple of 4 in its buffer, a multiple of 4 long. */
  readonly bytes: Uint8Array;
  readonly writable: boolean;
  /** Cycles that each fetch of a word and each load adds: flash without a cache. */
  readonly waitStates?: number;
}

export type FaultKind =
  | 'unaligned'
  | 'unmapped'
  | 'readOnly'
  | 'undefined'
  | 'state'
  | 'breakpoint'
  | 'supervisorCall'
  | 'endless'
  | 'convention';

const kindTexts: Record<FaultKind, string> = {
  unaligned: 'unaligned access to',
  unmapped: 'access outside memory at',
  readOnly: 'store to read-only memory at',
  undefined: 'undefined instruction at',
  state: 'branch to ARM state at',
  breakpoint: 'BKPT at',
  supervisorCall: 'SVC at',
  endless: 'still no return, at',
  convention: 'r4 to r11 or sp not kept by the routine at',
};

export class Fault extends Error {
  readonly kind: FaultKind;
  /** The address that was accessed, or of the instruction where that is the cause. */
  readonly address: number;
  /** The instruction. Filled in by the core when memory raised the fault. */
  pc: number;

  constructor(kind: FaultKind, address: number, pc = 0) {
    super(`${kindTexts[kind]} 0x${(address >>> 0).toString(16).padStart(8, '0')}`);
    this.name = 'Fault';
    this.kind = kind;
    this.address = address >>> 0;
    this.pc = pc;
  }
}

/** A region with views of each width. */
export class Window {
  readonly region: Region;
  readonly base: number;
  readonly size: number;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;

  constructor(region: Region) {
    const { bytes } = region;
    if (bytes.byteOffset % 4 !== 0 || bytes.length % 4 !== 0 || region.base % 4 !== 0) {
      throw new Error(`region ${region.name} is not made of whole words`);
    }
    this.region = region;
    this.base = region.base >>> 0;
    this.size = bytes.length;
    this.u8 = bytes;
    this.u16 = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1);
    this.i32 = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  }
}

export class Memory {
  readonly windows: readonly Window[];
  /** Where most loads and stores go; tried first. */
  readonly main: Window;

  constructor(regions: readonly Region[]) {
    this.windows = regions.map((region) => new Window(region));
    this.main = this.windows.find(({ region }) => region.writable) ?? this.windows[0]!;
  }

  find(address: number): Window | null {
    const { main } = this;
    if ((address - main.base) >>> 0 < main.size) return main;
    for (const window of this.windows) if ((address - window.base) >>> 0 < window.size) return window;
    return null;
  }

  /** The window of an access of `width` bytes. */
  private at(address: number, width: number): Window {
    if ((address & (width - 1)) !== 0) throw new Fault('unaligned', address);
    const window = this.find(address);
    if (!window) throw new Fault('unmapped', address);
    return window;
  }

  private writableAt(address: number, width: number): Window {
    const window = this.at(address, width);
    if (!window.region.writable) throw new Fault('readOnly', address);
    return window;
  }

  load32(address: number): number {
    const { base, i32 } = this.at(address, 4);
    return i32[(address - base) >>> 2]!;
  }

  load16(address: number): number {
    const { base, u16 } = this.at(address, 2);
    return u16[(address - base) >>> 1]!;
  }

  load8(address: number): number {
    const { base, u8 } = this.at(address, 1);
    return u8[(address - base) >>> 0]!;
  }

  store32(address: number, value: number): void {
    const { base, i32 } = this.writableAt(address, 4);
    i32[(address - base) >>> 2] = value;
  }

  store16(address: number, value: number): void {
    const { base, u16 } = this.writableAt(address, 2);
    u16[(address - base) >>> 1] = value;
  }

  store8(address: number, value: number): void {
    const { base, u8 } = this.writableAt(address, 1);
    u8[(address - base) >>> 0] = value;
  }
}
