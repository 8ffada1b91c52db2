/** `monitor --web`: boards that are watched, and the server of their page, until Ctrl-C. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Io } from '../command.ts';
import { visible } from '../view/escape.ts';
import { isLoopback, type ListenAddress } from './listen-address.ts';
import { startServer } from './server.ts';
import type { WatchedBoard } from './watched-board.ts';

export interface WebWishes {
  listen: ListenAddress;
  json: boolean;
  forMs?: number;
}

export async function serveBoards(
  boards: readonly WatchedBoard[],
  { listen, json, forMs }: WebWishes,
  io: Io,
): Promise<void> {
  const server = await startServer(boards, listen);
  io.out(json ? `${JSON.stringify({ url: server.url })}\n` : `${server.url}\n`);
  io.err('Open it in a browser. Ctrl-C ends it.\n');
  if (!isLoopback(listen.host)) {
    io.err(
      `warning: whoever reaches ${visible(listen.host, 80)} over the network sees the boards; nothing is encrypted\n`,
    );
  }
  try {
    await Promise.all(boards.map((board) => board.run(io.signal, forMs)));
  } finally {
    await server.close();
  }
}

/** Recordings that nobody asked to keep. */
export function scratchFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'heapglass-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
