/** `heapglass calibrate`: what statements cost on a board, measured on it, real or virtual. */
import { loadBoard } from '../../boards/board.ts';
import { exitCodes } from '../../boards/problem.ts';
import { usageProblem } from '../arguments.ts';
import { type CostTable, calibrate } from '../calibrate/calibrate.ts';
import type { Command } from '../command.ts';
import { writeOutput } from '../output-file.ts';
import { openTransport } from '../transport/open.ts';

export function costTableText({ board, identity, clockHz, emptyRoundCycles, statements }: CostTable): string {
  const rows = [
    ['statement', 'source', 'cycles', 'us'],
    ['a round of an empty loop', '', String(emptyRoundCycles), ((emptyRoundCycles * 1e6) / clockHz).toFixed(2)],
    ...statements.map(({ name, source, cycles }) => [
      name,
      source,
      String(cycles),
      ((cycles * 1e6) / clockHz).toFixed(2),
    ]),
  ];
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const line = (row: string[]): string =>
    row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ');
  const what = `${board ?? 'an unknown board'}, ${identity.engine} ${identity.version}, ${clockHz / 1e6} MHz`;
  return `${what}\n\n${rows.map((row) => `  ${line(row)}\n`).join('')}`;
}

export const command: Command = {
  name: 'calibrate',
  summary: 'times statements on a board, real or virtual, and writes what they cost',
  positionals: '',
  options: {
    port: {
      type: 'string',
      short: 'p',
      value: 'PORT',
      help: 'a path, tcp://HOST:PORT, rfc2217://HOST:PORT, sim:BOARD, rp2040js:IMAGE',
    },
    board: { type: 'string', short: 'b', value: 'ID', help: 'which board it is, if it does not say so itself' },
    baud: { type: 'string', value: 'N', help: 'the rate of a serial port' },
    output: { type: 'string', short: 'o', value: 'FILE', help: 'writes the table as JSON' },
    json: { type: 'boolean', help: 'prints the table as JSON' },
  },
  notes: `The statements run at the prompt, in loops over locals of one letter: a stored program is stopped, and stays stored.

  heapglass calibrate --port /dev/ttyACM0 --output pico.json
  heapglass calibrate --port sim:kaluma-pico`,
  async run(args, io) {
    const port = args.text('port');
    if (port === undefined) throw usageProblem('calibrate', 'no port is given');
    if (args.positionals.length > 0) throw usageProblem('calibrate', `it takes no "${args.positionals[0]}"`);
    const id = args.text('board');
    const baud = args.number('baud', 1);
    const output = args.text('output');
    const transport = await openTransport(port, baud === undefined ? {} : { baud });
    try {
      const table = await calibrate(transport, {
        ...(id !== undefined && { board: loadBoard(id) }),
        signal: io.signal,
        onTiming: ({ name }, index, count) => {
          if (io.isTerminal) io.err(`timed ${index} of ${count}: ${name}\n`);
        },
      });
      if (output !== undefined) writeOutput(output, `${JSON.stringify(table, null, 2)}\n`, '--output');
      io.out(args.flag('json') ? `${JSON.stringify(table)}\n` : costTableText(table));
      return io.signal.aborted ? exitCodes.interrupted : exitCodes.done;
    } finally {
      await transport.close();
    }
  },
};
