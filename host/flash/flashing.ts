/** What `heapglass flash` does on the line, round after round: see `Flashing`. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Board } from '../../boards/board.ts';
import { type ExitCode, exitCodes, Problem } from '../../boards/problem.ts';
import { isPolicyName, type PolicyName, policyNames } from '../../firmware/src/policies/index.ts';
import type { TelemetryLevel } from '../../firmware/toolchain/bundle.ts';
import { usageProblem } from '../arguments.ts';
import { rememberBundle } from '../bundle-store.ts';
import type { Arguments, Io } from '../command.ts';
import { liveSession } from '../monitor/open-boards.ts';
import type { Session } from '../monitor/session.ts';
import { writeOutput } from '../output-file.ts';
import { problemText } from '../problem-text.ts';
import type { Transport } from '../transport/transport.ts';
import { progressLine } from '../view/progress.ts';
import { plural } from '../view/units.ts';
import { boardOfIdentity } from './boards.ts';
import { backWithinMs, withComebacks } from './comeback.ts';
import { EspruinoFlasher } from './espruino.ts';
import type { FlashOptions, StartOptions } from './flasher.ts';
import { handOver } from './hand-over.ts';
import { describe, type OpenedFlasher, openFlasher } from './open.ts';
import { checkWritable, type Prepared, prepareProgram, readBytes } from './prepare.ts';
import { preparedText, startedText, uploadText } from './said.ts';

export const levels: readonly TelemetryLevel[] = ['events', 'sampled', 'counters', 'off'];
/** How long the first frame of a program with telemetry is waited for. */
const frameWithinMs = 8_000;

/** What the command line asks for, checked. */
export interface Plan {
  program: string | null;
  restore: string | null;
  backup: string | null;
  port: string | null;
  board: Board | null;
  inRam: boolean;
  isErase: boolean;
  isJson: boolean;
  isWatch: boolean;
  isMonitor: boolean;
  forMs: number | null;
  isDryRun: boolean;
}

/** The allocator and the telemetry that the command line names; a usage Problem for one that there is not. */
export function namedOptions(args: Arguments): { policy?: PolicyName; telemetry?: TelemetryLevel } {
  const policy = args.text('policy');
  if (policy !== undefined && !isPolicyName(policy)) {
    throw usageProblem('flash', `there is no policy "${policy}"`, [`the policies are ${policyNames.join(', ')}`]);
  }
  const telemetry = args.text('telemetry') as TelemetryLevel | undefined;
  if (telemetry !== undefined && !levels.includes(telemetry)) {
    throw usageProblem('flash', `there is no telemetry level "${telemetry}"`, [`the levels are ${levels.join(', ')}`]);
  }
  return { ...(policy !== undefined && { policy }), ...(telemetry && { telemetry }) };
}

/** Bundles for the board; the warnings are printed. */
export async function prepare(program: string, board: Board, args: Arguments, io: Io): Promise<Prepared> {
  const prepared = await prepareProgram(program, board, {
    ...namedOptions(args),
    inRam: args.flag('ram'),
    native: args.flag('native'),
  });
  for (const warning of prepared.warnings) io.err(`warning: ${warning}\n`);
  return prepared;
}

export const ramOnKaluma = (): Problem =>
  usageProblem('flash', '--ram is for Espruino boards; Kaluma runs what it stores', ['nothing was sent but questions']);

const otherBoard = (port: string, answers: string, answered: string): Problem =>
  new Problem(
    exitCodes.noBoard,
    `another board is on ${port}`,
    [`${answers} in place of ${answered}`],
    'Plug it in again.',
  );

/** What a round has when the program is on the board. */
interface Round {
  session: Session;
  /** The JSON object that the round becomes. */
  result: Record<string, unknown>;
  /** On the transport's clock. */
  startedMs: number;
  until: AbortSignal | undefined;
}

/** Rounds of: connect, back up, bundle, upload, verify, start, watch. */
export class Flashing {
  readonly #plan: Plan;
  readonly #args: Arguments;
  readonly #io: Io;
  readonly #open: () => Promise<Transport>;
  /** Open from one round to the next; a live view that ended has closed it. */
  #transport: Transport | null = null;
  #wasOpen = false;
  /** What `--backup` saved: once a command, so that it is never written over by what a later round finds. */
  #saved: object | null = null;
  /** How far the round is: a lost line is waited for while a board is known that does not hold the program yet. */
  #stage: 'asking' | 'flashing' | 'stored' = 'asking';
  #losses = 0;
  /** What answered before a loss: nothing else is taken for it. */
  #answered = '';
  /** Files whose change asks for another round, with the time of the last change that was seen. */
  #sources = new Map<string, number>();

