// Writes the recording that the page shows as its example: examples/weather-station.js on a virtual Kaluma Pico, in
// virtual time, so that it is the same on each run. `npm run screenshots` writes it before it takes the pictures.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadBoard } from '../boards/board.ts';
import { packageRoot } from '../boards/root.ts';
import { bundle } from '../firmware/toolchain/bundle.ts';
import { Session } from '../host/monitor/session.ts';
import { RecordingWriter } from '../host/recording/writer.ts';
import { openSim } from '../host/transport/sim.ts';

const examplePath = join(packageRoot, 'host/web/page/example.hgrec');

const PROGRAM = 'weather-station.js';
const BOARD = 'kaluma-pico';
const FOR_MS = 48_000;
/** Of a mark of who watched. */
const MARK_MS = 20_000;

async function writeExample(path: string): Promise<void> {
  const built = await bundle({ entry: join(packageRoot, 'examples', PROGRAM), board: loadBoard(BOARD) });
  const transport = await openSim(BOARD, { program: built.code });
  const startMs = transport.clock.nowMs();
  const writer = new RecordingWriter(path, {
    startedAt: '2026-01-01T00:00:00.000Z',
    source: `sim:${BOARD}`,
    program: PROGRAM,
  });
  const sites = Object.fromEntries(built.sites.map(({ site, file, line }) => [site, `${file}:${line}`]));
  writer.sites({ bundleId: built.id, program: PROGRAM, sites });
  const session = new Session({ source: transport.name });
  transport.onData((bytes) => {
    writer.line(bytes, transport.clock.nowMs() - startMs);
    session.push(bytes);
    writer.decoded(session.decoder, session.model);
  });
  await transport.clock.sleep(MARK_MS);
  writer.mark({ hostMs: MARK_MS, atMs: session.model.atMs, text: 'radio far away' });
  await transport.clock.sleep(FOR_MS - MARK_MS);
  await transport.close();
  writer.close();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeExample(examplePath);
