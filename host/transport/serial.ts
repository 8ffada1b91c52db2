/**
 * A serial port of this machine: any path (enumerated or not, ptys too), or COMn.
 *
 * Invariants
 *   S1  never more than 256 bytes are with the driver: larger writes are where serialport 13 stalls, and what is
 *       queued cannot be stopped by an XOFF.
 *   S2  a line that takes nothing for `stallMs` is opened again in place, once until something is received: what waits
 *       goes on, and the session with it. What the driver took and did not send may be lost, as on any bad line; nothing
 *       is sent twice. A line that stalls again is reported as lost, never waited for without end.
 *   S3  1200 baud is refused: opening at it reboots RP2040 boards into their boot loader.
 *   S4  modem lines are optional: a pty has none (ENOTTY), and works all the same.
 *
 * The stream class of serialport is not used: its read-ahead and `_writev` join small writes into large ones.
 * References: poller.ts for the mended defects, port-io.ts for reads and writes; docs/flashing.md, "The serial layer".
 */
import { realpath, stat } from 'node:fs/promises';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { mendPoller } from './poller.ts';
import { type PortIo, portIo, type SerialHandle } from './port-io.ts';
import { lineLost, lostReason, openProblem, portUnusable } from './problems.ts';
import type { Transport } from './transport.ts';
import { wallClock } from './wall-clock.ts';

/** What is used of a serialport binding, and of a port that it opened. */
export interface SerialBinding {
  list(): Promise<PortInfo[]>;
  open(options: { path: string; baudRate: number; hupcl: boolean; lock: boolean }): Promise<SerialHandle>;
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
  /** Milliseconds that a write may take before the port is opened again, and then before the line counts as lost. */
  stallMs?: number;
  /** How often a waiting port is looked at for events that were lost (P1); 0 never. */
  lookEveryMs?: number;
  /** Another binding than the platform's: serialport's mock, in tests. */
  binding?: SerialBinding;
}