  constructor(plan: Plan, args: Arguments, io: Io, open: () => Promise<Transport>) {
    this.#plan = plan;
    this.#args = args;
    this.#io = io;
    this.#open = open;
  }

  async close(): Promise<void> {
    await this.#transport?.close();
    this.#transport = null;
  }

  /** One round. A line that is lost before the program is stored is waited for, and the round begun again. */
  once(early: Prepared | null, until?: AbortSignal): Promise<ExitCode> {
    this.#losses = 0;
    return withComebacks(() => this.#round(early, until), {
      mayBeginAgain: () => this.#stage === 'flashing',
      release: () => this.close(),
      onLost: ({ message, facts }) => {
        this.#losses++;
        this.#io.err(`${message}: ${facts.join('; ')}\nwaiting ${backWithinMs / 1000} s for it to come back\n`);
      },
      signal: this.#io.signal,
    });
  }

  async #round(early: Prepared | null, until?: AbortSignal): Promise<ExitCode> {
    const plan = this.#plan;
    const startedWallMs = performance.now();
    this.#stage = 'asking';
    this.#transport ??= await this.#open();
    this.#wasOpen = true;
    const transport = this.#transport;
    const startedMs = transport.clock.nowMs();
    const opened = await openFlasher(transport, {
      board: plan.board,
      findBoard: boardOfIdentity,
      baud: this.#args.number('baud'),
      signal: this.#io.signal,
    });
    const { flasher } = opened;
    if (plan.inRam && flasher.identity.engine === 'kaluma') throw ramOnKaluma();
    const answers = describe(flasher.identity);
    if (this.#losses > 0 && answers !== this.#answered) throw otherBoard(transport.name, answers, this.#answered);
    this.#answered = answers;
    // A virtual board of this process is another one when it is opened again.
    if (!/^(sim|rp2040js):/.test(transport.name)) this.#stage = 'flashing';
    this.#say(`${transport.name}: ${answers}`);
    const progress = progressLine(this.#io);
    const session = liveSession(transport.name, this.#io);
    const options: FlashOptions = {
      onOutput: (bytes) => session.push(bytes),
      signal: this.#io.signal,
      onProgress: (state) => {
        if (!plan.isJson) progress.show(state);
      },
    };
    const result: Record<string, unknown> = {
      port: transport.name,
      ...flasher.identity,
      board: opened.board?.id ?? flasher.identity.board,
    };
    try {
      if (plan.backup !== null) result.backup = this.#saved ??= await this.#backup(opened, plan.backup, options);
      if (plan.isErase) {
        await flasher.erase();
        result.erased = true;
        this.#say('erased: the board holds no program');
      }
      const prepared = await this.#prepared(opened, early);
      if (prepared === null) {
        if (plan.isJson) this.#io.out(`${JSON.stringify(result)}\n`);
        return exitCodes.done;
      }
      result.program = { file: plan.program ?? plan.restore, ...programFacts(prepared) };
      const flashed =
        plan.inRam && flasher instanceof EspruinoFlasher
          ? await flasher.uploadToRam(prepared.code, options)
          : await flasher.upload(prepared.code, options);
      progress.end();
      this.#stage = 'stored';
      result.upload = flashed;
      if (this.#losses > 0) result.losses = this.#losses;
      this.#say(uploadText(flashed, plan.inRam));
      if (prepared.bundle && this.#plan.program) rememberBundle(prepared.bundle, this.#plan.program);
      const exitCode = await this.#start(opened, prepared, { session, result, startedMs, until });
      result.elapsed = { lineMs: transport.clock.nowMs() - startedMs, wallMs: performance.now() - startedWallMs };
      if (plan.isJson) this.#io.out(`${JSON.stringify(result)}\n`);
      return exitCode;
    } finally {
      progress.end();
    }
  }

  /** Rounds until Ctrl-C; a round that fails is reported, and the next change tried. */
  async onEachChange(): Promise<ExitCode> {
    while (!this.#io.signal.aborted) {
      this.#look([resolve(this.#plan.program!), ...this.#sources.keys()]);
      const changed = new AbortController();
      const polling = setInterval(() => {
        if (this.#hasChanged()) changed.abort();
      }, 300);
      try {
        await this.once(null, changed.signal);
      } catch (error) {
        if (!(error instanceof Problem) || !this.#wasOpen) throw error;
        this.#io.err(problemText(error));
        // The next round opens the line anew, wherever the port is then.
        if (error.exitCode === exitCodes.lineLost) await this.close();
      } finally {
        clearInterval(polling);
      }
      if (this.#io.signal.aborted) break;
      this.#say('waiting for a change of a source file (Ctrl-C ends)');
      while (!this.#io.signal.aborted && !this.#hasChanged()) await new Promise((done) => setTimeout(done, 200));
    }
    return exitCodes.done;
  }

  /** Notes when the files were changed last. */
  #look(files: readonly string[]): void {
    this.#sources = new Map(files.map((file) => [file, changedAt(file)]));
  }

  #hasChanged(): boolean {
    return [...this.#sources].some(([file, seenAt]) => changedAt(file) !== seenAt);
  }

  async #prepared({ board }: OpenedFlasher, early: Prepared | null): Promise<Prepared | null> {
    const { program, restore } = this.#plan;
    if (restore !== null) return { code: readBytes(restore), bundle: null, memory: null, warnings: [] };
    if (program === null) return null;
    if (early === null && board === null) {
      throw new Problem(
        exitCodes.usage,
        'the board is none that is known',
        ['its memory and code area are needed to check that the program fits'],
        'Name one that is like it with --board; `heapglass boards` lists them.',
      );
    }
    const prepared = early ?? (await prepare(program, board!, this.#args, this.#io));
    for (const file of prepared.bundle?.files ?? []) {
      if (!this.#sources.has(file)) this.#sources.set(file, changedAt(file));
    }
    this.#say(preparedText(prepared, program));
    return prepared;
  }

  async #backup({ flasher }: OpenedFlasher, path: string, options: FlashOptions): Promise<object> {
    // Before anything is read: a backup that cannot be written is no backup.
    checkWritable(path);
    const stored = await flasher.read(options);
    if (stored.length === 0) {
      this.#io.err('the board stores no program: no backup was written\n');
      return { file: null, bytes: 0 };
    }
    writeOutput(path, stored, '--backup; nothing was flashed');
    this.#say(`saved what the board held: ${plural(stored.length, 'byte')} in ${path}`);
    return { file: path, bytes: stored.length };
  }

  async #start({ flasher, release }: OpenedFlasher, prepared: Prepared, round: Round): Promise<ExitCode> {
    const plan = this.#plan;
    const { session, result, startedMs, until } = round;
    const hasFrames = prepared.bundle?.usesHeap === true && (this.#args.text('telemetry') ?? 'events') !== 'off';
    // A backup may be a program with telemetry or one without: its text is kept back until that is known.
    const mayHaveFrames = hasFrames || plan.restore !== null;
    const looking = hasFrames ? session : liveSession(this.#transport!.name, { ...this.#io, out: ignore, err: ignore });
    const heard: Uint8Array[] = [];
    const isFrame = (bytes: Uint8Array): boolean => {
      looking.push(bytes);
      heard.push(bytes);
      const isSeen = looking.decoder.statistics.frames > 0;
      if (isSeen && looking !== session) for (const chunk of heard) session.push(chunk);
      return isSeen;
    };
    const wait: StartOptions = {
      signal: this.#io.signal,
      ...(mayHaveFrames && { isFrame, needsFrame: hasFrames, timeoutMs: frameWithinMs }),
    };
    // A program in RAM runs since it was sent.
    const started =
      plan.inRam && flasher instanceof EspruinoFlasher ? await flasher.awaitLife(wait) : await flasher.start(wait);
    result.started = started;
    this.#say(startedText(started, hasFrames));
    session.push(release());
    if (plan.isMonitor && started.error === null) {
      const transport = this.#transport!;
      this.#transport = null;
      const { firstMapMs, verdict } = await handOver(transport, session, this.#io, {
        startedMs,
        reopen: this.#open,
        isQuiet: plan.isJson,
        ...(plan.forMs !== null && { forMs: plan.forMs }),
        ...(until && { until }),
      });
      result.monitor = { firstMapMs, figures: session.figures(), line: session.line() };
      if (verdict !== null) {
        this.#io.err(problemText(verdict));
        return verdict.exitCode;
      }
    }
    return started.error === null ? exitCodes.done : exitCodes.failed;
  }

  #say(text: string): void {
    if (!this.#plan.isJson) this.#io.err(`${text}\n`);
  }
}

/** For --json. */
const programFacts = ({ code, bundle, memory }: Prepared) => ({
  bytes: code.length,
  ...(bundle?.usesHeap && { policy: bundle.policy, arenasBytes: bundle.arenasBytes, native: bundle.native }),
  memory,
});

const ignore = (): void => {};

/** Milliseconds; NaN would never equal itself, so a file that is gone is -1. */
const changedAt = (file: string): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? -1;
