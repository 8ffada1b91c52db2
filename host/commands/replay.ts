/** `heapglass replay`: a trace run through a heap here or on a virtual board, or a recording shown again. */
import { loadBoard } from '../../boards/board.ts';
import { type ExitCode, exitCodes, Problem } from '../../boards/problem.ts';
import {
  defaultPolicyName,
  isPolicyName,
  type PolicyName,
  policies,
  policyNames,
} from '../../firmware/src/policies/index.ts';
import { usageProblem } from '../arguments.ts';
import { minimumFootprint } from '../bench/footprint.ts';
import type { Arguments, Command, Io } from '../command.ts';
import { planReplay } from '../demo/plan.ts';
import { exitCodeOf, showRun } from '../demo/show.ts';
import { runSummary, summaryLines } from '../demo/summary.ts';
import { replayRecording } from '../replay/recording.ts';
import { showTraceRun, traceSummary } from '../replay/show.ts';
import { TraceRun } from '../replay/trace-run.ts';
import { isTraceFile } from '../report/load.ts';
import { readTrace, type Trace } from '../trace/trace.ts';

/** A run on a board is paced to last about this long of its time, if its line and engine can. */
const BOARD_SECONDS = 12;
/** More than any microcontroller's RAM: a larger arena is a slip of the finger. */
const LARGEST_ARENA_BYTES = 1 << 26;

function policyOption(args: Arguments): PolicyName {
  const name = args.text('policy') ?? defaultPolicyName;
  if (!isPolicyName(name)) {
    throw usageProblem('replay', `there is no policy "${name}"`, [`the policies are ${policyNames.join(', ')}`]);
  }
  return name;
}

/** The arena in bytes; `min` is searched, and verified with patterns. */
function arenaOption(args: Arguments, policy: PolicyName, trace: Trace): { arenaBytes: number; searched: boolean } {
  if ((args.text('arena') ?? 'min') === 'min') {
    const footprint = minimumFootprint(policies[policy], trace);
    if (!footprint) {
      throw new Problem(
        exitCodes.tooBig,
        `${policy} completes ${trace.name} in no arena that it can hold`,
        [`the trace has up to ${trace.peakLiveBytes} bytes live at once`],
        'Take another policy: first-fit, next-fit and best-fit hold the largest arenas.',
      );
    }
    return { arenaBytes: footprint.footprintBytes, searched: true };
  }
  const arenaBytes = args.number('arena', 64)!;
  if (arenaBytes > LARGEST_ARENA_BYTES) {
    throw usageProblem('replay', `an arena of ${arenaBytes} bytes`, [`the most is ${LARGEST_ARENA_BYTES}`]);
  }
  return { arenaBytes, searched: false };
}

/** The whole trace as a program on a virtual board, through its flash protocol and its line. */
async function replayOnBoard(args: Arguments, io: Io, path: string): Promise<ExitCode> {
  const trace = readTrace(path);
  const policy = policyOption(args);
  const plan = planReplay(loadBoard(args.text('board')!), trace, {
    policy,
    arenaBytes: arenaOption(args, policy, trace).arenaBytes,
    whole: true,
    seconds: BOARD_SECONDS,
  });
  const quiet = args.flag('json');
  const run = await showRun(plan, io, { seed: 1, speed: 1, quiet });
  io.out(quiet ? `${JSON.stringify(runSummary(run))}\n` : `\n${summaryLines(run).join('\n')}\n`);
  return exitCodeOf(run);
}

async function replayTrace(args: Arguments, io: Io, path: string) {
  const trace = readTrace(path);
  const policy = policyOption(args);
  const { arenaBytes, searched } = arenaOption(args, policy, trace);
  const run = new TraceRun(trace, policy, arenaBytes);
  if (args.flag('json')) {
    run.advance();
    io.out(`${JSON.stringify(traceSummary(run, searched))}\n`);
  } else {
    await showTraceRun(run, searched, args.number('speed', 1) ?? null, io);
  }
  if (io.signal.aborted) return exitCodes.interrupted;
  return run.firstFailure || run.corrupted.length > 0 ? exitCodes.failed : exitCodes.done;
}

export const command: Command = {
  name: 'replay',
  summary: 'runs a trace through a heap and shows it, here or on a virtual board',
  positionals: '<trace or recording>',
  options: {
    policy: {
      type: 'string',
      value: 'NAME',
      help: `one of ${policyNames.join(', ')}; ${defaultPolicyName} if not given`,
    },
    arena: {
      type: 'string',
      value: 'BYTES|min',
      help: 'size of the arena; min (the default) is the smallest that completes the trace',
    },
    speed: {
      type: 'string',
      value: 'N',
      help: 'operations a second of a trace (10 s for the whole if not given); times the pace of a recording',
    },
    board: { type: 'string', value: 'ID', help: 'run it as a program on this virtual board instead of here' },
    json: { type: 'boolean', help: 'one JSON object with the figures' },
  },
  notes: `Every payload is filled with a pattern that is verified at each free and realloc. Exit code 1: a request failed, or a payload was damaged.

  heapglass replay test/fixtures/traces/lua-queens.trace
  heapglass replay test/fixtures/traces/mqtt-sub.trace --policy first-fit --arena min --json
  heapglass replay test/fixtures/traces/expat-config.trace --arena 40000
  heapglass replay test/fixtures/traces/mqtt-sub.trace --board kaluma-pico`,
  async run(args, io) {
    const [path, ...more] = args.positionals;
    if (path === undefined || more.length > 0) throw usageProblem('replay', 'it takes one file');
    if (!isTraceFile(path)) {
      await replayRecording(path, { speed: args.number('speed', 1) ?? null, json: args.flag('json') }, io);
      return io.signal.aborted ? exitCodes.interrupted : exitCodes.done;
    }
    return args.text('board') === undefined ? replayTrace(args, io, path) : replayOnBoard(args, io, path);
  },
};
