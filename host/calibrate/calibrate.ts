/**
 * Times statements on the board that answers on a line, real or virtual, at its prompt: what it stores is not touched.
 *
 * A cost is (time of the loop with the statement - time of the empty loop) / rounds, in cycles of the board's clock. The
 * clock is the board's own, so its interrupts (USB, the timer) are in the figures, as they are in a program.
 */
import type { Board } from '../../boards/board.ts';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { boardOfIdentity } from '../flash/boards.ts';
import { EspruinoConsole } from '../flash/espruino-console.ts';
import type { Identity } from '../flash/flasher.ts';
import { reachPrompt } from '../flash/kaluma-console.ts';
import { Link } from '../flash/link.ts';
import { describe, identify } from '../flash/open.ts';
import type { Transport } from '../transport/transport.ts';
import { type Statement, statements, timingLine } from './statements.ts';

export interface Timing extends Statement {
  rounds: number;
  /** Of one round, the loop itself included. */
  roundUs: number;
  /** Of the statement alone. */
  cycles: number;
}

export interface CostTable {
  format: 'heapglass-costs';
  version: 1;
  board: string | null;
  /** What the board says it is. */
  identity: Identity;
  clockHz: number;
  emptyRoundCycles: number;
  statements: Timing[];
}

const answerMs = 30_000;
const timesOnVirtualClock = 'a virtual board without a cost model does not count time';

export interface CalibrateOptions {
  /** For a board that does not say which it is. */
  board?: Board | null;
  onTiming?: (timing: Timing, index: number, count: number) => void;
  signal?: AbortSignal;
}

export async function calibrate(transport: Transport, options: CalibrateOptions = {}): Promise<CostTable> {
  const link = new Link(transport);
  const identity = await identify(link);
  const board = options.board ?? boardOfIdentity(identity);
  if (!board)
    throw new Problem(
      exitCodes.usage,
      `the clock of what answers on ${transport.name} is not known`,
      [`${describe(identity)} answers`],
      'Name the board with --board.',
    );
  if (identity.engine === 'espruino') await new EspruinoConsole(link).reach();
  else await reachPrompt(link);

  const empty = await timed(link, identity, '', 0);
  if (empty.us <= 0)
    throw new Problem(
      exitCodes.unsupported,
      `the clock of ${transport.name} does not go on while a program runs`,
      [`${empty.rounds} rounds of an empty loop took no time`, timesOnVirtualClock],
      'Calibrate a real board, or a virtual one with a cost model.',
    );
  const emptyUs = empty.us / empty.rounds;
  const cyclesOf = (us: number): number => Math.round((us * board.clockHz) / 1e6);
  const timings: Timing[] = [];
  for (const [index, statement] of statements.entries()) {
    if (options.signal?.aborted) break;
    const { rounds, us } = await timed(link, identity, statement.source, index + 1);
    const roundUs = us / rounds;
    const timing = { ...statement, rounds, roundUs, cycles: cyclesOf(roundUs - emptyUs) };
    timings.push(timing);
    options.onTiming?.(timing, index + 1, statements.length);
  }
  link.release();
  return {
    format: 'heapglass-costs',
    version: 1,
    board: board.id,
    identity,
    clockHz: board.clockHz,
    emptyRoundCycles: cyclesOf(emptyUs),
    statements: timings,
  };
}

/** Has the board time one statement; asks again once, since a line may damage a question. */
async function timed(
  link: Link,
  { engine }: Identity,
  source: string,
  index: number,
): Promise<{ rounds: number; us: number }> {
  let heard = '';
  for (let tries = 0; tries < 2; tries++) {
    const mark = `hgc${index}x${tries}`;
    const line = timingLine(engine, source, mark);
    link.takeAll();
    await link.write(engine === 'espruino' ? `\x10${line}\n` : `${line}\r`);
    const answer = new RegExp(`<${mark}\\|(\\d+),(-?\\d+)\\|${mark}>`);
    const { value, text } = await link.readUntil((all) => answer.exec(all), answerMs);
    if (value) return { rounds: Number(value[1]), us: Number(value[2]) };
    heard = text;
    await link.write('\x03');
    await link.takeUntilQuiet(150, 800);
  }
  throw new Problem(
    exitCodes.failed,
    `the board did not time "${source || 'the empty loop'}"`,
    [heard === '' ? 'nothing came back' : `it sent ${JSON.stringify(heard.slice(-80))}`],
    'Reset the board and try again.',
  );
}
