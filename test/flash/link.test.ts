// L1 and L2 of host/flash/link.ts: XOFF is obeyed, and what is ahead of the line then fits the board's buffer.
import { describe, expect, test } from 'vitest';
import { type Board, boardIds, loadBoard } from '../../boards/board.ts';
import { Link } from '../../host/flash/link.ts';
import { pacing } from '../../host/flash/open.ts';
import type { Transport } from '../../host/transport/transport.ts';
import { EventQueue } from '../../sim/board/event-queue.ts';

const XON = 0x11;
const XOFF = 0x13;
/** A host that reads what came only after this. */
const lateMs = 8;

/** A board whose UART fills its buffer, that takes bytes out slowly, and says XOFF and XON at its marks. */
function slowBoard(board: Board) {
  const { inputBufferBytes, xoffAtBytes, xonAtBytes, bytesPerSecond } = board.console;
  const queue = new EventQueue();
  const msPerByte = 1000 / bytesPerSecond;
  const seen = { most: 0, xoffs: 0, taken: 0, bytes: [] as number[] };
  let nowMs = 0;
  let wireFreeMs = 0;
  const buffered: number[] = [];
  let isStopped = false;
  let receiver: (bytes: Uint8Array) => void = () => {};
  const say = (byte: number) => queue.add(nowMs + lateMs, () => receiver(Uint8Array.of(byte)));
  const take = () => {
    seen.bytes.push(...buffered.splice(0, 8));
    if (isStopped && buffered.length < xonAtBytes!) {
      isStopped = false;
      say(XON);
    }
    // A third of the line's rate.
    queue.add(nowMs + 24 * msPerByte, take);
  };
  take();
  const clock = {
    nowMs: () => nowMs,
    sleep: async (ms: number) => {
      const untilMs = nowMs + ms;
      for (let next = queue.nextNs(); next !== null && next <= untilMs; next = queue.nextNs()) {
        nowMs = Math.max(nowMs, next);
        queue.take()!.run();
        await Promise.resolve();
      }
      nowMs = untilMs;
    },
  };
  const transport: Transport = {
    ...{ name: board.id, clock },
    write: async (bytes) => {
      for (const byte of bytes) {
        wireFreeMs = Math.max(wireFreeMs, nowMs) + msPerByte;
        queue.add(wireFreeMs, () => {
          buffered.push(byte);
          seen.most = Math.max(seen.most, buffered.length);
          if (!isStopped && buffered.length > xoffAtBytes!) {
            isStopped = true;
            seen.xoffs++;
            say(XOFF);
          }
        });
      }
    },
    onData: (onBytes) => {
      receiver = onBytes;
    },
    onClose: () => {},
    setSignals: async () => {},
    close: async () => {},
  };
  return { transport, seen, clock, roomBytes: inputBufferBytes, left: () => buffered.length };
}

const withUart = boardIds()
  .map(loadBoard)
  .filter(({ console: { kind, xoffAtBytes } }) => kind === 'uart' && xoffAtBytes !== null);

describe('a UART board that takes bytes at a third of the rate', () => {
  test.each(withUart.map((board) => [board.id, board] as const))(
    '%s: XOFF is obeyed, nothing overflows, nothing is lost',
    async (_, board) => {
      const { transport, seen, clock, roomBytes, left } = slowBoard(board);
      const link = new Link(transport);
      link.flowControl = true;
      Object.assign(link, pacing(board));
      const sent = Uint8Array.from({ length: 4_000 }, (_, at) => 32 + (at % 90));
      await link.write(sent);
      while (left() > 0 || seen.bytes.length < sent.length) await clock.sleep(100);
      expect(seen.xoffs).toBeGreaterThan(0);
      expect(seen.most).toBeLessThan(roomBytes);
      expect(Uint8Array.from(seen.bytes)).toEqual(sent);
    },
  );
});
