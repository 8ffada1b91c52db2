/** `heapglass flash <program.js>`: finds the board, bundles, checks that it fits, uploads, verifies, starts, watches. */
import { statSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { type Board, loadBoard } from '../../boards/board.ts';
import { type ExitCode, exitCodes, Problem } from '../../boards/problem.ts';
import { isPolicyName, policyNames } from '../../firmware/src/policies/index.ts';
import type { TelemetryLevel } from '../../firmware/toolchain/bundle.ts';
import { usageProblem } from '../arguments.ts';
import { rememberBundle } from '../bundle-store.ts';
import type { Arguments, Command, Io } from '../command.ts';
import { boardOfIdentity } from '../flash/boards.ts';
import { choosePort, listPorts } from '../flash/choose-port.ts';
import { EspruinoFlasher } from '../flash/espruino.ts';
import type { FlashOptions, Started } from '../flash/flasher.ts';
import { type HandOver, watchLine } from '../flash/hand-over.ts';
import { describe, type OpenedFlasher, openFlasher } from '../flash/open.ts';
import { type Prepared, prepareProgram, readBytes } from '../flash/prepare.ts';
import { Session } from '../monitor/session.ts';
import { openTransport } from '../transport/open.ts';
import type { SimTransport } from '../transport/sim.ts';
import type { Transport } from '../transport/transport.ts';
import { progressLine } from '../view/progress.ts';
import { plural } from '../view/units.ts';

const levels: readonly TelemetryLevel[] = ['events', 'counters', 'off'];
/** How long the first frame of a program with telemetry is waited for. */
const frameWithinMs = 8_000;

/** What the command line asks for, checked. */
interface Plan {
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

function planOf(args: Arguments): Plan {
  const [program = null, ...more] = args.positionals;
  const wrong = (problem: string) => usageProblem('flash', problem);
  if (more.length > 0) throw wrong('it takes one program');
  const plan: Plan = {
    program,
    restore: args.text('restore') ?? null,
    backup: args.text('backup') ?? null,
    port: args.text('port') ?? null,
    board: args.text('board') === undefined ? null : loadBoard(args.text('board')!),
    inRam: args.flag('ram'),
    isErase: args.flag('erase'),
    isJson: args.flag('json'),
    isWatch: args.flag('watch'),
    isMonitor: args.flag('monitor') || args.text('for') !== undefined,
    forMs: args.text('for') === undefined ? null : args.number('for', 1)! * 1000,
    isDryRun: args.flag('dry-run'),
  };
  if (args.number('baud') === 1200) throw wrong('1200 baud reboots RP2040 boards into their boot loader');
  if (plan.program !== null && plan.restore !== null)
    throw wrong('it flashes a program or restores a backup, not both');
  if (plan.isErase && (plan.program ?? plan.restore) !== null)
    throw wrong('--erase takes no program: it removes the stored one');
  if ((plan.program ?? plan.restore ?? plan.backup) === null && !plan.isErase) throw wrong('it needs a program');
  if (plan.isWatch && plan.program === null) throw wrong('--watch needs a program');
  if (plan.isDryRun && plan.port !== null) throw wrong('--dry-run uses a virtual board: it takes --board, not --port');
  if (plan.isDryRun && plan.board === null) throw wrong('--dry-run needs --board');
  if (plan.inRam && plan.board?.engine === 'kaluma')
    throw wrong('--ram is for Espruino boards; Kaluma runs what it stores');
  return plan;
}

export const command: Command = {
  name: 'flash',
  summary: 'bundles a program, checks that it fits, flashes it, verifies it, starts it',
  positionals: '<program.js>',
  options: {
    port: {
      type: 'string',
      short: 'p',
      value: 'PORT',
      help: '/dev/ttyACM0, COM3, tcp://HOST:PORT, rfc2217://HOST:PORT, sim:BOARD; found if not given',
    },
    board: { type: 'string', short: 'b', value: 'ID', help: 'the board; asked from what is on the port if not given' },
    baud: { type: 'string', value: 'N', help: "the line's rate; the board's own if --board is given, else 115200" },
    policy: { type: 'string', value: 'NAME', help: `the allocator: ${policyNames.join(', ')}` },
    telemetry: { type: 'string', value: 'LEVEL', help: `${levels.join(', ')}; events if not given` },
    monitor: { type: 'boolean', short: 'm', help: 'watch the heap live as soon as the program runs' },
    for: { type: 'string', value: 'SECONDS', help: 'watch for so long, then end' },
    watch: { type: 'boolean', short: 'w', help: 'flash again whenever a source file changes' },
    ram: { type: 'boolean', help: 'Espruino: into RAM only, gone at the next reset' },
    'dry-run': { type: 'boolean', help: 'everything, on a virtual board' },
    backup: { type: 'string', value: 'FILE', help: 'first save the program that the board holds' },
    restore: { type: 'string', value: 'FILE', help: 'flash the bytes of FILE as they are: a backup' },
    erase: { type: 'boolean', help: 'remove the program from the board' },
    seed: { type: 'string', value: 'N', help: 'seed of a virtual board' },
    faults: { type: 'string', value: 'SPEC', help: 'faults of a virtual board, as `sim --faults` takes them' },
    json: { type: 'boolean', help: 'one JSON object with what was done' },
  },
  notes: `Success means that the board was asked what it holds, and that it is what was sent: length and content.

  heapglass flash app.js
  heapglass flash app.js --monitor
  heapglass flash app.js --port tcp://127.0.0.1:4000 --json
  heapglass flash app.js --board puckjs --dry-run
  heapglass flash --backup before.js --port /dev/ttyACM0
  heapglass flash --restore before.js --port /dev/ttyACM0`,

  async run(args, io) {
    const plan = planOf(args);
    const startedWallMs = performance.now();
    const port = plan.isDryRun ? `sim:${plan.board!.id}` : (plan.port ?? (await choosePort(await listPorts(), io)));
    // A program that is wrong for a board that was named is refused before the line is opened.
    const early = plan.board && plan.program !== null ? await prepare(plan.program, plan.board, args, io) : null;
    const baud = args.number('baud', 1) ?? plan.board?.console.baud ?? undefined;
    const seed = args.number('seed');
    const faults = args.text('faults');
    const transport = await openTransport(port, {
      ...(baud !== undefined && { baud }),
      ...(seed !== undefined && { seed }),
      ...(faults !== undefined && { faults }),
    });
    try {
      const flashed = new Flashing(plan, args, io, transport, startedWallMs);
      if (!plan.isWatch) return await flashed.once(early);
      return await flashed.onEachChange(early);
    } finally {
      await transport.close();
    }
  },
};

/** Bundles for the board; the warnings are printed. */
async function prepare(program: string, board: Board, args: Arguments, io: Io): Promise<Prepared> {
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

class Flashing {
  readonly #plan: Plan;
  readonly #args: Arguments;
  readonly #io: Io;
  readonly #transport: Transport;
  readonly #startedMs: number;
  readonly #startedWallMs: number;
  /** Files whose change asks for another round. */
  #sources: string[] = [];

  constructor(plan: Plan, args: Arguments, io: Io, transport: Transport, startedWallMs: number) {
    this.#plan = plan;
    this.#args = args;
    this.#io = io;
    this.#transport = transport;
    this.#startedMs = transport.clock.nowMs();
    this.#startedWallMs = startedWallMs;
  }

  async once(early: Prepared | null, until?: AbortSignal): Promise<ExitCode> {
    const plan = this.#plan;
    const opened = await openFlasher(this.#transport, { board: plan.board, findBoard: boardOfIdentity });
    const { flasher } = opened;
    this.#say(`${this.#transport.name}: ${describe(flasher.identity)}`);
    const progress = progressLine(this.#io);
    const options: FlashOptions = {
      signal: this.#io.signal,
      onProgress: (state) => {
        if (!plan.isJson) progress.show(state);
      },
    };
    const result: Record<string, unknown> = {
      port: this.#transport.name,
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
      this.#say(uploadText(flashed));
      if (prepared.bundle && this.#plan.program) rememberBundle(prepared.bundle, this.#plan.program);
      return await this.#start(opened, prepared, result, until);
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
        if (!(error instanceof Problem) || error.exitCode === exitCodes.lineLost) throw error;
        this.#io.err(`${error.message}\n${error.facts.map((fact) => `  ${fact}\n`).join('')}`);
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
    prepared: Prepared,
    result: Record<string, unknown>,
    until?: AbortSignal,
  ): Promise<ExitCode> {
    const plan = this.#plan;
    const sites = new Map(prepared.bundle?.sites.map(({ site, file, line }) => [site, `${file}:${line}`]));
    const session = new Session({
      source: this.#transport.name,
      program: plan.program ?? plan.restore ?? '',
      siteName: (site) => sites.get(site),
    });
    const hasFrames = prepared.bundle?.usesHeap === true && (this.#args.text('telemetry') ?? 'events') !== 'off';
    const isFrame = (bytes: Uint8Array): boolean => {
      session.push(bytes);
      return hasFrames && session.decoder.statistics.frames > 0;
    };
    let started: Started | null = null;
    // A program in RAM runs since it was sent.
    if (!plan.inRam) {
      started = await opened.flasher.start(hasFrames ? { isFrame, timeoutMs: frameWithinMs } : {});
      result.started = started;
      this.#say(startedText(started, hasFrames));
    }
    session.push(opened.release());
    let over: HandOver | null = null;
    if (plan.isMonitor && started?.error == null) {
      if ('setRealTime' in this.#transport && !plan.isJson) (this.#transport as SimTransport).setRealTime(true);
      over = await watchLine(this.#transport, session, this.#io, {
        startedMs: this.#startedMs,
        isQuiet: plan.isJson,
        ...(plan.forMs !== null && { forMs: plan.forMs }),
        ...(until && { until }),
      });
      result.monitor = { ...over, figures: session.figures(), line: session.line() };
    }
    result.elapsed = {
      lineMs: this.#transport.clock.nowMs() - this.#startedMs,
      wallMs: performance.now() - this.#startedWallMs,
    };
    if (plan.isJson) this.#io.out(`${JSON.stringify(result)}\n`);
    if (over?.lostBecause != null) {
      throw new Problem(
        exitCodes.lineLost,
        `the line to ${this.#transport.name} was lost`,
        [over.lostBecause],
        'The program is stored: plug the board in again and run `heapglass monitor`.',
      );
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

function uploadText({
  storedBytes,
  attempts,
  resent,
  uploadMs,
  bytesPerSecond,
  isVerified,
}: Awaited<ReturnType<EspruinoFlasher['upload']>>): string {
  const again = [attempts > 1 && `${attempts} attempts`, resent > 0 && `${plural(resent, 'packet')} sent again`].filter(
    Boolean,
  );
  const what = isVerified ? 'stored and verified' : 'sent to RAM and acknowledged (RAM cannot be read back)';
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
