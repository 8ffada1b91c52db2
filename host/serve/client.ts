/**
 * One page that watches. It gets what it asks for and no more:
 *
 *   C1  at most MOST_READS pieces are being waited for, and none is sent while MOST_UNSENT_BYTES wait in the socket: a
 *       slow page costs the server no more than that.
 *   C2  what a page sends is checked; a page that says anything else is cut off.
 */
import { setMaxListeners } from 'node:events';
import * as v from 'valibot';
import type { WebSocket } from 'ws';
import { MOST_PIECE_BYTES, PIECE_HEAD_BYTES, type ServerMessage } from './protocol.ts';
import type { WatchedBoard } from './watched-board.ts';

const MOST_READS = 16;
const MOST_UNSENT_BYTES = 1 << 20;
const DRAIN_CHECK_MS = 20;

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const ClientMessageSchema = v.variant('type', [
  v.object({
    type: v.literal('read'),
    id: v.pipe(whole, v.maxValue(0xffffffff)),
    board: whole,
    from: whole,
    bytes: v.pipe(whole, v.minValue(1), v.maxValue(MOST_PIECE_BYTES)),
  }),
  v.object({ type: v.literal('mark'), board: whole }),
]);

/** Close codes of RFC 6455, section 7.4.1. */
const POLICY_VIOLATION = 1008;

export class PageClient {
  readonly #socket: WebSocket;
  readonly #boards: readonly WatchedBoard[];
  readonly #gone = new AbortController();
  #reads = 0;

  constructor(socket: WebSocket, boards: readonly WatchedBoard[]) {
    this.#socket = socket;
    this.#boards = boards;
    setMaxListeners(MOST_READS, this.#gone.signal);
    socket.on('close', () => this.#gone.abort());
    socket.on('error', () => socket.terminate());
    socket.on('message', (data, isBinary) => {
      const message = isBinary ? null : parse(String(data));
      if (message === null || this.#boards[message.board] === undefined) {
        socket.close(POLICY_VIOLATION, 'not understood');
      } else if (message.type === 'mark') this.#boards[message.board]!.mark();
      else void this.#read(message);
    });
  }

  say(message: ServerMessage): void {
    this.#socket.send(JSON.stringify(message));
  }

  async #read({ id, board, from, bytes }: { id: number; board: number; from: number; bytes: number }): Promise<void> {
    if (this.#reads >= MOST_READS) return this.#socket.close(POLICY_VIOLATION, 'too many reads at once');
    this.#reads++;
    try {
      const { signal } = this.#gone;
      const piece = await this.#boards[board]!.read(from, bytes, signal);
      while (this.#socket.bufferedAmount > MOST_UNSENT_BYTES && !signal.aborted) {
        await new Promise((resolve) => setTimeout(resolve, DRAIN_CHECK_MS));
      }
      if (signal.aborted) return;
      const message = new Uint8Array(PIECE_HEAD_BYTES + piece.length);
      new DataView(message.buffer).setUint32(0, id, true);
      message.set(piece, PIECE_HEAD_BYTES);
      this.#socket.send(message);
    } finally {
      this.#reads--;
    }
  }
}

function parse(text: string): v.InferOutput<typeof ClientMessageSchema> | null {
  try {
    const parsed = v.safeParse(ClientMessageSchema, JSON.parse(text));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}
