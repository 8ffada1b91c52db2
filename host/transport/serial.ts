/**
 * A serial port of this machine: any path (enumerated or not, ptys too), or COMn.
 *
 * Invariants
 *   S1  at most 256 bytes are handed to the driver at a time, and it has sent them before the next ones go: larger
 *       writes are where serialport 13 stalls, and what is queued cannot be stopped by an XOFF.
 *   S2  a line that takes nothing for `stallMs` is reported as lost, never waited for without end.
 *   S3  1200 baud is refused: opening at it reboots RP2040 boards into their boot loader.
 *   S4  modem lines are optional: a pty has none (ENOTTY), and works all the same.
 *
 * The stream class of serialport is not used: its read-ahead and `_writev` join small writes into large ones. The
 * binding below it does reads and writes one at a time, which is all that is needed. References: poller.ts for the
 * mended defects; docs/flashing.md, "The serial layer".
 */
import { realpath } from 'node:fs/promises';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { mendPoller, type Poller, rearm } from './poller.ts';
import { lineLost, openProblem } from './problems.ts';
import type { Transport } from './transport.ts';
import { wallClock } from './wall-clock.ts';

/** What is used of a serialport binding, and of a port that it opened. */
export interface SerialBinding {
  list(): Promise<PortInfo[]>;
  open(options: { path: string; baudRate: number; hupcl: boolean; lock: boolean }): Promise<SerialHandle>;
}

export interface SerialHandle {
  read(buffer: Buffer, offset: number, length: number): Promise<{ bytesRead: number }>;
  write(buffer: Buffer): Promise<void>;
  drain(): Promise<void>;
  set(signals: { dtr?: boolean; rts?: boolean }): Promise<void>;
  close(): Promise<void>;
}

/** A port as the system enumerates it; ids are hexadecimal without a prefix. */
export interface PortInfo {
  path: string;
  manufacturer?: string | undefined;
  serialNumber?: string | undefined;
  vendorId?: string | undefined;
  productId?: string | undefined;
}

export interface SerialOptions {
  baud?: number;
  /** Milliseconds that a write may take before the line counts as lost. */
  stallMs?: number;
  /** Another binding than the platform's: serialport's mock, in tests. */
  binding?: SerialBinding;
}

export const defaultBaud = 115_200;
const windowBytes = 256;
const defaultStallMs = 10_000;
/** How often a waiting port is asked for its events again: what another defect of the kind would cost at most. */
const rearmEveryMs = 250;
const readBytes = 4_096;

export async function openSerial(path: string, options: SerialOptions = {}): Promise<Transport> {
  const baud = options.baud ?? defaultBaud;
  if (baud === 1200) {
    throw new Problem(
      exitCodes.usage,
      'a board is not opened at 1200 baud',
      ['RP2040 and RP2350 boards take that rate as the order to reboot into their boot loader'],
      'Use 115200 (USB consoles ignore the rate), or the rate of the UART.',
    );
  }
  const binding = options.binding ?? (await platformBinding());
  try {
    const port = await binding.open({ path: await openable(path), baudRate: baud, hupcl: false, lock: true });
    const transport = new SerialTransport(path, port, options.stallMs ?? defaultStallMs);
    // A CDC board sends only while DTR is raised.
    await transport.setSignals({ dtr: true, rts: true });
    return transport;
  } catch (error) {
    throw openProblem(path, error);
  }
}

/** serialport is loaded only when a serial port is opened: it is native code, and most commands need none. */
export async function platformBinding(): Promise<SerialBinding> {
  try {
    const { SerialPort } = await import('serialport');
    return SerialPort.binding as unknown as SerialBinding;
  } catch (error) {
    throw new Problem(
      exitCodes.missing,
      'serial ports cannot be used on this machine',
      [(error as Error).message.split('\n')[0]!],
      'The package serialport has no build for it. A serial server works: socat TCP-LISTEN:4000,reuseaddr /dev/ttyACM0,raw,echo=0 and --port tcp://HOST:4000',
    );
  }
}

/** Symbolic links (/dev/serial/by-id/...) are followed: the lock is on the device, whatever name it was opened by. */
async function openable(path: string): Promise<string> {
  if (!path.startsWith('/')) return path;
  return realpath(path).catch(() => path);
}

class SerialTransport implements Transport {
  readonly name: string;
  readonly clock = wallClock;
  readonly #port: SerialHandle;
  readonly #poller: Poller | null;
  readonly #stallMs: number;
  readonly #rearming: NodeJS.Timeout;
  #receiver: (bytes: Uint8Array) => void = () => {};
  #closed: (reason: string) => void = () => {};
  #lostBecause: string | null = null;
  #rejectWrite: (error: Problem) => void = () => {};
  #writes: Promise<void> = Promise.resolve();

  constructor(name: string, port: SerialHandle, stallMs: number) {
    this.name = name;
    this.#port = port;
    this.#stallMs = stallMs;
    this.#poller = mendPoller(port);
    this.#rearming = setInterval(() => this.#poller && rearm(this.#poller), rearmEveryMs);
    void this.#readOn();
  }

  write(bytes: Uint8Array): Promise<void> {
    const written = this.#writes.then(() => this.#writeAll(bytes));
    this.#writes = written.catch(() => {});
    return written;
  }

  onData(receiver: (bytes: Uint8Array) => void): void {
    this.#receiver = receiver;
  }

  onClose(receiver: (reason: string) => void): void {
    this.#closed = receiver;
  }

  async setSignals(signals: { dtr?: boolean; rts?: boolean }): Promise<void> {
    // S4. A real port that lost its device fails here too; its next read says so.
    await this.#port.set({ dtr: true, rts: true, ...signals }).catch(() => {});
  }

  async close(): Promise<void> {
    if (this.#lostBecause === null) await this.#shut('it was closed');
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += windowBytes) {
      if (this.#lostBecause !== null) throw lineLost(this.name, this.#lostBecause);
      await this.#writeWindow(Buffer.from(bytes.subarray(at, at + windowBytes)));
    }
  }

  /** Writes and drains; the watchdog of S2 ends the wait, because neither call has a time-out of its own. */
  #writeWindow(window: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#rejectWrite = reject;
      const watchdog = setTimeout(
        () => this.#lose(`the line took nothing for ${this.#stallMs / 1000} s (the other end does not read)`),
        this.#stallMs,
      );
      this.#port
        .write(window)
        .then(() => this.#port.drain())
        .then(resolve, (error: Error) => this.#lose(error.message))
        .finally(() => clearTimeout(watchdog));
    });
  }

  async #readOn(): Promise<void> {
    while (this.#lostBecause === null) {
      // A new one each time: receivers may keep what they were given.
      const buffer = Buffer.alloc(readBytes);
      try {
        const { bytesRead } = await this.#port.read(buffer, 0, readBytes);
        if (bytesRead > 0 && this.#lostBecause === null) this.#receiver(buffer.subarray(0, bytesRead));
      } catch (error) {
        if (!(error as { canceled?: boolean }).canceled) this.#lose((error as Error).message);
        return;
      }
    }
  }

  #lose(reason: string): void {
    if (this.#lostBecause !== null) return;
    void this.#shut(reason);
    this.#rejectWrite(lineLost(this.name, reason));
    this.#closed(reason);
  }

  async #shut(reason: string): Promise<void> {
    this.#lostBecause = reason;
    clearInterval(this.#rearming);
    this.#rejectWrite(lineLost(this.name, reason));
    await this.#port.close().catch(() => {});
  }
}
