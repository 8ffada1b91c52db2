/** `heapglass boards`: what is known of each board, and with an id everything, with the source of every fact. */
import { type Board, boardIds, loadBoard } from '../../boards/board.ts';
import { exitCodes } from '../../boards/problem.ts';
import { usageProblem } from '../arguments.ts';
import type { Command } from '../command.ts';

const kib = (bytes: number) => `${Math.round(bytes / 1024)} KB`;

/** What the engine keeps a program's data in: variables on Espruino, a heap on Kaluma. */
function engineMemory({ jsvars, engineHeapBytes }: Board): string {
  if (jsvars) return `${jsvars.count} x ${jsvars.bytesEach} B`;
  return engineHeapBytes === null ? '-' : `${engineHeapBytes} B`;
}

function programArea({ savedCode, programAreaBytes }: Board): string {
  if (savedCode) return kib(savedCode.pages * savedCode.pageBytes);
  return programAreaBytes === null ? 'none' : kib(programAreaBytes);
}

function consoleText({ console: { kind, baud } }: Board): string {
  return kind === 'uart' ? `uart ${baud}` : kind;
}

const columns: readonly [title: string, cell: (board: Board) => string][] = [
  ['board', (board) => board.id],
  ['engine', (board) => board.engine],
  ['chip', (board) => board.chip],
  ['clock', (board) => `${board.clockHz / 1e6} MHz`],
  ['RAM', (board) => kib(board.ramBytes)],
  ['engine memory', engineMemory],
  ['program area', programArea],
  ['console', consoleText],
  ['name', (board) => board.name],
];

export function boardTable(boards: readonly Board[]): string {
  const rows = [columns.map(([title]) => title), ...boards.map((board) => columns.map(([, cell]) => cell(board)))];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** Every fact of a board and where it was read. */
export function boardDetail(board: Board): string {
  const { sources, id, name, ...facts } = board;
  const rows = Object.entries(facts).flatMap(([key, value]) =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).map(([inner, leaf]) => [`${key}.${inner}`, leaf] as const)
      : [[key, value] as const],
  );
  const shown = rows.filter(([, value]) => value !== null);
  const keyWidth = Math.max(...shown.map(([key]) => key.length));
  const valueWidth = Math.max(...shown.map(([, value]) => String(value).length));
  const lines = shown.map(([key, value]) => {
    const source = sources[key] ?? derivedFrom(key, board);
    return `  ${key.padEnd(keyWidth)}  ${String(value).padEnd(valueWidth)}  ${source}\n`;
  });
  const unknown = rows.filter(([, value]) => value === null).map(([key]) => key);
  return `${id}: ${name}\n\n${lines.join('')}${unknown.length > 0 ? `\nnot known, or not there: ${unknown.join(', ')}\n` : ''}`;
}

/** For the facts that are computed from others. */
function derivedFrom(key: string, { sources }: Board): string {
  if (key === 'console.bytesPerSecond') return `baud / 10; ${sources['console.baud']}`;
  if (key === 'console.xoffAtBytes') return `eighths of the input buffer; ${sources['console.xoffAtEighths']}`;
  if (key === 'console.xonAtBytes') return `eighths of the input buffer; ${sources['console.xonAtEighths']}`;
  return '';
}

export const command: Command = {
  name: 'boards',
  summary: 'the boards it knows, and where each number about them comes from',
  positionals: '[board]',
  options: { json: { type: 'boolean', help: 'every fact and source as JSON' } },
  async run(args, io) {
    if (args.positionals.length > 1) throw usageProblem('boards', 'one board at a time', [...args.positionals]);
    const [id] = args.positionals;
    if (id !== undefined) {
      const board = loadBoard(id);
      io.out(args.flag('json') ? `${JSON.stringify(board, null, 2)}\n` : boardDetail(board));
      return exitCodes.done;
    }
    const boards = boardIds().map(loadBoard);
    io.out(args.flag('json') ? `${JSON.stringify({ boards }, null, 2)}\n` : boardTable(boards));
    return exitCodes.done;
  },
};
