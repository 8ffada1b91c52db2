/**
 * An RP2040 in rp2040js that runs an image from its flash: our clock, the boot ROM's functions on the host, and the
 * cycles that rp2040js leaves out.
 *
 * It starts at the image's vector table: the ROM's own boot and the second stage only set up the flash interface, which
 * rp2040js does not model. There is one core.
 *
 * References: RP2040 datasheet; wokwi/rp2040js 1.4.1. Cycles: Arm Cortex-M0+ TRM r0p1, table 3-1, PUSH and POP take
 * 1 + N and 3 + N cycles with LR and PC among the N; rp2040js counts neither of the two.
 */
import type { RP2040 } from 'rp2040js';
import type { FlashMemory } from '../board/flash-memory.ts';
import {
  buildRom,
  doubleStubs,
  floatStubs,
  lookUp,
  lookUpStub,
  type RomFunctionName,
  romBytes,
  romFunctionNames,
} from './boot-rom.ts';
import { CycleClock } from './clock.ts';
import { doubleFunctions, floatFunctions } from './float-functions.ts';
import { flashBase, ramBase, vectorTableOffset } from './image.ts';
import { doubleCycles, floatCycles, memoryCycles, wordCycles } from './rom-cycles.ts';

export type Rp2040Constructor = typeof RP2040;

export interface ChipOptions {
  clockHz: number;
  /** The time at power-up. */
  startNs: number;
  flash: FlashMemory;
  /** The ROM's words; ours if not given. */
  rom?: Uint32Array;
  /** Called when the image asks to leave for the boot loader's USB drive. */
  onBootLoader?: () => void;
  onReset?: () => void;
}

const pushLinkOrPopCounter = 0xb5;
const popCounter = 0xbd;

/** Why a processor stands still for good. */
export type Halt = 'breakpoint' | 'bootLoader' | 'reset';

export class Chip {
  readonly mcu: RP2040;
  readonly clock: CycleClock;
  readonly #flash: FlashMemory;
  readonly #flashHalfWords: Uint16Array;
  readonly #ramHalfWords: Uint16Array;
  #halt: Halt | null = null;

  constructor(create: Rp2040Constructor, { clockHz, startNs, flash, rom = buildRom(), ...told }: ChipOptions) {
    this.clock = new CycleClock(clockHz, startNs);
    this.#flash = flash;
    this.mcu = new create(this.clock);
    const { mcu } = this;
    const silent = (): void => {};
    mcu.logger = { debug: silent, info: silent, warn: silent, error: silent };
    mcu.bootrom.set(rom);
    mcu.flash.set(flash.bytes);
    this.#flashHalfWords = new Uint16Array(mcu.flash.buffer, mcu.flash.byteOffset, mcu.flash.length / 2);
    this.#ramHalfWords = new Uint16Array(mcu.sram.buffer, mcu.sram.byteOffset, mcu.sram.length / 2);
    mcu.onBreak = (code) => this.#break(code);
    const watchdog = mcu.peripherals[0x40058] as unknown as { onWatchdogTrigger?: () => void };
    watchdog.onWatchdogTrigger = () => {
      this.#stop('reset');
      told.onReset?.();
    };
    this.#onBootLoader = told.onBootLoader ?? silent;
    const { core } = mcu;
    core.VTOR = flashBase + vectorTableOffset;
    core.SP = mcu.readUint32(core.VTOR);
    core.PC = mcu.readUint32(core.VTOR + 4) & ~1;
  }

  readonly #onBootLoader: () => void;

  get halt(): Halt | null {
    return this.#halt;
  }

  get nowNs(): number {
    return this.clock.nanos;
  }

  /** Executes until `untilNs`, sleep and alarms included. Stands earlier when the processor halts. */
  runUntil(untilNs: number): void {
    const { clock, mcu } = this;
    const { core } = mcu;
    while (this.#halt === null && clock.nanos < untilNs) {
      clock.aim(untilNs);
      if (core.waiting) clock.idleUntil(Math.min(untilNs, clock.nextAlarmNs()));
      else this.#execute();
      clock.ring();
    }
  }

