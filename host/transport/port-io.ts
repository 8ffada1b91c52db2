/**
 * Reads and writes of an open serial port.
 *
 * serialport's own `read` and `write` go through libuv's thread pool, twice a chunk: on a machine that is busy each of
 * them waits for its turn, and an upload of small pieces runs at half its speed. Where the binding shows its descriptor
 * (Unix; it is open without blocking), reads and writes are made on it at once and only the wait for "readable" and
 * "writable" is the poller's. Elsewhere (Windows, mocks) the binding's own calls are used.
 *
 * Invariants
 *   P1  an event that the poller lost costs at most one `look`: it tries again whatever somebody waits for.
 *   P2  what is received is handed on in order, each byte once.
 */
import { readSync, writeSync } from 'node:fs';
import type { Poller } from './poller.ts';
import { rearm } from './poller.ts';

/** What is used of a port that a serialport binding opened. */
export interface SerialHandle {
  /** Unix only: the descriptor, null once it is closed. */
  readonly fd?: number | null;
  read(buffer: Buffer, offset: number, length: number): Promise<{ bytesRead: number }>;
  write(buffer: Buffer): Promise<void>;
  drain(): Promise<void>;
  set(signals: { dtr?: boolean; rts?: boolean }): Promise<void>;
  close(): Promise<void>;
}

export interface PortIo {
  /** Starts to read: bytes as they come, and once the reason when nothing more can. */
  start(receive: (bytes: Uint8Array) => void, fail: (reason: string) => void): void;
  /** Resolves when the driver has all of it; `onTaken` is told how much it has so far. */
  write(bytes: Uint8Array, onTaken: (byteCount: number) => void): Promise<void>;
  /** Tries again what is waited for, in case its event was lost. */
  look(): void;
}

const readBytes = 4_096;
/** Reads in a row before the event loop has its turn. */
const readsAtOnce = 16;

export function portIo(port: SerialHandle, poller: Poller | null): PortIo {
  return poller && typeof port.fd === 'number' ? new DescriptorIo(port, poller) : new BindingIo(port);
}

class DescriptorIo implements PortIo {
  readonly #port: SerialHandle;
  readonly #poller: Poller;
  #receive: (bytes: Uint8Array) => void = () => {};
  #fail: (reason: string) => void = () => {};
  #wakeWriter: (() => void) | null = null;

  constructor(port: SerialHandle, poller: Poller) {
    this.#port = port;
    this.#poller = poller;
  }

  start(receive: (bytes: Uint8Array) => void, fail: (reason: string) => void): void {
    this.#receive = receive;
    this.#fail = fail;
    this.#waitForBytes();
  }

  async write(bytes: Uint8Array, onTaken: (byteCount: number) => void): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const taken = this.#writeNow(bytes.subarray(at));
      at += taken;
      onTaken(taken);
      if (taken === 0) await this.#writable();
    }
  }

  look(): void {
    this.#readAll();
    this.#wakeWriter?.();
    if (typeof this.#port.fd === 'number') rearm(this.#poller);
  }

  #writeNow(bytes: Uint8Array): number {
    const { fd } = this.#port;
    if (typeof fd !== 'number') throw new Error('the port is closed');
    try {
      return writeSync(fd, bytes);
    } catch (error) {
      if (isBusy(error)) return 0;
      throw error;
    }
  }

  #writable(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#wakeWriter = () => {
        this.#wakeWriter = null;
        resolve();
      };
      this.#poller.once('writable', (error) => (error ? reject(error) : this.#wakeWriter?.()));
    });
  }

  #waitForBytes(): void {
    this.#poller.once('readable', (error) => {
      if (error) this.#failOnce(error);
      else if (this.#readAll()) this.#waitForBytes();
    });
  }

  /** All that is there. False when the port is closed or gone. */
  #readAll(): boolean {
    for (let reads = 0; reads < readsAtOnce; reads++) {
      const { fd } = this.#port;
      if (typeof fd !== 'number') return false;
      // A new one each time: receivers may keep what they were given.
      const buffer = Buffer.alloc(readBytes);
      let bytesRead: number;
      try {
        bytesRead = readSync(fd, buffer, 0, readBytes, null);
      } catch (error) {
        if (isBusy(error)) return true;
        this.#failOnce(error as Error);
        return false;
      }
      // A terminal that hung up reads as the end of a file, for ever.
      if (bytesRead === 0) {
        this.#failOnce(new Error('the device is gone'));
        return false;
      }
      this.#receive(buffer.subarray(0, bytesRead));
      if (bytesRead < readBytes) return true;
    }
    return true;
  }

  #failOnce(error: Error & { canceled?: boolean }): void {
    if (!error.canceled) this.#fail(error.message);
    this.#fail = () => {};
  }
}

class BindingIo implements PortIo {
  readonly #port: SerialHandle;

  constructor(port: SerialHandle) {
    this.#port = port;
  }

  start(receive: (bytes: Uint8Array) => void, fail: (reason: string) => void): void {
    const readOn = async () => {
      for (;;) {
        const buffer = Buffer.alloc(readBytes);
        const { bytesRead } = await this.#port.read(buffer, 0, readBytes);
        if (bytesRead > 0) receive(buffer.subarray(0, bytesRead));
      }
    };
    readOn().catch((error: Error & { canceled?: boolean }) => {
      if (!error.canceled) fail(error.message);
    });
  }

  async write(bytes: Uint8Array, onTaken: (byteCount: number) => void): Promise<void> {
    await this.#port.write(Buffer.from(bytes));
    onTaken(bytes.length);
  }

  look(): void {}
}

/** Nothing to read, or no room to write, right now. */
function isBusy(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EAGAIN' || code === 'EWOULDBLOCK' || code === 'EINTR';
}
