/** What `monitor` exports while it watches: a scrape endpoint, pushes, or both. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../boards/root.ts';
import type { Io } from '../command.ts';
import type { ListenAddress } from '../serve/listen-address.ts';
import { exposition } from './exposition.ts';
import { type MeteredBoard, metrics, readBoard } from './metrics.ts';
import { otlpRequest } from './otlp.ts';
import { startPushing } from './push.ts';
import { serveMetrics } from './serve.ts';

export interface ExportWishes {
  prometheus: ListenAddress | null;
  otlp: URL | null;
}

/** Starts what is wished; the returned function ends it, after a last push. */
export async function startExport(
  boards: readonly MeteredBoard[],
  { prometheus, otlp }: ExportWishes,
  io: Io,
): Promise<() => Promise<void>> {
  const ends: (() => Promise<void>)[] = [];
  if (prometheus !== null) {
    const server = await serveMetrics(prometheus, () => exposition(metrics, boards.map(readBoard)));
    if (!io.isTerminal) io.err(`metrics at ${server.url}\n`);
    ends.push(() => server.close());
  }
  if (otlp !== null) {
    const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
    const pusher = startPushing({
      url: otlp,
      body: () => otlpRequest(metrics, boards.map(readBoard), Date.now(), version),
      say: (text) => io.isTerminal || io.err(`${text}\n`),
    });
    ends.push(() => pusher.close());
  }
  return async () => {
    for (const end of ends) await end();
  };
}
