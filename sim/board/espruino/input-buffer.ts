/**
 * Espruino's input ring: events of up to 64 characters with two bytes before each, filled by the interrupt.
 *
 *   | length | device | characters ... | length | device | characters ... |        free: what is left less 4
 *
 * With software flow control (Bluetooth, and the ESP32's UART) XOFF goes out when it is fuller than one mark and XON
 * when it is emptier than another. Without, a UART's characters are lost when it is full (FIFO_FULL), and USB holds the
 * host back. Source: espruino/Espruino@c5ff787b1 src/jsdevices.c (jshPushIOCharEvents, jshPushEvent,
 * jshSetFlowControlXON, jshInitDevices), targets/esp32/jshardwareUart.c.
 */
import type { Machine } from '../machine.ts';

const eventBytes = 64;
const headerBytes = 2;
const spareBytes = 4;
const xon = 0x11;
const xoff = 0x13;

export class InputBuffer {
  readonly #machine: Machine;
  readonly totalBytes: number;
  #events: number[][] = [];
  #isXoffSent = false;
  #hasRefused = false;
  usesFlowControl: boolean;
  hasOverflowed = false;

  constructor(machine: Machine) {
    this.#machine = machine;
    const { console, id } = machine.board;
    this.totalBytes = console.inputBufferBytes;
    this.usesFlowControl = console.kind === 'ble' || id === 'esp32';
  }

  get usedBytes(): number {
    return this.#events.reduce((used, event) => used + event.length + headerBytes, 0);
  }

  /** The interrupt: how many of the bytes were taken. */
  push(bytes: Uint8Array): number {
    const { kind } = this.#machine.board.console;
    if (kind === 'usb' && this.#freeBytes <= bytes.length + headerBytes) {
      this.#hasRefused = true;
      return 0;
    }
    for (const byte of bytes) this.#pushByte(byte);
    const { xoffAtBytes } = this.#machine.board.console;
    if (this.usesFlowControl && !this.#isXoffSent && xoffAtBytes !== null && this.usedBytes > xoffAtBytes) {
      this.#isXoffSent = true;
      this.#machine.transmitUrgently(Uint8Array.of(xoff));
    }
    return bytes.length;
  }

  /** The next event's characters; null when there is none. */
  pop(): number[] | null {
    return this.#events.shift() ?? null;
  }

  get eventCount(): number {
    return this.#events.length;
  }

  /** Once a turn of the loop: lets the sender go on. */
  release(): void {
    const { xonAtBytes } = this.#machine.board.console;
    if (this.#isXoffSent && xonAtBytes !== null && this.usedBytes < xonAtBytes) {
      this.#isXoffSent = false;
      this.#machine.transmitUrgently(Uint8Array.of(xon));
    }
    if (this.#hasRefused) {
      this.#hasRefused = false;
      this.#machine.takesInputAgain();
    }
  }

  get #freeBytes(): number {
    return this.totalBytes - this.usedBytes - spareBytes;
  }

  #pushByte(byte: number): void {
    const last = this.#events.at(-1);
    // The event that is read next is left alone.
    if (last && this.#events.length > 1 && last.length + 1 < eventBytes && this.#freeBytes > 0) last.push(byte);
    else if (this.#freeBytes >= 1 + headerBytes) this.#events.push([byte]);
    else this.hasOverflowed = true;
  }
}
