/** `heapglass ports`: what is connected, which of it looks like a board, and why. */
import { exitCodes } from '../../boards/problem.ts';
import { usageProblem } from '../arguments.ts';
import type { Command } from '../command.ts';
import { boardOfIdentity, type FoundPort, mayBeBoard } from '../flash/boards.ts';
import { listPorts } from '../flash/choose-port.ts';
import { Link } from '../flash/link.ts';
import { describe, identify } from '../flash/open.ts';
import { openTransport } from '../transport/open.ts';

interface Row extends FoundPort {
  /** What answered, with --ask. */
  answer: string | null;
  engine: string | null;
  board: string | null;
}

/** Asks what is on a port; the reason when nothing can be asked. */
async function ask(port: string, baud: number | undefined): Promise<Pick<Row, 'answer' | 'engine' | 'board'>> {
  try {
    const transport = await openTransport(port, baud === undefined ? {} : { baud });
    try {
      const identity = await identify(new Link(transport));
      return { answer: describe(identity), engine: identity.engine, board: boardOfIdentity(identity)?.id ?? null };
    } finally {
      await transport.close();
    }
  } catch (error) {
    return { answer: (error as Error).message, engine: null, board: null };
  }
}

export const command: Command = {
  name: 'ports',
  summary: 'what is connected, and which of it looks like a board',
  positionals: '[PORT ...]',
  options: {
    ask: { type: 'boolean', help: 'open each port that may be a board and ask what is there' },
    baud: { type: 'string', value: 'N', help: 'the rate to ask at; 115200 if not given' },
    json: { type: 'boolean', help: 'one JSON object' },
  },
  notes: `Ports named on the command line are asked, enumerated or not: a path, tcp://HOST:PORT, rfc2217://HOST:PORT,
sim:BOARD. Asking sends a carriage return and a version question; a program that runs goes on, unless nothing
answers: then it is interrupted.

  heapglass ports
  heapglass ports --ask
  heapglass ports tcp://127.0.0.1:4000 --json`,
  async run(args, io) {
    const named = args.positionals;
    const baud = args.number('baud', 1);
    if (baud === 1200) throw usageProblem('ports', '1200 baud reboots RP2040 boards into their boot loader');
    const found: FoundPort[] =
      named.length > 0 ? named.map((path) => ({ path, boards: [], why: 'named' })) : await listPorts();
    const rows: Row[] = [];
    for (const port of found) {
      const isAsked = named.length > 0 || (args.flag('ask') && mayBeBoard(port));
      rows.push({ ...port, ...(isAsked ? await ask(port.path, baud) : { answer: null, engine: null, board: null }) });
    }
    if (args.flag('json')) {
      io.out(
        `${JSON.stringify({ ports: rows.map((row) => ({ ...row, mayBeBoard: mayBeBoard(row) || row.engine !== null })) })}\n`,
      );
    } else if (rows.length === 0) {
      io.out('no serial port is enumerated; --port also takes tcp://HOST:PORT, rfc2217://HOST:PORT and sim:BOARD\n');
    } else {
      const cells = rows.map(({ path, boards, why, answer }) => [
        path,
        boards.length > 0 ? `maybe ${boards.join(', ')}` : '-',
        answer === null ? why : `${why}: ${answer}`,
      ]);
      const widths = [0, 1].map((column) => Math.max(...cells.map((row) => row[column]!.length)));
      for (const [path, boards, why] of cells) {
        io.out(`${path!.padEnd(widths[0]!)}  ${boards!.padEnd(widths[1]!)}  ${why}\n`);
      }
    }
    // Named ports that do not answer are an answer of no.
    return named.length > 0 && rows.some(({ engine }) => engine === null) ? exitCodes.noBoard : exitCodes.done;
  },
};
