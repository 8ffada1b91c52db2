/** The text of `heapglass --help` and `heapglass <command> --help`. */
import { exitCodes } from '../boards/problem.ts';
import type { Command } from './command.ts';

const exitCodeMeanings: Record<keyof typeof exitCodes, string> = {
  done: 'done',
  failed: 'the work was done and its answer is no',
  usage: 'wrong arguments',
  badInput: 'a file is missing, malformed or cut, or cannot be written',
  noBoard: 'no port, or nothing answers on it',
  lineLost: 'the line was lost while working',
  tooBig: 'it does not fit the board',
  notVerified: 'the board holds something else than what was sent',
  unsupported: 'the engine or the board lacks it',
  missing: 'an optional part is not installed',
  outOfMemory: 'a board that was watched ran out of memory',
  defect: 'a defect of Heapglass',
  interrupted: 'interrupted',
};

export function generalHelp(version: string, commands: readonly { name: string; summary: string }[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const list = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  const codes = Object.entries(exitCodes).map(
    ([name, code]) => `  ${String(code).padStart(3)}  ${exitCodeMeanings[name as keyof typeof exitCodes]}`,
  );
  return [
    `heapglass ${version}: memory on JavaScript microcontrollers, seen`,
    '',
    'Usage: heapglass <command> [options]',
    '',
    'Commands',
    ...list,
    '',
    'Every command takes --help; commands that read take --json.',
    '',
    'Exit codes',
    ...codes,
    '',
  ].join('\n');
}

export function commandHelp(command: Command): string {
  const rows = Object.entries(command.options).map(([name, option]) => {
    const called = option.value ?? 'TEXT';
    const value = option.type === 'string' ? ` ${option.assumed ? `[${called}]` : called}` : '';
    return [`${option.short ? `-${option.short}, ` : ''}--${name}${value}`, option.help] as const;
  });
  rows.push(['-h, --help', 'this text']);
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    `heapglass ${command.name}: ${command.summary}`,
    '',
    `Usage: heapglass ${[command.name, command.positionals, '[options]'].filter(Boolean).join(' ')}`,
    '',
    'Options',
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`),
    ...(command.notes ? ['', command.notes.trimEnd()] : []),
    '',
  ].join('\n');
}
