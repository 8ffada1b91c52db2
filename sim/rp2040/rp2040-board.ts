/**
 * A board whose processor executes a real firmware image in rp2040js, behind the line, the faults and the flash of the
 * virtual boards.
 *
 *   host --Line (pace, faults)--> UsbHost --endpoints--> the image's USB stack --> the engine
 *
 * What rp2040js lacks and is made up for here: the flash interface (the ROM's flash functions change a FlashMemory), a
 * USB host that neither polls nor drops, back pressure (a packet that the line has no room for is not acknowledged),
 * inputs that follow no pull-up (GP22 is driven high, so that the stored program runs), and the boot ROM itself.
 *
 * Invariant B1 holds as for virtual boards: the same image, program, seed and stimuli give the same bytes and times.
 */
import type { Board } from '../../boards/board.ts';
import { lineOf } from '../board/create.ts';
import { EventQueue } from '../board/event-queue.ts';
import { type Faults, noFaults } from '../board/faults.ts';
import { FlashMemory } from '../board/flash-memory.ts';
import { pageBytes, programPageNs, sectorBytes } from '../board/kaluma/program-area.ts';
import { Line } from '../board/line.ts';
import type { LineBoard } from '../board/line-board.ts';
import { preload } from '../board/preload.ts';
import { createRandom } from '../board/random.ts';
import { nsPerMs, nsPerUs } from '../board/time.ts';
import { Chip, type Halt, type Rp2040Constructor } from './chip.ts';
import { UsbHost } from './usb-host.ts';

export interface Rp2040BoardParts {
  /** A board with an RP2040. */
  board: Board;
  /** rp2040js's RP2040. */
  create: Rp2040Constructor;
  /** What the flash holds at first (`parseImage`). */
  flash: Uint8Array;
  /** The boot ROM's words (`patchRom`); ours if not given. */
  rom?: Uint32Array;
}

export interface Rp2040BoardOptions {
  seed?: number;
  faults?: Faults;
  /** Levels that the outside drives onto pins. */
  pins?: Readonly<Record<number, 0 | 1>>;
  /** A Kaluma program that is on the flash at the first power-up. */
  program?: string;
}

/** The processor runs this long before the host is looked after again. */
const sliceNs = 100 * nsPerUs;
const defaultErasePageMs = 45;
/** Kaluma runs its stored program unless this pin is low (board.h SCR_LOAD_GPIO); the board pulls it up. */
const loadPin = 22;

export class Rp2040Board implements LineBoard {
  readonly board: Board;
  readonly line: Line;
  readonly flash: FlashMemory;
  readonly seed: number;
  readonly #parts: Rp2040BoardParts;
  readonly #pins: Readonly<Record<number, 0 | 1>>;
  readonly #queue = new EventQueue();
  #chip!: Chip;
  #usb!: UsbHost;
  #nowNs = 0;
  #isPowered = false;
  #restarts = false;
  #powerCycles = 0;
  #portLost: () => void = () => {};

