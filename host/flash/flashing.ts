/** What `heapglass flash` does on the line, round after round: see `Flashing`. */
import { statSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import type { Board } from '../../boards/board.ts';
import { type ExitCode, exitCodes, Problem } from '../../boards/problem.ts';
import { isPolicyName, policyNames } from '../../firmware/src/policies/index.ts';
import type { TelemetryLevel } from '../../firmware/toolchain/bundle.ts';
import { usageProblem } from '../arguments.ts';
import { rememberBundle } from '../bundle-store.ts';
import type { Arguments, Io } from '../command.ts';
import { boardOfIdentity } from '../flash/boards.ts';
import { EspruinoFlasher } from '../flash/espruino.ts';
import type { FlashOptions, Started } from '../flash/flasher.ts';
import { handOver } from '../flash/hand-over.ts';
import { describe, type OpenedFlasher, openFlasher } from '../flash/open.ts';
import { type Prepared, prepareProgram, readBytes } from '../flash/prepare.ts';
import { liveSession } from '../monitor/open-boards.ts';
import type { Transport } from '../transport/transport.ts';
import { progressLine } from '../view/progress.ts';
import { plural } from '../view/units.ts';

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

/** Bundles for the board; the warnings are printed. */
export async function prepare(program: string, board: Board, args: Arguments, io: Io): Promise<Prepared> {
  const policy = args.text('policy');
  if (policy !== undefined && !isPolicyName(policy)) {
    throw usageProblem('flash', `there is no policy "${policy}"`, [`the policies are ${policyNames.join(', ')}`]);
  }
  const telemetry = args.text('telemetry') as TelemetryLevel | undefined;
  if (telemetry !== undefined && !levels.includes(telemetry)) {
    throw usageProblem('flash', `there is no telemetry level "${telemetry}"`, [`the levels are ${levels.join(', ')}`]);
  }
  const prepared = await prepareProgram(program, board, {
    ...(policy !== undefined && { policy }),
    ...(telemetry && { telemetry }),
    inRam: args.flag('ram'),
  });
  for (const warning of prepared.warnings) io.err(`warning: ${warning}\n`);
  return prepared;
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
  /** Files whose change asks for another round. */
  #sources: string[] = [];

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

  async once(early: Prepared | null, until?: AbortSignal): Promise<ExitCode> {
    const plan = this.#plan;
    const startedWallMs = performance.now();
    this.#transport ??= await this.#open();
    this.#wasOpen = true;
    const transport = this.#transport;
    const startedMs = transport.clock.nowMs();
    const opened = await openFlasher(transport, {
      board: plan.board,
      findBoard: boardOfIdentity,
      baud: this.#args.number('baud'),
    });
    const { flasher } = opened;
    this.#say(`${transport.name}: ${describe(flasher.identity)}`);
    const progress = progressLine(this.#io);
    const options: FlashOptions = {
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
      if (plan.backup !== null) result.backup = await this.#backup(opened, plan.backup, options);
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
      const { bundle, memory } = prepared;
      result.program = {
        file: plan.program ?? plan.restore,
        bytes: prepared.code.length,
        ...(bundle?.usesHeap && { policy: bundle.policy, arenasBytes: bundle.arenasBytes }),
        memory,
      };
      const flashed =
        plan.inRam && flasher instanceof EspruinoFlasher
          ? await flasher.uploadToRam(prepared.code, options)
          : await flasher.upload(prepared.code, options);
      progress.end();
      result.upload = flashed;
      this.#say(uploadText(flashed, plan.inRam));
      if (prepared.bundle && this.#plan.program) rememberBundle(prepared.bundle, this.#plan.program);
      const exitCode = await this.#start(opened, transport, prepared, result, startedMs, until);
      result.elapsed = { lineMs: transport.clock.nowMs() - startedMs, wallMs: performance.now() - startedWallMs };
      if (plan.isJson) this.#io.out(`${JSON.stringify(result)}\n`);
      return exitCode;
    } finally {
      progress.end();
    }
  }

  /** Rounds until Ctrl-C; a round that fails is reported, and the next change tried. */
  async onEachChange(early: Prepared | null): Promise<ExitCode> {
    let prepared = early;
    for (;;) {
      const changed = new AbortController();
      const files = () => (this.#sources.length > 0 ? this.#sources : [resolve(this.#plan.program!)]);
      const before = stamps(files());
      const polling = setInterval(() => {
        if (stamps(files()) !== before && this.#sources.length > 0) changed.abort();
      }, 300);
      try {
        await this.once(prepared, changed.signal);
      } catch (error) {
        if (!(error instanceof Problem) || !this.#wasOpen) throw error;
        this.#io.err(`${error.message}\n${error.facts.map((fact) => `  ${fact}\n`).join('')}`);
        // The next round opens the line anew, wherever the port is then.
        if (error.exitCode === exitCodes.lineLost) await this.close();
      } finally {
        clearInterval(polling);
      }
      prepared = null;
      const last = stamps(files());
      if (!changed.signal.aborted) this.#say('waiting for a change of a source file (Ctrl-C ends)');
      while (!this.#io.signal.aborted && !changed.signal.aborted && stamps(files()) === last) {
        await new Promise((done) => setTimeout(done, 200));
      }
      if (this.#io.signal.aborted) return exitCodes.done;
    }
  }

  async #prepared({ board }: OpenedFlasher, early: Prepared | null): Promise<Prepared | null> {
    const { program, restore } = this.#plan;
    if (restore !== null) return { code: readBytes(restore), bundle: null, memory: null, warnings: [] };
    if (program === null) return null;
    this.#sources = [resolve(program)];
    if (early === null && board === null) {
      throw new Problem(
        exitCodes.usage,
        'the board is none that is known',
        ['its memory and code area are needed to check that the program fits'],
        'Name one that is like it with --board; `heapglass boards` lists them.',
      );
    }
    const prepared = early ?? (await prepare(program, board!, this.#args, this.#io));
    const folder = dirname(resolve(program));
    this.#sources = [
      resolve(program),
      ...(prepared.bundle?.map.sources ?? [])
        .filter((source) => source && !source.startsWith('heapglass/'))
        .map((source) => resolve(folder, source!)),
    ];
    this.#say(preparedText(prepared, relative('.', program)));
    return prepared;
  }

  async #backup({ flasher }: OpenedFlasher, path: string, options: FlashOptions): Promise<object> {
    const stored = await flasher.read(options);
    if (stored.length === 0) {
      this.#io.err('the board stores no program: no backup was written\n');
      return { file: null, bytes: 0 };
    }
    writeFileSync(path, stored);
    this.#say(`saved what the board held: ${plural(stored.length, 'byte')} in ${path}`);
    return { file: path, bytes: stored.length };
  }

  async #start(
    opened: OpenedFlasher,
    transport: Transport,
    prepared: Prepared,
    result: Record<string, unknown>,
    startedMs: number,
    until?: AbortSignal,
  ): Promise<ExitCode> {
    const plan = this.#plan;
    const session = liveSession(transport.name, this.#io);
    const hasFrames = prepared.bundle?.usesHeap === true && (this.#args.text('telemetry') ?? 'events') !== 'off';
    const isFrame = (bytes: Uint8Array): boolean => {
      session.push(bytes);
      return session.decoder.statistics.frames > 0;
    };
    let started: Started | null = null;
    // A program in RAM runs since it was sent.
    if (!plan.inRam) {
      started = await opened.flasher.start(hasFrames ? { isFrame, timeoutMs: frameWithinMs } : {});
      result.started = started;
      this.#say(startedText(started, hasFrames));
    }
    session.push(opened.release());
    if (plan.isMonitor && started?.error == null) {
      this.#transport = null;
      const { firstMapMs } = await handOver(transport, session, this.#io, {
        startedMs,
        reopen: this.#open,
        isQuiet: plan.isJson,
        ...(plan.forMs !== null && { forMs: plan.forMs }),
        ...(until && { until }),
      });
      result.monitor = { firstMapMs, figures: session.figures(), line: session.line() };
    }
    return started?.error == null ? exitCodes.done : exitCodes.failed;
  }

  #say(text: string): void {
    if (!this.#plan.isJson) this.#io.err(`${text}\n`);
  }
}

/** The times of change of all the files, as one text to compare. */
function stamps(files: readonly string[]): string {
  return files.map((file) => `${statSync(file, { throwIfNoEntry: false })?.mtimeMs}`).join(' ');
}

function preparedText({ code, bundle, memory }: Prepared, name: string): string {
  const heap = bundle?.usesHeap ? ` with ${bundle.policy}` : '';
  const fit = memory
    ? `; ${memory.left} of ${memory.total} ${memory.unit} stay free (at least ${memory.margin} should)`
    : '';
  return `bundled ${name}${heap}: ${plural(code.length, 'byte')}${fit}`;
}

function uploadText(
  { storedBytes, attempts, resent, uploadMs, bytesPerSecond }: Awaited<ReturnType<EspruinoFlasher['upload']>>,
  inRam: boolean,
): string {
  const again = [attempts > 1 && `${attempts} attempts`, resent > 0 && `${plural(resent, 'packet')} sent again`].filter(
    Boolean,
  );
  const what = inRam ? 'in RAM, verified before it ran' : 'stored and verified';
  const rate = `${(uploadMs / 1000).toFixed(1)} s, ${Math.round(bytesPerSecond)} bytes/s`;
  return `${what}: ${plural(storedBytes, 'byte')} in ${[rate, ...again].join(', ')}`;
}

function startedText({ proof, elapsedMs, error, text }: Started, hasFrames: boolean): string {
  if (error !== null) return `the program failed when it was started: ${error}`;
  if (proof === 'frame') return `running: its first telemetry frame came after ${Math.round(elapsedMs)} ms`;
  const printed = text.trim();
  const said = printed ? `; it printed ${JSON.stringify(printed.slice(0, 200))}` : '';
  return hasFrames
    ? `running, but no telemetry came within ${Math.round(elapsedMs)} ms${said}`
    : `running: the prompt came back after ${Math.round(elapsedMs)} ms${said}`;
}