  #stop(halt: Halt): void {
    this.#halt = halt;
    this.clock.dueCycles = 0;
  }

  #execute(): void {
    const { clock, mcu } = this;
    const { core } = mcu;
    const { registers } = core;
    const flash = this.#flashHalfWords;
    const ram = this.#ramHalfWords;
    do {
      const pc = registers[15]!;
      const high =
        pc >= ramBase ? ram[(pc - ramBase) >> 1]! >> 8 : pc >= flashBase ? flash[(pc - flashBase) >> 1]! >> 8 : 0;
      clock.cycles += core.executeInstruction();
      if (high === pushLinkOrPopCounter || high === popCounter) clock.cycles++;
    } while (clock.cycles < clock.dueCycles && !core.waiting);
  }

  #break(code: number): void {
    if (this.mcu.core.PC > romBytes) {
      // Without a debugger a breakpoint is a hard fault, and a breakpoint in its handler locks the processor up.
      this.#stop('breakpoint');
      return;
    }
    const { clock } = this;
    const { registers } = this.mcu.core;
    if (code === lookUpStub) {
      registers[0] = lookUp((address) => this.mcu.readUint16(address), registers[0]!, registers[1]!);
    } else if (code >= doubleStubs) {
      doubleFunctions[code - doubleStubs]!(registers);
      clock.cycles += doubleCycles[code - doubleStubs]!;
    } else if (code >= floatStubs) {
      floatFunctions[code - floatStubs]!(registers);
      clock.cycles += floatCycles[code - floatStubs]!;
    } else this.#call(romFunctionNames[code]!);
  }

  #call(name: RomFunctionName): void {
    const { clock, mcu } = this;
    const { registers } = mcu.core;
    const [a, b, c] = registers as unknown as [number, number, number];
    switch (name) {
      case 'P3':
        registers[0] = populationOf(a);
        break;
      case 'R3':
        registers[0] = reversed(a);
        break;
      case 'L3':
        registers[0] = Math.clz32(a);
        break;
      case 'T3':
        registers[0] = a === 0 ? 32 : 31 - Math.clz32(a & -a);
        break;
      case 'MS':
      case 'S4':
        this.#fill(a, b & 0xff, c);
        break;
      case 'MC':
      case 'C4':
        this.#copy(a, b, c);
        break;
      case 'RE':
        this.#changeFlash(a, b, () => this.#flash.erase(a, b));
        break;
      case 'RP':
        this.#changeFlash(a, c, () => this.#flash.program(a, this.#bytesAt(b, c)));
        break;
      case 'UB':
        this.#stop('bootLoader');
        this.#onBootLoader();
        return;
      // The flash is connected, left and entered at once: nothing is behind its interface.
      case 'IF':
      case 'EX':
      case 'FC':
      case 'CX':
        return;
    }
    if (name === 'MS' || name === 'S4' || name === 'MC' || name === 'C4') clock.cycles += memoryCycles(name, a, b, c);
    else if (name in wordCycles) clock.cycles += wordCycles[name as keyof typeof wordCycles];
  }

  /** Erases or programs, shows the chip what the flash holds now, and lets the time pass. */
  #changeFlash(offset: number, sizeBytes: number, change: () => number): void {
    const end = Math.min(offset + sizeBytes, this.#flash.bytes.length);
    if (offset >= end) return;
    const tookNs = change();
    this.mcu.flash.set(this.#flash.bytes.subarray(offset, end), offset);
    this.clock.idleUntil(this.clock.nanos + tookNs);
    this.clock.dueCycles = 0;
  }

  #bytesAt(address: number, sizeBytes: number): Uint8Array {
    const bytes = new Uint8Array(sizeBytes);
    for (let i = 0; i < sizeBytes; i++) bytes[i] = this.mcu.readUint8(address + i);
    return bytes;
  }

  #fill(address: number, value: number, sizeBytes: number): void {
    const offset = address - ramBase;
    const { sram } = this.mcu;
    if (offset >= 0 && offset + sizeBytes <= sram.length) sram.fill(value, offset, offset + sizeBytes);
    else for (let i = 0; i < sizeBytes; i++) this.mcu.writeUint8(address + i, value);
  }

  #copy(to: number, from: number, sizeBytes: number): void {
    for (let i = 0; i < sizeBytes; i++) this.mcu.writeUint8(to + i, this.mcu.readUint8(from + i));
  }
}

function populationOf(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}

function reversed(word: number): number {
  let result = 0;
  for (let bit = 0; bit < 32; bit++) result = (result << 1) | ((word >>> bit) & 1);
  return result >>> 0;
}
