/** `heapglass demo`: no board needed. Boots a virtual one, flashes it, runs a real trace, watches, writes a report. */
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadBoard } from '../../boards/board.ts';
import { packageRoot } from '../../boards/root.ts';
import { defaultPolicyName, isPolicyName, policyNames } from '../../firmware/src/policies/index.ts';
import { usageProblem } from '../arguments.ts';
import type { Command } from '../command.ts';
import { planReplay } from '../demo/plan.ts';
import { exitCodeOf, showRun } from '../demo/show.ts';
import { runSummary, summaryLines } from '../demo/summary.ts';
import { makeFolder, writeOutput } from '../output-file.ts';
import { readTrace } from '../trace/trace.ts';
import { ReportRecorder, reportHtml } from '../view/report/report.ts';

const defaultTrace = join(packageRoot, 'test', 'fixtures', 'traces', 'lua-queens.trace');
/** The run's length on the board; on a terminal it is shown at this pace. */
const RUN_SECONDS = 12;

export const command: Command = {
  name: 'demo',
  summary: 'no board needed: boots a virtual one, flashes it, runs a real trace, watches it, writes a report',
  positionals: '',
  options: {
    board: {
      type: 'string',
      value: 'ID',
      help: 'the virtual board; kaluma-pico if not given (`heapglass boards` lists them)',
    },
    trace: { type: 'string', value: 'FILE', help: 'another trace than lua-queens' },
    policy: {
      type: 'string',
      value: 'NAME',
      help: `one of ${policyNames.join(', ')}; ${defaultPolicyName} if not given`,
    },
    arena: { type: 'string', value: 'BYTES', help: 'size of the arena; what fits the board if not given' },
    seed: { type: 'string', value: 'N', help: 'seed of the virtual board; 1 if not given' },
    speed: { type: 'string', value: 'N', help: 'on a terminal: board seconds in a second of yours; 1 if not given' },
    report: { type: 'string', value: 'FILE', help: 'where the HTML report goes; a temporary folder if not given' },
    json: { type: 'boolean', help: 'one JSON object with the figures' },
  },
  notes: `The same path as with a real board: bundle, flash protocol, paced line, wire format, live view. The same seed
gives the same run.

  heapglass demo
  heapglass demo --board puckjs
  heapglass demo --board kaluma-pico2 --policy tlsf --json`,
  async run(args, io) {
    if (args.positionals.length > 0) throw usageProblem('demo', 'it takes no file; a trace is given with --trace');
    const policy = args.text('policy') ?? defaultPolicyName;
    if (!isPolicyName(policy)) {
      throw usageProblem('demo', `there is no policy "${policy}"`, [`the policies are ${policyNames.join(', ')}`]);
    }
    const board = loadBoard(args.text('board') ?? 'kaluma-pico');
    const arenaBytes = args.number('arena', 64);
    const speed = args.number('speed', 1) ?? 1;
    const plan = planReplay(board, readTrace(args.text('trace') ?? defaultTrace), {
      policy,
      seconds: RUN_SECONDS,
      ...(arenaBytes !== undefined && { arenaBytes }),
    });
    const json = args.flag('json');
    const recorder = new ReportRecorder();
    const run = await showRun(plan, io, { seed: args.number('seed') ?? 1, speed, quiet: json, recorder });

    const path = args.text('report') ?? join(tmpdir(), 'heapglass', `demo-${board.id}.html`);
    makeFolder(dirname(path), '--report');
    const title = `${plan.trace.name} on ${board.name}`;
    writeOutput(path, reportHtml(recorder.finish(run.scene, title, summaryLines(run))), '--report');
    if (json) io.out(`${JSON.stringify({ ...runSummary(run), report: path })}\n`);
    else io.out(`\n${summaryLines(run).join('\n')}\n  report           ${path}\n`);
    return exitCodeOf(run);
  },
};
