// Runs a command in this process, as the command line would, and gives what it wrote.
import { Problem } from '../../boards/problem.ts';
import { parseArguments } from '../../host/arguments.ts';
import type { Command, Io } from '../../host/command.ts';
import { captureIo } from '../support/io.ts';

export interface Ran {
  code: number;
  out: string;
  err: string;
  problem: Problem | null;
}

export async function runCommand(command: Command, words: readonly string[], changes: Partial<Io> = {}): Promise<Ran> {
  const { io, written } = captureIo(changes);
  try {
    return { code: await command.run(parseArguments(command, words), io), ...written, problem: null };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { code: error.exitCode, ...written, problem: error };
  }
}
