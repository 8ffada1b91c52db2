/**
 * The line as a flasher uses it: bytes that were received wait in a queue until somebody asks; every wait has a
 * time-out on the transport's clock; a lost line ends every wait. Imports no Node.
 *
 * Invariants
 *   L1  between XOFF and XON nothing is sent. An XON that never comes (boards lose it at a reset) is taken as given
 *       after `xonWithinMs`.
 *   L2  with a known line rate, never more than `aheadBytes` are ahead of the line: an XOFF finds no more on its way
 *       than the board has room for behind its mark, with what a host sends on until it has read it (open.ts, pacing).
 *   L3  whatever was not taken by the flasher goes to the next user of the transport (`release`).
 */
import { lineLost } from '../transport/problems.ts';
import type { Clock, Transport } from '../transport/transport.ts';
import { throwIfAborted } from './flasher.ts';

const XON = 0x11;
const XOFF = 0x13;
const xonWithinMs = 5_000;
/** Less would leave the line idle whenever the host is some milliseconds late. */
export const leastAheadBytes = 32;
/** What the serial layer hands to a driver at a time. */
export const mostAheadBytes = 256;

export class Link {
  readonly clock: Clock;
  readonly name: string;
  /** Takes XON and XOFF out of what is received and obeys them. Off while binary data comes in. */
  flowControl = false;
  /** What the line carries to the board, where it is a UART; null elsewhere. */
  bytesPerSecond: number | null = null;
  /** L2. More lets the host be late without the line falling idle. */
  aheadBytes = 2 * leastAheadBytes;
  /**
   * While this is set, Ctrl-C ends every wait; `facts` say what the board holds then. At other times a flasher stops only
   * where it is safe.
   */
  interruption: { signal: AbortSignal; facts: readonly string[] } | null = null;
  readonly #transport: Transport;
  #pending: number[] = [];
  #isStopped = false;
  #stoppedAtMs = 0;
  /** When the line will have carried all that was written. */
  #lineFreeAtMs = 0;
  #lostBecause: string | null = null;
  #wake: () => void = () => {};

