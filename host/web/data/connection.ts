/**
 * The page's end of the WebSocket to `monitor --web` (host/serve/protocol.ts). A connection that is lost is opened again;
 * what was being read is then asked for again, so that nobody who reads notices.
 */
import {
  type BoardStatus,
  type ClientMessage,
  MOST_PIECE_BYTES,
  PIECE_HEAD_BYTES,
  type ServerMessage,
} from '../../serve/protocol.ts';
import type { ByteSource } from './byte-source.ts';

const RETRY_MS = 1000;

export interface ConnectionListener {
  boards(boards: readonly BoardStatus[]): void;
  /** False while the monitor itself does not answer. */
  connected(isConnected: boolean): void;
}

interface Read {
  request: ClientMessage;
  resolve: (piece: Uint8Array) => void;
}

export class Connection {
  readonly #url: string;
  readonly #listener: ConnectionListener;
  readonly #reads = new Map<number, Read>();
  #socket: WebSocket | null = null;
  #nextId = 0;

  constructor(url: string, listener: ConnectionListener) {
    this.#url = url;
    this.#listener = listener;
    this.#open();
  }

  source(board: number, name: string): ByteSource {
    return {
      name,
      read: (from, bytes) => this.#read(board, from, Math.min(bytes, MOST_PIECE_BYTES)),
      save: async () => (await fetch(`/boards/${board}/recording`)).blob(),
    };
  }

  mark(board: number): void {
    this.#send({ type: 'mark', board });
  }

  #read(board: number, from: number, bytes: number): Promise<Uint8Array> {
    const id = this.#nextId;
    this.#nextId = (this.#nextId + 1) >>> 0;
    return new Promise((resolve) => {
      const request: ClientMessage = { type: 'read', id, board, from, bytes };
      this.#reads.set(id, { request, resolve });
      this.#send(request);
    });
  }

  #send(message: ClientMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #open(): void {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      this.#listener.connected(true);
      for (const { request } of this.#reads.values()) this.#send(request);
    };
    socket.onclose = () => {
      this.#listener.connected(false);
      setTimeout(() => this.#open(), RETRY_MS);
    };
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data === 'string') this.#listener.boards((JSON.parse(data) as ServerMessage).boards);
      else this.#receive(data);
    };
  }

  #receive(data: ArrayBuffer): void {
    const id = new DataView(data).getUint32(0, true);
    const read = this.#reads.get(id);
    this.#reads.delete(id);
    read?.resolve(new Uint8Array(data, PIECE_HEAD_BYTES));
  }
}
