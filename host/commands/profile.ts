/** `heapglass profile`: where a program's cycles go on a board, by source line and by function. */
import { loadBoard } from '../../boards/board.ts';
import { type ExitCode, exitCodes } from '../../boards/problem.ts';
import { isPolicyName, policyNames } from '../../firmware/src/policies/index.ts';
import type { TelemetryLevel } from '../../firmware/toolchain/bundle.ts';
import { usageProblem } from '../arguments.ts';
import type { Arguments, Command, Io } from '../command.ts';
import { levels } from '../flash/flashing.ts';
import { writeOutput } from '../output-file.ts';
import { cpuProfile } from '../profile/cpu-profile.ts';
import { ProfilePlaces } from '../profile/places.ts';
import { profileRun } from '../profile/run.ts';
import { profileText } from '../profile/text.ts';

const defaultBoard = 'kaluma-pico';
const defaultForSeconds = 10;
const defaultTop = 15;
/** Wide enough for a line and its text where the output is no terminal. */
const plainColumns = 120;

export const command: Command = {
  name: 'profile',
  summary: "where a program's cycles go on a board: by source line, by function",
  positionals: '<program.js>',
  options: {
    board: { type: 'string', short: 'b', value: 'ID', help: `which board; default ${defaultBoard}` },
    call: {
      type: 'string',
      value: 'CODE',
      help: 'what is profiled once the program is loaded, in place of its running',
    },
    seconds: { type: 'string', value: 'N', help: `virtual time to run; default ${defaultForSeconds}` },
    skip: { type: 'string', value: 'MS', help: 'virtual time to run before: what starting takes is left out' },
    policy: { type: 'string', value: 'NAME', help: `the allocator: ${policyNames.join(', ')}` },
    telemetry: { type: 'string', value: 'LEVEL', help: `${levels.join(', ')}; events if not given, as flash has it` },
    top: { type: 'string', value: 'N', help: `how many lines and functions; default ${defaultTop}` },
    out: { type: 'string', value: 'FILE', help: "a .cpuprofile for Chrome's DevTools, VS Code or speedscope" },
    json: { type: 'boolean', help: 'one JSON object: every line, every function' },
  },
  notes: `The program is bundled as flash does it and runs on the cost model of the board's engine (docs/cost-model.md);
profiling it changes nothing of what it takes. "heap" is what each line asks of the engine's own heap.

  heapglass profile app.js --board puckjs
  heapglass profile app.js --call 'run(20)' --json
  heapglass profile app.js --skip 1000 --seconds 5 --out app.cpuprofile
`,
  run,
};

async function run(args: Arguments, io: Io): Promise<ExitCode> {
  const [entry, ...more] = args.positionals;
  if (entry === undefined) throw usageProblem('profile', 'no program is named');
  if (more.length > 0) throw usageProblem('profile', 'there is more than one program');
  const call = args.text('call') ?? null;
  if (call !== null && (args.text('seconds') ?? args.text('skip')) !== undefined)
    throw usageProblem('profile', '--call is profiled by itself: leave --seconds and --skip out');
  const policy = args.text('policy');
  if (policy !== undefined && !isPolicyName(policy))
    throw usageProblem('profile', `there is no policy "${policy}"`, [`the policies are ${policyNames.join(', ')}`]);
  const telemetry = args.text('telemetry') ?? 'events';
  if (!levels.includes(telemetry as TelemetryLevel))
    throw usageProblem('profile', `there is no level "${telemetry}"`, [`the levels are ${levels.join(', ')}`]);

  const measured = await profileRun({
    entry,
    board: loadBoard(args.text('board') ?? defaultBoard),
    ...(policy !== undefined && { policy }),
    telemetry: telemetry as TelemetryLevel,
    call,
    skipMs: args.number('skip') ?? 0,
    forMs: (args.number('seconds', 1) ?? defaultForSeconds) * 1000,
    signal: io.signal,
  });
  if (io.signal.aborted) return exitCodes.interrupted;
  const places = new ProfilePlaces(measured, entry);
  const lines = places.lines();
  const functions = places.functions();
  const out = args.text('out');
  if (out !== undefined) writeOutput(out, JSON.stringify(cpuProfile(measured, places)), '--out');
  const { board, cycles, ms, isDead } = measured;
  if (args.flag('json')) {
    const figures = { board: board.id, clockHz: board.clockHz, call, ms, cycles, isDead, lines, functions };
    io.out(`${JSON.stringify(figures, null, 2)}\n`);
  } else {
    const columns = io.isTerminal ? io.columns : plainColumns;
    const top = args.number('top', 1) ?? defaultTop;
    io.out(profileText(measured, lines, functions, { entry, call, top, columns, color: io.color }));
  }
  if (out !== undefined) io.err(`${out}: open it in Chrome's DevTools (Performance), VS Code or speedscope.app\n`);
  if (!isDead) return exitCodes.done;
  io.err('heapglass: the program ran out of memory; what it took until then is shown.\n');
  return exitCodes.failed;
}
