/**
 * What the page and `monitor --web` say to each other over the WebSocket. Imports no Node: both sides share it.
 *
 * A board is a recording that grows (docs/recordings.md). The page asks for bytes of it, one piece at a time; the server
 * answers when there are any. So live view, history and time travel are one thing, a slow page gets behind and nothing
 * piles up for it, and a late one begins at the beginning.
 *
 *   page to server   JSON   ClientMessage
 *   server to page   JSON   ServerMessage
 *                    binary u32 id (little endian), then the bytes asked for: at least one, at most `bytes`
 */

/** A piece is never longer. */
export const MOST_PIECE_BYTES = 1 << 18;
/** Bytes before the piece in a binary message. */
export const PIECE_HEAD_BYTES = 4;

export interface BoardStatus {
  /** What people call it. */
  name: string;
  /** What was opened: `sim:puckjs`, `/dev/ttyACM0`. */
  port: string;
  state: 'live' | 'lost' | 'ended';
  /** Why the line is lost, for people. */
  reason: string | null;
}

export type ClientMessage =
  /** Bytes of a board's recording from a position on; answered when there are any. */
  | { type: 'read'; id: number; board: number; from: number; bytes: number }
  /** A mark at this moment: it comes back in the recording. */
  | { type: 'mark'; board: number };

/** Sent at first, and whenever one of them changes. */
export interface ServerMessage {
  type: 'boards';
  boards: BoardStatus[];
}
