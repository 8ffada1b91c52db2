/** Turns `process.argv` into a command's Arguments, or into a usage Problem that names the wrong word. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { exitCodes, Problem } from '../boards/problem.ts';
import type { Arguments, Command, ParseOptions } from './command.ts';

export function usageProblem(command: string, problem: string, facts: readonly string[] = []): Problem {
  const help = command === '' ? 'heapglass --help' : `heapglass ${command} --help`;
  return new Problem(exitCodes.usage, problem, facts, `Run \`${help}\` for what it takes.`);
}

/** `--name` without its value becomes `--name=VALUE`, for options whose value may be left out. */
function withAssumedValues(command: Command, words: readonly string[]): string[] {
  const out: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const option = word.startsWith('--') ? command.options[word.slice(2)] : undefined;
    const next = words[at + 1];
    if (option?.assumed === undefined || (next !== undefined && option.assumed.pattern.test(next))) out.push(word);
    else out.push(`${word}=${option.assumed.value}`);
  }
  return out;
}

/** Parses the words after the command's name. `--help` is the caller's to look for. */
export function parseArguments(command: Command, words: readonly string[]): Arguments {
  const options: ParseOptions = { help: { type: 'boolean', short: 'h' } };
  for (const [name, { type, short, multiple }] of Object.entries(command.options)) {
    options[name] = { type, ...(short && { short }), ...(multiple && { multiple }) };
  }
  const config: ParseArgsConfig = {
    args: withAssumedValues(command, words),
    options,
    allowPositionals: true,
    strict: true,
  };
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs(config);
  } catch (error) {
    throw usageProblem(command.name, (error as Error).message.split('. ')[0] ?? 'wrong arguments');
  }
  const values = parsed.values as Record<string, string | boolean | (string | boolean)[] | undefined>;
  return {
    positionals: parsed.positionals,
    text: (name) => values[name] as string | undefined,
    flag: (name) => values[name] === true,
    list: (name) => (values[name] ?? []) as string[],
    number: (name, least = 0) => {
      const text = values[name] as string | undefined;
      if (text === undefined) return undefined;
      const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
      if (!Number.isSafeInteger(value) || value < least) {
        throw usageProblem(command.name, `--${name} takes a whole number from ${least} up`, [`it was given "${text}"`]);
      }
      return value;
    },
  };
}
