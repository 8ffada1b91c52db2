// Boards on scripted lines behind the real server, for tests: what `monitor --web` runs, without a port.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OpenWishes, openBoards } from '../../host/monitor/open-boards.ts';
import { recordingPath } from '../../host/recording/path.ts';
import { type RunningServer, startServer } from '../../host/serve/server.ts';
import { WatchedBoard } from '../../host/serve/watched-board.ts';
import { captureIo } from '../support/io.ts';
import { ScriptedLine } from './scripted-line.ts';

export interface Watched {
  server: RunningServer;
  boards: WatchedBoard[];
  close(): Promise<void>;
}

/** Serves the boards on these ports until it is closed. */
export async function watched(ports: readonly string[], open: OpenWishes['open']): Promise<Watched> {
  const folder = mkdtempSync(join(tmpdir(), 'heapglass-'));
  const record = join(folder, 'board.hgrec');
  const named = ports.map((port) => ({ name: port, port }));
  const watches = await openBoards(named, { open, record, printsText: false }, captureIo().io);
  const boards = watches.map((watch, index) => new WatchedBoard(watch, recordingPath(record, index, ports.length)));
  const server = await startServer(boards, { host: '127.0.0.1', port: 0 });
  const stop = new AbortController();
  const running = Promise.all(boards.map((board) => board.run(stop.signal)));
  return {
    server,
    boards,
    close: async () => {
      stop.abort();
      await running;
      await server.close();
      for (const { keeper } of watches) keeper.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** The same with lines that the test drives. */
export async function watchedLines(...names: string[]): Promise<Watched & { lines: ScriptedLine[] }> {
  const lines = names.map((name) => new ScriptedLine(name));
  const served = await watched(names, (port) => lines.find(({ name }) => name === port)!.open());
  return { ...served, lines };
}
