/** `heapglass budget`: fails a build whose heap needs more than it did; `--probe` says what telemetry takes. */
import { existsSync, readFileSync } from 'node:fs';
import { loadBoard } from '../../boards/board.ts';
import { type ExitCode, exitCodes, Problem } from '../../boards/problem.ts';
import { defaultPolicyName, type PolicyName, policies } from '../../firmware/src/policies/index.ts';
import { usageProblem } from '../arguments.ts';
import { minimumFootprint } from '../bench/footprint.ts';
import type { Arguments, Command, Io } from '../command.ts';
import { writeOutput } from '../output-file.ts';
import { probeCosts } from '../probe/probe-cost.ts';
import { probeText } from '../probe/probe-table.ts';
import { readTraces } from '../trace/traces.ts';
import { policiesNamed } from './policy-option.ts';

interface Baseline {
  policy: PolicyName;
  /** Footprint in bytes by trace name. */
  footprintBytes: Record<string, number>;
}

function readBaseline(path: string): Baseline {
  let baseline: Partial<Baseline>;
  try {
    baseline = JSON.parse(readFileSync(path, 'utf8')) as Partial<Baseline>;
  } catch (error) {
    throw new Problem(
      exitCodes.badInput,
      `the baseline ${path} cannot be read`,
      [(error as Error).message],
      'Write it anew with --update.',
    );
  }
  if (typeof baseline.policy !== 'string' || typeof baseline.footprintBytes !== 'object') {
    throw new Problem(exitCodes.badInput, `${path} is no baseline`, [], 'Write it anew with --update.');
  }
  return baseline as Baseline;
}

const PROBED_BOARDS = ['kaluma-pico', 'puckjs'];

/** The cost of telemetry at each level, on the boards that are named or on one of each engine. */
async function printProbe(args: Arguments, io: Io): Promise<ExitCode> {
  const boards = (args.text('board') === undefined ? PROBED_BOARDS : [args.text('board')!]).map((id) => loadBoard(id));
  const named = args.text('policy');
  const policy = named === undefined ? undefined : policiesNamed('budget', named)[0]!;
  for (const board of boards) {
    const rows = await probeCosts(board, policy);
    if (args.flag('json')) io.out(`${JSON.stringify({ board: board.id, clockHz: board.clockHz, levels: rows })}\n`);
    else io.out(`${board.name}\n${probeText(rows, board)}\n`);
  }
  return exitCodes.done;
}

export const command: Command = {
  name: 'budget',
  summary: 'fails when traces need more memory than a stored baseline',
  positionals: '<trace...> | --probe',
  options: {
    baseline: { type: 'string', value: 'PATH', help: 'the stored figures; heap-budget.json if not given' },
    slack: { type: 'string', value: 'BYTES', help: 'allowed above the baseline; 0 if not given' },
    policy: { type: 'string', value: 'NAME', help: `with --update: the policy; ${defaultPolicyName} if not given` },
    update: { type: 'boolean', help: 'store the present figures' },
    probe: { type: 'boolean', help: 'what telemetry costs at each level, on virtual boards; takes no trace' },
    board: { type: 'string', value: 'ID', help: 'with --probe: on this board; a Pico and a Puck.js if not given' },
    json: { type: 'boolean', help: 'one JSON object; with --probe one a board' },
  },
  notes: `Exit code 1: a trace exceeds its baseline, or has none.

  heapglass budget run.trace --update
  heapglass budget run.trace --slack 64
  heapglass budget --probe --board puckjs`,

  async run(args, io) {
    if (args.flag('probe')) {
      if (args.positionals.length > 0) throw usageProblem('budget', '--probe takes no trace');
      return printProbe(args, io);
    }
    if (args.positionals.length === 0) throw usageProblem('budget', 'it takes traces');
    const path = args.text('baseline') ?? 'heap-budget.json';
    const update = args.flag('update');
    if (!update && !existsSync(path)) {
      throw new Problem(exitCodes.badInput, `there is no baseline ${path}`, [], 'Store one with --update.');
    }
    const baseline = update ? null : readBaseline(path);
    const policy = policiesNamed('budget', baseline?.policy ?? args.text('policy') ?? defaultPolicyName)[0]!;
    const slackBytes = args.number('slack') ?? 0;
    const rows = readTraces(args.positionals).map((trace) => {
      const footprint = minimumFootprint(policies[policy], trace)?.footprintBytes ?? Number.POSITIVE_INFINITY;
      const budget = baseline ? baseline.footprintBytes[trace.name] : footprint;
      return {
        trace: trace.name,
        footprintBytes: footprint,
        budgetBytes: budget ?? null,
        exceeded: budget === undefined || footprint > budget + slackBytes,
      };
    });
    if (update) {
      const footprintBytes = Object.fromEntries(rows.map((row) => [row.trace, row.footprintBytes]));
      writeOutput(path, `${JSON.stringify({ policy, footprintBytes }, null, 2)}\n`, '--baseline');
    }
    if (args.flag('json')) io.out(`${JSON.stringify({ policy, slackBytes, results: rows })}\n`);
    else {
      for (const { trace, footprintBytes, budgetBytes, exceeded } of rows) {
        const against = budgetBytes === null ? 'no budget' : `budget ${budgetBytes}`;
        io.out(`${exceeded ? 'EXCEEDED' : 'ok      '}  ${trace}: ${footprintBytes} bytes, ${against}\n`);
      }
    }
    return rows.some(({ exceeded }) => exceeded) ? exitCodes.failed : exitCodes.done;
  },
};
