/**
 * The `heapglass` command: picks a command, loads only that one, prints its Problem if it has one, and is the only
 * place that exits.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { type ExitCode, exitCodes, Problem } from '../boards/problem.ts';
import { packageRoot } from '../boards/root.ts';
import { parseArguments, usageProblem } from './arguments.ts';
import type { Command, Io } from './command.ts';
import { commandHelp, generalHelp } from './help.ts';
import { cannotWrite } from './output-file.ts';
import { problemText } from './problem-text.ts';

/** One line a command; the module is loaded when it is asked for. */
const commands: Record<string, { summary: string; load: () => Promise<{ command: Command }> }> = {
  flash: {
    summary: 'bundles a program, checks that it fits, flashes it, verifies it, starts it',
    load: () => import('./commands/flash.ts'),
  },
  bundle: {
    summary: 'a program for a board as one file, which the page flashes from a browser',
    load: () => import('./commands/bundle.ts'),
  },
  ports: {
    summary: 'what is connected, and which of it looks like a board',
    load: () => import('./commands/ports.ts'),
  },
  boards: {
    summary: 'the boards it knows, and where each number about them comes from',
    load: () => import('./commands/boards.ts'),
  },
  demo: {
    summary: 'no board needed: flashes a virtual one, runs a real trace, watches it live',
    load: () => import('./commands/demo.ts'),
  },
  sim: {
    summary: 'boots a virtual board and runs a program on it',
    load: () => import('./commands/sim.ts'),
  },
  profile: {
    summary: "where a program's cycles go on a board: by source line, by function",
    load: () => import('./commands/profile.ts'),
  },
  monitor: {
    summary: "shows a board's heap live, over a serial port, tcp:// or a virtual board",
    load: () => import('./commands/monitor.ts'),
  },
  export: {
    summary: 'writes a recording as CSV, JSON lines, Chrome trace or speedscope file',
    load: () => import('./commands/export.ts'),
  },
  replay: {
    summary: 'runs a trace through a heap and shows it',
    load: () => import('./commands/replay.ts'),
  },
  calibrate: {
    summary: 'times statements on a board, real or virtual, and writes what they cost',
    load: () => import('./commands/calibrate.ts'),
  },
  tour: {
    summary: 'what malloc and free do, step by step on a live map',
    load: () => import('./commands/tour.ts'),
  },
  advise: {
    summary: 'which policy, arena size and board a trace asks for',
    load: () => import('./commands/advise.ts'),
  },
  budget: {
    summary: 'fails when traces need more memory than a stored baseline',
    load: () => import('./commands/budget.ts'),
  },
  report: {
    summary: 'one self-contained HTML file of a recording or a trace; diff of two',
    load: () => import('./commands/report.ts'),
  },
  bench: {
    summary: 'the smallest arena each policy needs for a trace, and its cycles',
    load: () => import('./commands/bench.ts'),
  },
  compile: {
    summary: 'a policy as native code for Cortex-M: listing, blob, or object for C',
    load: () => import('./commands/compile.ts'),
  },
};

const endingSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The process as a command sees it; `lost` is told once when nobody takes its output any more. */
function processIo(lost: (error: NodeJS.ErrnoException) => void): Io {
  const abort = new AbortController();
  const { stdout, stderr } = process;
  let isLost = false;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (!isLost) lost(error);
    isLost = true;
    abort.abort();
  });
  // Progress that nobody reads stops no work.
  stderr.on('error', () => {});
  let isListening = false;
  const isTerminal = stdout.isTTY === true && process.env.TERM !== 'dumb';
  return {
    out: (text) => void (isLost || stdout.write(text)),
    err: (text) => void stderr.write(text),
    isTerminal,
    // Asked each time: a terminal is resized while a view runs.
    get columns() {
      return stdout.columns ?? 80;
    },
    get rows() {
      return stdout.rows ?? 24;
    },
    color: isTerminal && !process.env.NO_COLOR,
    // A command that never asks for it ends at once, by the signal's own way. So does one that is sent it twice.
    get signal() {
      if (!isListening) for (const name of endingSignals) process.once(name, () => abort.abort());
      isListening = true;
      return abort.signal;
    },
  };
}

async function main(words: readonly string[], io: Io): Promise<number> {
  const [name = '--help', ...rest] = words;
  const { version } = JSON.parse(readFileSync(`${packageRoot}/package.json`, 'utf8')) as { version: string };
  if (name === '--help' || name === '-h' || name === 'help') {
    io.out(
      generalHelp(
        version,
        Object.entries(commands).map(([name, { summary }]) => ({ name, summary })),
      ),
    );
    return exitCodes.done;
  }
  if (name === '--version') {
    io.out(`${version}\n`);
    return exitCodes.done;
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!entry)
    throw usageProblem('', `there is no command "${name}"`, [`the commands are ${Object.keys(commands).join(', ')}`]);
  const { command } = await entry.load();
  if (rest.includes('--help') || rest.includes('-h')) {
    io.out(commandHelp(command));
    return exitCodes.done;
  }
  return command.run(parseArguments(command, rest), io);
}

/** Why the output was not taken; `done` for a reader that has enough (`| head`), which is no error. */
let outputLost: ExitCode | null = null;
const io = processIo((error) => {
  outputLost = error.code === 'EPIPE' ? exitCodes.done : exitCodes.badInput;
  process.exitCode = outputLost;
  if (outputLost !== exitCodes.done) io.err(problemText(cannotWrite('the output', error, 'Send it elsewhere.')));
});
main(process.argv.slice(2), io).then(
  (code) => {
    process.exitCode = outputLost ?? code;
  },
  (error: unknown) => {
    if (outputLost !== null) return;
    if (error instanceof Problem) {
      io.err(problemText(error));
      process.exitCode = error.exitCode;
    } else {
      io.err(
        `heapglass: a defect of Heapglass itself, please report it with what follows\n${(error as Error).stack ?? error}\n`,
      );
      process.exitCode = exitCodes.defect;
    }
  },
);
