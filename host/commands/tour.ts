/** `heapglass tour`: what malloc and free do, one call at a time, on a map of a real heap. */
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import pc from 'picocolors';
import { exitCodes } from '../../boards/problem.ts';
import { usageProblem } from '../arguments.ts';
import type { Command, Io } from '../command.ts';
import { lessons, type Moment, moments } from '../tour/lessons.ts';

const widthColumns = 78;

/** Breaks text into lines of at most `columns`. */
function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  if (line !== '') lines.push(line);
  return lines;
}

/** A moment as text: the call and its result, the map, the words. */
export function momentText(moment: Moment, color: boolean, columns = widthColumns): string {
  const { bold, dim, green } = pc.createColors(color);
  const { call, result, map, text } = moment;
  const cells = [...map].map((cell) => (cell === '.' || cell === '#' ? dim(cell) : green(cell))).join('');
  return [
    ...(call === null ? [] : [`  ${bold(call)}  ${dim('→')} ${result}`]),
    `  |${cells}|`,
    ...wrapped(text, columns - 2).map((line) => `  ${line}`),
    '',
    '',
  ].join('\n');
}

function heading({ title, policy, lesson }: Moment, color: boolean): string {
  const { bold, dim } = pc.createColors(color);
  return `${bold(title)}  ${dim(`(${lesson}, policy ${policy})`)}\n\n`;
}

/** Resolves true at the next line typed, false when the input ends or the user stops. */
async function enterPressed(io: Io, lines: AsyncIterator<string>): Promise<boolean> {
  if (io.signal.aborted) return false;
  const stopped = once(io.signal, 'abort').then(() => ({ done: true, value: '' }));
  const { done, value } = await Promise.race([lines.next(), stopped]);
  return !done && value.trim() !== 'q';
}

export const command: Command = {
  name: 'tour',
  summary: 'what malloc and free do, step by step on a live map',
  positionals: '[lesson...]',
  options: {
    all: { type: 'boolean', help: 'do not wait for Enter between the steps' },
    json: { type: 'boolean', help: 'a line of JSON a step' },
  },
  notes: `Lessons: ${lessons.map(({ name }) => name).join(', ')}. Without a name, all of them in this order.
Enter goes on, q and Enter leaves. Output that is not a terminal gets every step at once.

  heapglass tour fragment`,
  async run(args, io) {
    const unknown = args.positionals.filter((name) => !lessons.some((lesson) => lesson.name === name));
    if (unknown.length > 0)
      throw usageProblem('tour', `there is no lesson "${unknown[0]}"`, [
        `the lessons are ${lessons.map(({ name }) => name).join(', ')}`,
      ]);
    const chosen =
      args.positionals.length > 0 ? lessons.filter(({ name }) => args.positionals.includes(name)) : lessons;
    if (args.flag('json')) {
      for (const moment of moments(chosen)) io.out(`${JSON.stringify(moment)}\n`);
      return exitCodes.done;
    }
    const waits = io.isTerminal && process.stdin.isTTY === true && !args.flag('all');
    const input = waits ? createInterface({ input: process.stdin }) : undefined;
    const lines = input?.[Symbol.asyncIterator]();
    let lesson = '';
    try {
      for (const moment of moments(chosen)) {
        if (moment.lesson !== lesson) io.out(heading(moment, io.color));
        lesson = moment.lesson;
        io.out(momentText(moment, io.color, Math.max(40, Math.min(io.columns, 100))));
        // A step without words belongs to the next one.
        if (lines && moment.text !== '' && !(await enterPressed(io, lines)))
          return io.signal.aborted ? exitCodes.interrupted : exitCodes.done;
      }
    } finally {
      input?.close();
    }
    return exitCodes.done;
  },
};
