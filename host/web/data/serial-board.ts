/** A board on this page's own serial port (Web Serial): its line recorded in the page, and shown like any other. */
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

export interface SerialBoard {
  board: Board;
  transport: Transport;
  /** What the line brings from now on is the board's, or (false) somebody else's for a time. */
  listen(isListening: boolean): void;
  recorder: RecordingBuilder;
}

/** Asks the reader for a port, which needs a click, and opens it. Null when none was picked. */
export async function pickPort(serial: WebSerial, showAll: boolean): Promise<WebSerialPort | null> {
  try {
    return await serial.requestPort(showAll ? {} : { filters: portFilters });
  } catch (error) {
    if ((error as DOMException).name === 'NotFoundError') return null;
    throw error;
  }
}

export async function openSerialBoard(port: WebSerialPort, baud: number): Promise<SerialBoard> {
  const transport = await openWebSerial(port, baud);
  const recorder = new RecordingBuilder(transport.name);
  let marks = 0;
  const board: Board = new Board(recorder.source, {
    isLive: true,
    onMark: () => recorder.mark(board, `my mark ${++marks}`),
  });
  board.onCaughtUp = () => void recorder.caughtUp(board);
  const listen = (isListening: boolean): void => {
    transport.onData(isListening ? (bytes) => recorder.line(bytes) : () => {});
    transport.onClose((reason) => {
      board.setState('lost', reason);
      recorder.end();
    });
  };
  listen(true);
  return { board, transport, listen, recorder };
}
