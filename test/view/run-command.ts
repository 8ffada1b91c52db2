// Runs a command in this process, as the command line would, and gives what it wrote.
import { Problem } from '../../boards/problem.ts';
import { parseArguments } from '../../host/arguments.ts';
import type { Command, Io } from '../../host/command.ts';

export interface Ran {
  code: number;
  out: string;
  err: string;
  problem: Problem | null;
}

export async function runCommand(command: Command, words: readonly string[], io: Partial<Io> = {}): Promise<Ran> {
  const ran: Ran = { code: -1, out: '', err: '', problem: null };
  const fake: Io = {
    out: (text) => {
      ran.out += text;
    },
    err: (text) => {
      ran.err += text;
    },
    isTerminal: false,
    columns: 80,
    rows: 24,
    color: false,
    signal: new AbortController().signal,
    ...io,
  };
  try {
    ran.code = await command.run(parseArguments(command, words), fake);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    ran.problem = error;
    ran.code = error.exitCode;
  }
  return ran;
}