  constructor(parts: Rp2040BoardParts, { seed = 1, faults = noFaults, pins = {}, program }: Rp2040BoardOptions = {}) {
    this.#parts = parts;
    this.board = parts.board;
    this.seed = seed;
    this.#pins = { [loadPin]: 1, ...pins };
    this.flash = createFlash(parts.board);
    this.flash.bytes.set(parts.flash);
    if (program !== undefined) preload(parts.board, this.flash, program);
    this.line = new Line(lineOf(parts.board), this.#queue, createRandom(seed ^ 0x5eed), faults);
    this.line.setBoardEnd((bytes) => this.#usb.send(bytes));
    for (const { atNs, forNs } of faults.unplug) {
      this.#queue.add(atNs, () => this.#cable(false));
      this.#queue.add(atNs + forNs, () => this.#cable(true));
    }
    if (faults.brownOutAfter !== null) {
      this.flash.failAfter(faults.brownOutAfter, () => {
        this.#restarts = true;
      });
    }
    this.#powerUp();
  }

  get nowNs(): number {
    return this.#nowNs;
  }

  /** Cycles that the processor has executed since it was powered up. */
  get cycles(): number {
    return this.#chip.clock.cycles;
  }

  get powerCycles(): number {
    return this.#powerCycles;
  }

  /** Why the processor stands still until a power cycle; null while it runs. */
  get halt(): Halt | null {
    return this.#chip.halt;
  }

  nextEventNs(): number | null {
    const eventNs = this.#queue.nextNs();
    if (!this.#runs()) return eventNs;
    return Math.min(this.#nowNs + sliceNs, eventNs ?? Number.POSITIVE_INFINITY);
  }

  advanceTo(atNs: number): void {
    for (let next = this.nextEventNs(); next !== null && next <= atNs; next = this.nextEventNs()) this.step();
    this.#runChip(atNs);
    this.#nowNs = Math.max(this.#nowNs, atNs);
  }

  step(): boolean {
    const atNs = this.nextEventNs();
    if (atNs === null) return false;
    const eventNs = this.#queue.nextNs();
    this.#runChip(atNs);
    this.#nowNs = Math.max(this.#nowNs, atNs);
    if (eventNs !== null && eventNs <= atNs) this.#queue.take()?.run();
    if (this.#restarts) this.powerCycle();
    return true;
  }

  receive(bytes: Uint8Array): void {
    this.line.hostWrite(bytes, this.#nowNs);
  }

  onTransmit(receiver: (bytes: Uint8Array) => void): void {
    this.line.setHostEnd(receiver);
  }

  onPortLost(portLost: () => void): void {
    this.#portLost = portLost;
  }

  attach(): void {
    this.line.isAttached = true;
    this.#usb.dtr = true;
  }

  detach(): void {
    this.line.isAttached = false;
    this.#usb.dtr = false;
  }

  powerCycle(): void {
    this.#powerDown();
    this.#powerUp();
  }

  #runs(): boolean {
    return this.#isPowered && this.#chip.halt === null;
  }

  #runChip(untilNs: number): void {
    if (this.#runs()) this.#chip.runUntil(untilNs);
  }

  #cable(isIn: boolean): void {
    this.line.isPlugged = isIn;
    if (isIn) this.#powerUp();
    else this.#powerDown();
  }

  #powerDown(): void {
    this.#isPowered = false;
    this.#portLost();
  }

  #powerUp(): void {
    const { board, create, rom } = this.#parts;
    this.#powerCycles++;
    this.#restarts = false;
    this.#isPowered = true;
    this.flash.powerUp();
    this.#chip = new Chip(create, {
      clockHz: board.clockHz,
      startNs: this.#nowNs,
      flash: this.flash,
      ...(rom && { rom }),
      onReset: () => {
        this.#restarts = true;
      },
    });
    for (const [pin, level] of Object.entries(this.#pins)) this.#chip.mcu.gpio[Number(pin)]?.setInputValue(level === 1);
    const usb = new UsbHost(
      this.#chip.mcu.usbCtrl,
      (packet) => this.#transmit(packet),
      () => this.#queue.add(this.#chipNs(), () => this.line.boardTakesAgain(this.#nowNs)),
    );
    usb.dtr = this.line.isAttached;
    this.#usb = usb;
    this.#holdBack(usb);
  }

  #chipNs(): number {
    return Math.max(this.#nowNs, Math.round(this.#chip.nowNs));
  }

  #transmit(packet: Uint8Array): void {
    this.line.boardWrite(packet, this.#chipNs());
  }

  /**
   * rp2040js tells the device at once that a packet has left. Here it is told when what it sent before has passed the
   * line, so that the image feels a host that does not read.
   */
  #holdBack(usb: UsbHost): void {
    const controller = this.#chip.mcu.usbCtrl as unknown as {
      indicateBufferReady(endpoint: number, out: boolean): void;
    };
    const { clock } = this.#chip;
    const tell = controller.indicateBufferReady.bind(controller);
    const alarm = clock.createAlarm(() => tell(usb.inEndpoint, false));
    controller.indicateBufferReady = (endpoint, out) => {
      const waitNs = this.line.boardIdleNs - clock.nanos;
      if (out || endpoint !== usb.inEndpoint || waitNs <= 0) tell(endpoint, out);
      else alarm.schedule(waitNs);
    };
  }
}

function createFlash(board: Board): FlashMemory {
  const { flashBytes, programAreaBytes } = board;
  const sectors = (programAreaBytes ?? 0) / sectorBytes;
  const eraseSectorNs =
    sectors > 0 && board.flash.eraseProgramAreaMs
      ? (board.flash.eraseProgramAreaMs * nsPerMs) / sectors
      : defaultErasePageMs * nsPerMs;
  return new FlashMemory(flashBytes ?? 0, sectorBytes, pageBytes, { eraseSectorNs, programPageNs });
}
