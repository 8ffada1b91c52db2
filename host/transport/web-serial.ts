/**
 * A serial port of the browser (Web Serial: Chrome, Edge, Firefox 151) as a Transport: the same flashers, decoder and
 * views work on it. Imports no Node.
 *
 * The page asks for a port with `navigator.serial.requestPort({ filters })`, which needs a click; what it gives is opened
 * here. References: the Web Serial API (wicg.github.io/serial); docs/flashing.md, "In the browser".
 */
import { exitCodes, Problem } from '../../boards/problem.ts';
import { lineLost } from './problems.ts';
import type { Clock, Transport } from './transport.ts';
import { wallClock } from './wall-clock.ts';

/** What is used of a browser's SerialPort. */
export interface WebSerialPort {
  readonly readable: ReadableStream<Uint8Array> | null;
  readonly writable: WritableStream<Uint8Array> | null;
  open(options: { baudRate: number; bufferSize?: number }): Promise<void>;
  close(): Promise<void>;
  setSignals(signals: { dataTerminalReady?: boolean; requestToSend?: boolean }): Promise<void>;
  getInfo(): { usbVendorId?: number; usbProductId?: number };
}

/** For requestPort: the USB devices of the boards (boards/data), so that the picker shows no others. */
export const portFilters = [{ usbVendorId: 0x2e8a }, { usbVendorId: 0x0483, usbProductId: 0x5740 }] as const;

const windowBytes = 256;
const bufferBytes = 16_384;

/** Opens a port that the user picked. A Problem when it is busy, or at 1200 baud. */
export async function openWebSerial(port: WebSerialPort, baud = 115_200): Promise<Transport> {
  if (baud === 1200) {
    throw new Problem(
      exitCodes.usage,
      'a board is not opened at 1200 baud',
      ['RP2040 and RP2350 boards take that rate as the order to reboot into their boot loader'],
      'Use 115200, or the rate of the UART.',
    );
  }
  const { usbVendorId, usbProductId } = port.getInfo();
  const name = usbVendorId === undefined ? 'serial port' : `usb ${hex(usbVendorId)}:${hex(usbProductId ?? 0)}`;
  try {
    await port.open({ baudRate: baud, bufferSize: bufferBytes });
  } catch (error) {
    throw new Problem(
      exitCodes.noBoard,
      `${name} cannot be opened`,
      [(error as Error).message],
      'Close the other tab or program that uses it, and plug the board in again.',
    );
  }
  const transport = new WebSerialTransport(name, port);
  await transport.setSignals({ dtr: true, rts: true });
  return transport;
}

const hex = (id: number): string => id.toString(16).padStart(4, '0');

class WebSerialTransport implements Transport {
  readonly name: string;
  readonly clock: Clock = wallClock;
  readonly #port: WebSerialPort;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  #receiver: (bytes: Uint8Array) => void = () => {};
  #closed: (reason: string) => void = () => {};
  #lostBecause: string | null = null;

  constructor(name: string, port: WebSerialPort) {
    this.name = name;
    this.#port = port;
    this.#reader = port.readable!.getReader();
    this.#writer = port.writable!.getWriter();
    this.#reading = this.#readOn();
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += windowBytes) {
      if (this.#lostBecause !== null) throw lineLost(this.name, this.#lostBecause);
      try {
        await this.#writer.write(bytes.slice(at, at + windowBytes));
      } catch (error) {
        this.#lose((error as Error).message);
        throw lineLost(this.name, this.#lostBecause ?? 'the port closed');
      }
    }
  }

  onData(receiver: (bytes: Uint8Array) => void): void {
    this.#receiver = receiver;
  }

  onClose(receiver: (reason: string) => void): void {
    this.#closed = receiver;
  }

  async setSignals({ dtr, rts }: { dtr?: boolean; rts?: boolean }): Promise<void> {
    const signals = {
      ...(dtr !== undefined && { dataTerminalReady: dtr }),
      ...(rts !== undefined && { requestToSend: rts }),
    };
    // Adapters without modem lines refuse; they work all the same.
    await this.#port.setSignals(signals).catch(() => {});
  }

  async close(): Promise<void> {
    const wasOpen = this.#lostBecause === null;
    this.#lostBecause ??= 'it was closed';
    if (wasOpen) await this.#reader.cancel().catch(() => {});
    await this.#reading;
    this.#reader.releaseLock();
    await this.#writer.close().catch(() => {});
    this.#writer.releaseLock();
    await this.#port.close().catch(() => {});
  }

  async #readOn(): Promise<void> {
    try {
      for (;;) {
        const { value, done } = await this.#reader.read();
        if (done) return this.#lose('the port closed');
        this.#receiver(value);
      }
    } catch (error) {
      this.#lose((error as Error).message);
    }
  }

  #lose(reason: string): void {
    if (this.#lostBecause !== null) return;
    this.#lostBecause = reason;
    this.#closed(reason);
  }
}
