/** The port to use when none was given: the one that looks like a board, or the one that the user picks. */
import { createInterface } from 'node:readline/promises';
import { exitCodes, Problem } from '../../boards/problem.ts';
import type { Io } from '../command.ts';
import { type PortInfo, platformBinding } from '../transport/serial.ts';
import { type FoundPort, judgePorts, mayBeBoard } from './boards.ts';

/** What the system enumerates; empty where it cannot (no udev). */
export async function listPorts(): Promise<FoundPort[]> {
  const ports: PortInfo[] = await (await platformBinding()).list().catch(() => []);
  return judgePorts(ports);
}

export function portLine({ path, boards, why, manufacturer }: FoundPort): string {
  const names = boards.length > 0 ? `${boards.join(' or ')} (${why})` : why;
  return [path, names, manufacturer].filter(Boolean).join('  ');
}

/** Chooses among `ports`. A Problem when there is none, or several and nobody to ask. */
export async function choosePort(
  ports: readonly FoundPort[],
  io: Pick<Io, 'err' | 'isTerminal'>,
  ask: (question: string) => Promise<string> = askOnTerminal,
): Promise<string> {
  const candidates = ports.filter(mayBeBoard);
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
  const answer = Number((await ask(`Which one, 1 to ${candidates.length}? `)).trim());
  const chosen = candidates[answer - 1];
  if (!chosen) throw new Problem(exitCodes.usage, 'no board was chosen', lines, 'Say which one with --port.');
  return chosen.path;
}

/** The answer to a question; empty when the input ends (Ctrl-D) or is interrupted (Ctrl-C). */
async function askOnTerminal(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  try {
    return await Promise.race([terminal.question(question), closed]);
  } finally {
    terminal.close();
  }
}
