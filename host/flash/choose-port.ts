/** The port to use when none was given: the one that looks like a board, or the one that the user picks. */
import { createInterface } from 'node:readline/promises';
import { exitCodes, Problem } from '../../boards/problem.ts';
import type { Io } from '../command.ts';
import { type PortInfo, platformBinding } from '../transport/serial.ts';
import { type FoundPort, judgePorts, mayBeBoard } from './boards.ts';
import { interrupted } from './flasher.ts';

/** What the system enumerates; empty where it cannot (no udev). */
export async function listPorts(): Promise<FoundPort[]> {
  const ports: PortInfo[] = await (await platformBinding()).list().catch(() => []);
  return judgePorts(ports);
}

function portLine({ path, boards, why, manufacturer }: FoundPort): string {
  const names = boards.length > 0 ? `${boards.join(' or ')} (${why})` : why;
  return [path, names, manufacturer].filter(Boolean).join('  ');
}

/**
 * Chooses among `ports`; where some of them look like `boardId`, among those. A Problem when there is none, or several
 * and nobody to ask.
 */
export async function choosePort(
  ports: readonly FoundPort[],
  io: Pick<Io, 'err' | 'isTerminal'>,
  { boardId = null, ask = askOnTerminal }: { boardId?: string | null; ask?: Ask } = {},
): Promise<string> {
  const boards = ports.filter(mayBeBoard);
  const alike = boards.filter((port) => boardId !== null && port.boards.includes(boardId));
  const candidates = alike.length > 0 ? alike : boards;
  if (candidates.length === 0) {
    throw new Problem(
      exitCodes.noBoard,
      'no board is connected',
      ports.length > 0 ? ports.map(portLine) : ['no serial port is enumerated'],
      'Plug one in, or name what to use: --port /dev/ttyACM0, --port tcp://HOST:PORT, --port sim:kaluma-pico.',
    );
  }
  if (candidates.length === 1) return candidates[0]!.path;
  const lines = candidates.map((port, index) => `${index + 1}  ${portLine(port)}`);
  if (!io.isTerminal) {
    throw new Problem(exitCodes.usage, 'more than one board is connected', lines, 'Say which one with --port.');
  }
  io.err(`${lines.join('\n')}\n`);
  for (let tries = 0; tries < triesToAnswer; tries++) {
    const answer = await ask(`Which one, 1 to ${candidates.length}? `);
    if (answer === null) break;
    const chosen = candidates[Number(answer.trim()) - 1];
    if (chosen) return chosen.path;
  }
  throw new Problem(exitCodes.usage, 'no board was chosen', lines, 'Say which one with --port.');
}

/** The answer to a question; null when the input ends (Ctrl-D). Rejects with a Problem at Ctrl-C. */
type Ask = (question: string) => Promise<string | null>;

const triesToAnswer = 3;

async function askOnTerminal(question: string): Promise<string | null> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  let isInterrupted = false;
  terminal.once('SIGINT', () => {
    isInterrupted = true;
    terminal.close();
  });
  const closed = new Promise<null>((resolve) => terminal.once('close', () => resolve(null)));
  try {
    const answer = await Promise.race([terminal.question(question), closed]);
    if (answer === null) process.stderr.write('\n');
    if (isInterrupted) throw interrupted(['no board was chosen, and nothing was sent']);
    return answer;
  } finally {
    terminal.close();
  }
}
