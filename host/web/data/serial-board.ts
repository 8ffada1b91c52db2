/** A board on this page's own serial port (Web Serial): its line recorded in the page, and shown like any other. */
import { Problem } from '../../../boards/problem.ts';
import type { Transport } from '../../transport/transport.ts';
import { openWebSerial, portFilters, type WebSerialPort } from '../../transport/web-serial.ts';
import { Board } from './board.ts';
import { RecordingBuilder } from './recording-builder.ts';

interface WebSerial {
  requestPort(options: { filters?: readonly object[] }): Promise<WebSerialPort>;
}

/** What the browser has of Web Serial; null where it has nothing, or where the page may not use it. */
export function webSerial(): WebSerial | null {
  return (navigator as { serial?: WebSerial }).serial ?? null;
}

/** Why there is no Web Serial here, for people. */
export function whyNoSerial(): string {
  return isSecureContext
    ? 'This browser has no Web Serial. Chrome, Edge and Firefox (151 and later) on a desktop have it; heapglass monitor --web works in any browser.'
    : 'Web Serial works only on a page from https, from this machine, or from a file.';
}

/** Asks the reader for a port, which needs a click. Null when none was picked. `all`: not only those of known boards. */
export async function pickPort(serial: WebSerial, all: boolean): Promise<WebSerialPort | null> {
  try {
    return await serial.requestPort(all ? {} : { filters: portFilters });
  } catch (error) {
    if ((error as DOMException).name === 'NotFoundError') return null;
    throw error;
  }
}

/** Between two attempts to open a port that was lost. */
const RETRY_MS = 1000;

export class SerialBoard {
  readonly board: Board;
  readonly recorder: RecordingBuilder;
  readonly #port: WebSerialPort;
  readonly #baud: number;
  #transport: Transport;
  #isClosed = false;
  #marks = 0;

  private constructor(port: WebSerialPort, baud: number, transport: Transport) {
    this.#port = port;
    this.#baud = baud;
    this.#transport = transport;
    this.recorder = new RecordingBuilder(transport.name);
    this.board = new Board(this.recorder.source, {
      isLive: true,
      onMark: () => this.recorder.mark(this.board, `my mark ${++this.#marks}`),
      onClose: () => void this.close(),
    });
    this.board.onCaughtUp = () => void this.recorder.caughtUp(this.board);
    this.listen();
  }

  static async open(port: WebSerialPort, baud: number): Promise<SerialBoard> {
    return new SerialBoard(port, baud, await openWebSerial(port, baud));
  }

  get transport(): Transport {
    return this.#transport;
  }

  /** What the line brings is the board's from now on: after a flasher had it. */
  listen(): void {
    this.#transport.onData((bytes) => this.recorder.line(bytes));
    this.#transport.onClose((reason) => void this.#openAgain(reason));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.recorder.end();
    await this.#transport.close();
  }

  /** A board that is plugged in again goes on where it was. */
  async #openAgain(reason: string): Promise<void> {
    if (this.#isClosed) return;
    this.board.setState('lost', reason);
    await this.#transport.close();
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      if (this.#isClosed) return;
      try {
        this.#transport = await openWebSerial(this.#port, this.#baud);
        this.listen();
        this.board.setState('live', null);
        return;
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
      }
    }
  }
}
