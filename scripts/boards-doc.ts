/**
 * Writes docs/boards.md from the board data: `npx tsx scripts/boards-doc.ts`. A test says when it is out of date.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { type Board, boardIds, loadBoard } from '../boards/board.ts';
import { packageRoot } from '../boards/root.ts';

export const documentPath = join(packageRoot, 'docs', 'boards.md');

const kib = (bytes: number | null): string => (bytes === null ? '-' : `${Math.round(bytes / 1024)} KB`);
const number = (value: number | null): string => (value === null ? '-' : String(value));
const yes = (value: boolean): string => (value ? 'yes' : '-');

function table(columns: readonly [string, (board: Board) => string][], boards: readonly Board[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return [
    row(columns.map(([title]) => title)),
    row(columns.map(() => '---')),
    ...boards.map((board) => row(columns.map(([, cell]) => cell(board)))),
  ].join('');
}

const hex = (value: number): string => value.toString(16).padStart(4, '0');

export function boardsDocument(): string {
  const boards = boardIds().map(loadBoard);
  const espruino = boards.filter(({ engine }) => engine === 'espruino');
  const kaluma = boards.filter(({ engine }) => engine === 'kaluma');
  const all = table(
    [
      ['board', ({ id }) => `\`${id}\``],
      ['name', ({ name }) => name],
      ['chip', ({ chip }) => chip],
      ['core', ({ cpu }) => cpu],
      ['clock', ({ clockHz }) => `${clockHz / 1e6} MHz`],
      ['RAM', ({ ramBytes }) => kib(ramBytes)],
      ['flash', ({ flashBytes }) => kib(flashBytes)],
      ['console', ({ console: line }) => (line.kind === 'uart' ? `${line.device}, ${line.baud} baud` : line.device)],
      ['USB', ({ usb }) => (usb ? `${hex(usb.vendorId)}:${hex(usb.productId)}` : '-')],
    ],
    boards,
  );
  const espruinoMemory = table(
    [
      ['board', ({ id }) => `\`${id}\``],
      ['variables', ({ jsvars }) => number(jsvars!.count)],
      ['bytes each', ({ jsvars }) => number(jsvars!.bytesEach)],
      ['largest flat array', ({ jsvars }) => kib((jsvars!.count - 3) * jsvars!.bytesEach)],
      ['saved code', ({ savedCode }) => (savedCode ? `${savedCode.pages} x ${kib(savedCode.pageBytes)}` : 'none')],
      ['input buffer', ({ console: line }) => `${line.inputBufferBytes} B`],
      ['XOFF at', ({ console: line }) => number(line.xoffAtBytes)],
      ['XON at', ({ console: line }) => number(line.xonAtBytes)],
      ['output buffer', ({ console: line }) => `${line.outputBufferBytes} B`],
      ['upload', ({ flashMethod }) => flashMethod.replace('espruino-', '')],
      ['E.nativeCall', ({ features }) => yes(features.nativeCall)],
      ['E.CRC32', ({ features }) => yes(features.crc32)],
      ['whole syntax', ({ features }) => yes(features.modernSyntax)],
    ],
    espruino,
  );
  const kalumaMemory = table(
    [
      ['board', ({ id }) => `\`${id}\``],
      ['engine heap', ({ engineHeapBytes }) => `${engineHeapBytes} B`],
      ['of it after boot', ({ engineHeapUsedAtBootBytes }) => `${engineHeapUsedAtBootBytes} B`],
      ['program area', ({ programAreaBytes }) => kib(programAreaBytes)],
      ['input buffer', ({ console: line }) => `${line.inputBufferBytes} B`],
      ['longest line', ({ console: line }) => `${line.lineBufferBytes} B`],
      ['upload', ({ flashMethod }) => flashMethod.replace('kaluma-', '')],
    ],
    kaluma,
  );
  return `# Boards

<!-- Written by \`npx tsx scripts/boards-doc.ts\` from boards/data. Change the data, not this file. -->

\`heapglass boards\` prints this list; \`heapglass boards puckjs\` prints everything that is known of a board, with the
source beside each fact.

${all}
A dash: not known, or not there. The clock is the one that the firmware sets.

## Espruino

Everything a program has is held in variables of a fixed size: numbers, names, call frames, and arrays as runs of them.
A program that is flashed stays in flash; only its values take variables.

${espruinoMemory}
- *Whole syntax* is missing on boards built SAVE_ON_FLASH. The bundler rewrites arrow functions, template literals and
  shorthand; classes, getters, regular expressions and promises are refused, with their line and column.
- XOFF and XON are bytes in the input buffer. A sender that ignores XOFF loses characters.
- A board that has no saved code takes programs in RAM only.

## Kaluma

The engine's heap is one block of RAM. Programs are stored as text and parsed into that heap at each boot.

${kalumaMemory}
## Adding a board

1. Write \`boards/data/<id>.json\`. The id is the file's name: Espruino's own name of the board in lower case, or
   Kaluma's with \`kaluma-\` before it.
2. \`inherits\` names the nearest family (\`nrf52832\`, \`stm32f4\`, \`rp2xxx\`, \`espruino\`, \`espruino-small\`, \`kaluma\`). State
   only what differs. A file with \`"abstract": true\` is a family: it is inherited from and never named by users.
3. Give each fact its source in \`sources\`, by its path (\`console.baud\`) or by the object that holds it (\`savedCode\`). A
   source is a file and a line's name in it at a commit, a data sheet's table, or a measurement and what it was made on.
   What is a model or an estimate says so.
4. \`heapglass boards <id>\` shows the result. A fact without a source, a source of nothing, an unknown key, a circle of
   \`inherits\` or a missing fact is refused with its name; so is a board that does not say how fast its console is.
5. \`npx tsx scripts/boards-doc.ts\`, then \`npm test\`.

An example, whole:

\`\`\`json
{
  "id": "myboard",
  "name": "My nRF52832 board",
  "inherits": "nrf52832",
  "console": { "kind": "uart", "device": "Serial1 (TX D6)" },
  "jsvars": { "count": 2800, "bytesEach": 13 },
  "savedCode": { "pages": 10, "pageBytes": 4096 },
  "sources": {
    "console": "MYBOARD.py info.default_console, default_console_tx",
    "jsvars.count": "MYBOARD.py info.variables",
    "jsvars.bytesEach": "Espruino src/jsutils.h: 2048 to 8191 variables",
    "savedCode": "MYBOARD.py chip.saved_code"
  }
}
\`\`\`
`;
}

if (argv[1] === fileURLToPath(import.meta.url)) writeFileSync(documentPath, boardsDocument());