export const defaultBaud = 115_200;
const windowBytes = 256;
const defaultStallMs = 5_000;
/** What another defect of the poller would cost at most. */
const defaultLookEveryMs = 250;

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
  const open = async () => binding.open({ path: await openable(path), baudRate: baud, hupcl: false, lock: true });
  try {
    const transport = new SerialTransport(path, open, await open(), options);
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
  if (!/^\.?\//.test(path)) return path;
  const real = await realpath(path).catch(() => path);
  const found = await stat(real).catch(() => null);
  if (found && !found.isCharacterDevice())
    throw portUnusable(path, `it is a ${found.isDirectory() ? 'folder' : 'file'}, not a serial device`);
  return real;
}

class SerialTransport implements Transport {
  readonly name: string;
  readonly clock = wallClock;
  readonly #open: () => Promise<SerialHandle>;
  readonly #stallMs: number;
  readonly #looking: NodeJS.Timeout | undefined;
  #port: SerialHandle;
  #io: PortIo;
  #signals = { dtr: true, rts: true };
  #receiver: (bytes: Uint8Array) => void = () => {};
  #closed: (reason: string) => void = () => {};
  #lostBecause: string | null = null;
  #rejectWrite: (error: Problem) => void = () => {};
  #writes: Promise<void> = Promise.resolve();
  /** Bytes that the driver took and that it was not yet seen to have sent (S1). */
  #undrainedBytes = 0;
  /** Opened again because it stalled, and nothing was received since. */
  #isReopened = false;

  constructor(name: string, open: () => Promise<SerialHandle>, port: SerialHandle, options: SerialOptions) {
    const { stallMs = defaultStallMs, lookEveryMs = defaultLookEveryMs } = options;
    this.name = name;
    this.#open = open;
    this.#stallMs = stallMs;
    this.#port = port;
    this.#io = this.#startIo(port);
    if (lookEveryMs > 0) this.#looking = setInterval(() => this.#io.look(), lookEveryMs);
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
    this.#signals = { ...this.#signals, ...signals };
    // S4. A real port that lost its device fails here too; its next read says so.
    await this.#port.set(this.#signals).catch(() => {});
  }

  async close(): Promise<void> {
    if (this.#lostBecause === null) await this.#shut('it was closed');
  }

  #startIo(port: SerialHandle): PortIo {
    const io = portIo(port, mendPoller(port));
    // What an older descriptor still says is not about this line.
    const isCurrent = () => this.#port === port && this.#lostBecause === null;
    io.start(
      (bytes) => {
        if (!isCurrent()) return;
        this.#isReopened = false;
        this.#receiver(bytes);
      },
      (reason) => {
        if (isCurrent()) this.#lose(reason);
      },
    );
    return io;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      if (this.#undrainedBytes >= windowBytes) await this.#drain();
      const window = bytes.subarray(at, at + windowBytes - this.#undrainedBytes);
      await this.#writeWindow(window);
      at += window.length;
    }
  }

  #writeWindow(window: Uint8Array): Promise<void> {
    let takenBytes = 0;
    return this.#guarded(
      () =>
        this.#io.write(window.subarray(takenBytes), (byteCount) => {
          takenBytes += byteCount;
          this.#undrainedBytes += byteCount;
        }),
      () => takenBytes,
    );
  }

  async #drain(): Promise<void> {
    await this.#guarded(
      () => this.#port.drain(),
      () => 0,
    );
    this.#undrainedBytes = 0;
  }

  /**
   * S2: runs a step of a write, which has no time-out of its own. When it makes no progress for `stallMs` the port is
   * opened again in place and the step goes on with the new descriptor.
   */
  async #guarded(step: () => Promise<void>, progress: () => number): Promise<void> {
    for (;;) {
      if (this.#lostBecause !== null) throw lineLost(this.name, this.#lostBecause);
      if (await this.#finishes(step, progress)) return;
      if (this.#isReopened) {
        const seconds = this.#stallMs / 1000;
        this.#lose(
          `the line took nothing for ${seconds} s, and again after it was reopened (the other end does not read)`,
        );
      } else {
        await this.#reopen();
      }
    }
  }

  /** Whether `step` ended before the line stood still for `stallMs`. Rejects when the line is lost. */
  #finishes(step: () => Promise<void>, progress: () => number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      const end = (settle: () => void) => {
        isOver = true;
        clearInterval(watchdog);
        settle();
      };
      let seen = progress();
      const watchdog = setInterval(() => {
        if (progress() === seen) end(() => resolve(false));
        seen = progress();
      }, this.#stallMs);
      this.#rejectWrite = (error) => end(() => reject(error));
      step().then(
        () => end(() => resolve(true)),
        (error: Error) => {
          // A step that was given up fails when its descriptor is closed: that is no news.
          if (!isOver) this.#lose(error.message);
        },
      );
    });
  }

  /** Another descriptor for the same port; whoever uses the line goes on with it. */
  async #reopen(): Promise<void> {
    const stalled = this.#port;
    // The lock is on the device: the old descriptor goes first.
    const closing = stalled.close().catch(() => {});
    await Promise.race([closing, this.clock.sleep(this.#stallMs)]);
    try {
      const port = await this.#open();
      if (this.#lostBecause !== null) return void port.close().catch(() => {});
      this.#port = port;
      this.#isReopened = true;
      this.#undrainedBytes = 0;
      this.#io = this.#startIo(port);
      await this.setSignals({});
    } catch (error) {
      this.#lose(
        `the line took nothing for ${this.#stallMs / 1000} s, and could not be opened again: ${(error as Error).message}`,
      );
    }
  }

  #lose(message: string): void {
    if (this.#lostBecause !== null) return;
    const reason = lostReason(message);
    void this.#shut(reason);
    this.#closed(reason);
  }

  async #shut(reason: string): Promise<void> {
    this.#lostBecause = reason;
    clearInterval(this.#looking);
    this.#rejectWrite(lineLost(this.name, reason));
    await this.#port.close().catch(() => {});
  }
}