  constructor(transport: Transport) {
    this.#transport = transport;
    this.clock = transport.clock;
    this.name = transport.name;
    transport.onData((bytes) => this.#receive(bytes));
    transport.onClose((reason) => {
      this.#lostBecause = reason;
      this.#wake();
    });
  }

  get isLost(): boolean {
    return this.#lostBecause !== null;
  }

  async write(data: Uint8Array | string): Promise<void> {
    const bytes = typeof data === 'string' ? latin1(data) : data;
    // One slice is on the line while the next one waits behind it.
    const step = this.flowControl || this.bytesPerSecond !== null ? this.aheadBytes >> 1 : bytes.length;
    for (let at = 0; at < bytes.length; at += step) {
      const slice = bytes.subarray(at, at + step);
      if (this.bytesPerSecond !== null) await this.#untilLineHasRoom(this.bytesPerSecond);
      // Last: an XOFF may have come while the line was waited for.
      await this.#untilXon();
      if (this.bytesPerSecond !== null) this.#countOnLine(slice.length, this.bytesPerSecond);
      await this.#transport.write(slice);
    }
  }

  /** The next byte, or null after `timeoutMs` without one. */
  async readByte(timeoutMs: number): Promise<number | null> {
    if (this.#pending.length === 0) await this.#waitForBytes(this.clock.nowMs() + timeoutMs);
    return this.#pending.shift() ?? null;
  }

  /** All that has come, at least one byte; empty after `timeoutMs` without any. */
  async readSome(timeoutMs: number): Promise<Uint8Array> {
    return this.readSomeUntil(this.clock.nowMs() + timeoutMs);
  }

  /** The same, with a limit on the link's clock. */
  async readSomeUntil(endMs: number): Promise<Uint8Array> {
    if (this.#pending.length === 0) await this.#waitForBytes(endMs);
    return this.takeAll();
  }

  /** All that has come and was not taken. */
  takeAll(): Uint8Array {
    const bytes = Uint8Array.from(this.#pending);
    this.#pending = [];
    return bytes;
  }

  /** Takes what comes until `quietMs` pass without a byte, or `atMostMs` in all. */
  async takeUntilQuiet(quietMs: number, atMostMs: number): Promise<Uint8Array> {
    const endMs = this.clock.nowMs() + atMostMs;
    const bytes: number[] = [];
    for (;;) {
      const byte = await this.readByte(Math.min(quietMs, endMs - this.clock.nowMs()));
      if (byte === null) return Uint8Array.from(bytes);
      bytes.push(byte);
      if (this.clock.nowMs() >= endMs) return Uint8Array.from(bytes);
    }
  }

  /**
   * Takes bytes until `found` returns something for the text so far (one character a byte); null after `timeoutMs`
   * without it. The text that was taken is in `text` either way.
   */
  async readUntil<T>(found: (text: string) => T | null, timeoutMs: number): Promise<{ value: T | null; text: string }> {
    const endMs = this.clock.nowMs() + timeoutMs;
    let text = '';
    for (;;) {
      const chunk = this.#pending;
      this.#pending = [];
      if (chunk.length > 0) {
        text += fromLatin1(chunk);
        const value = found(text);
        if (value !== null) return { value, text };
      }
      if (this.clock.nowMs() >= endMs) return { value: null, text };
      await this.#waitForBytes(endMs);
    }
  }

  /** Gives the transport to its next user; returns what had come and was not taken (L3). */
  release(): Uint8Array {
    this.#transport.onData(() => {});
    this.#transport.onClose(() => {});
    return this.takeAll();
  }

  #receive(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.flowControl && (byte === XON || byte === XOFF)) {
        this.#isStopped = byte === XOFF;
        this.#stoppedAtMs = this.clock.nowMs();
      } else {
        this.#pending.push(byte);
      }
    }
    this.#wake();
  }

  async #untilXon(): Promise<void> {
    if (this.#lostBecause !== null) throw lineLost(this.name, this.#lostBecause);
    while (this.#isStopped && this.clock.nowMs() < this.#stoppedAtMs + xonWithinMs) {
      await this.#waitForWake(this.#stoppedAtMs + xonWithinMs);
    }
    this.#isStopped = false;
  }

  /** L2: waits until what was written before has left but for one slice. */
  async #untilLineHasRoom(bytesPerSecond: number): Promise<void> {
    const sliceMs = ((this.aheadBytes >> 1) * 1000) / bytesPerSecond;
    const earlyMs = this.#lineFreeAtMs - this.clock.nowMs() - sliceMs;
    if (earlyMs > 0) await this.clock.sleep(earlyMs);
  }

  #countOnLine(byteCount: number, bytesPerSecond: number): void {
    this.#lineFreeAtMs = Math.max(this.#lineFreeAtMs, this.clock.nowMs()) + (byteCount * 1000) / bytesPerSecond;
  }

  async #waitForBytes(untilMs: number): Promise<void> {
    while (this.#pending.length === 0 && this.clock.nowMs() < untilMs) await this.#waitForWake(untilMs);
  }

  async #waitForWake(untilMs: number): Promise<void> {
    this.#checkUsable();
    const timeout = new AbortController();
    const { signal } = this.interruption ?? {};
    const wake = () => this.#wake();
    signal?.addEventListener('abort', wake);
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    // Never less than a microsecond: a remainder that a clock rounds to nothing would not let its time pass.
    const leftMs = Math.max(0.001, untilMs - this.clock.nowMs());
    await Promise.race([woken, this.clock.sleep(leftMs, timeout.signal)]);
    timeout.abort();
    signal?.removeEventListener('abort', wake);
    this.#checkUsable();
  }

  #checkUsable(): void {
    if (this.interruption) throwIfAborted(this.interruption.signal, this.interruption.facts);
    if (this.#lostBecause !== null) throw lineLost(this.name, this.#lostBecause);
  }
}

/** One byte a character: for commands, and for text whose bytes matter. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function fromLatin1(bytes: ArrayLike<number>): string {
  let text = '';
  for (let at = 0; at < bytes.length; at++) text += String.fromCharCode(bytes[at]!);
  return text;
}

/** Text as a person reads it: without escape sequences and carriage returns. */
export function plainText(text: string): string {
  return text.replace(/\x1b(?:\[[0-9;]*[A-Za-z]|[78])/g, '').replace(/\r/g, '');
}

/** What was printed before the first telemetry frame, which begins with a NUL. */
export function textBeforeFrames(text: string): string {
  return plainText(text.split('\0', 1)[0]!);
}
