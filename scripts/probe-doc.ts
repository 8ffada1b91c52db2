/** Writes docs/probe-cost.md: what telemetry costs at each level, measured on virtual boards. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { loadBoard } from '../boards/board.ts';
import { packageRoot } from '../boards/root.ts';
import { probeCosts } from '../host/probe/probe-cost.ts';
import { probeMarkdown } from '../host/probe/probe-table.ts';

export const documentPath = join(packageRoot, 'docs', 'probe-cost.md');
export const documentBoards = ['kaluma-pico', 'puckjs'];

async function probeDocument(): Promise<string> {
  const sections: string[] = [];
  for (const id of documentBoards) {
    const board = loadBoard(id);
    sections.push(`## ${board.name}\n\n${probeMarkdown(await probeCosts(board), board)}`);
  }
  return `# What telemetry costs

Measured on virtual boards (\`docs/cost-model.md\` says how near these are) with the bundle that is flashed, under a steady load
of frees and mallocs. \`heapglass budget --probe\` prints it for any board; \`npx tsx scripts/probe-doc.ts\` writes this page.

- **cycles a call**: a malloc or free of the default policy, telemetry included; **added in it** is telemetry's part.
- **in the timer**: for each operation, making frames of the records, checking and stuffing them, and writing them.
- **bytes an operation**: with few operations a frame is sent after 100 ms however short it is, and its 12 bytes around the
  records weigh. A busy line carries an operation in 2.2 to 2.4 bytes (\`docs/wire-format.md\`).
- **idle**: what comes by the clock without any operation: hello, counters, the sweep of the map, the engine's heap. Each such
  frame is followed by a rest of nine times as long as it took, nineteen times with counters alone: a tenth of the core, a
  twentieth. So an Espruino board tells its counters every two or three seconds rather than each second, and its map takes
  longer. The rest of it is the timer, that looks whether there is something to send.
- **off** is a bundle without telemetry: the recorder is not in it.

${sections.join('\n')}
## Levels, and the way between them

\`flash --telemetry events|sampled|counters|off\` sets the level. While records find no room, because the line is
slower than the program, the recorder steps down, events to sampled (one operation in 16) to counters, and back up
after a quiet time that doubles with each relapse (2 s to 60 s). What was not told is counted: the board's counters,
the views and the metrics have the numbers, and the views say which level is in force.
`;
}

if (argv[1] === fileURLToPath(import.meta.url)) writeFileSync(documentPath, await probeDocument());
