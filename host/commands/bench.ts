/** `heapglass bench`: what each policy needs for each trace, beside what C allocators needed for it. */
import { loadBoard } from '../../boards/board.ts';
import { exitCodes } from '../../boards/problem.ts';
import { policyNames } from '../../firmware/src/policies/index.ts';
import { usageProblem } from '../arguments.ts';
import { type BenchRow, benchRow } from '../bench/bench.ts';
import { benchTable, summaryTable, WORST_TRIES, worstTable } from '../bench/bench-table.ts';
import { cyclesTable, whyNotCounted } from '../bench/cycles-table.ts';
import { cycleMeter } from '../bench/meters.ts';
import { syntheticTraces } from '../bench/synthetic.ts';
import type { WorstRow } from '../bench/worst.ts';
import type { Arguments, Command } from '../command.ts';
import { readTraces } from '../trace/traces.ts';
import { policiesNamed } from './policy-option.ts';

/** The worst sequences are constructed, and run on two boards: what says which work or where has no meaning beside. */
function refuseTraces(args: Arguments): void {
  const given = ['synthetic', 'native', 'board'].filter((name) => args.text(name) !== undefined);
  if (args.flag('race')) given.push('race');
  if (args.list('traces').length > 0) given.push('traces');
  const words = [...given.map((name) => `--${name}`), ...args.positionals];
  if (words.length === 0) return;
  throw usageProblem('bench', 'bench --worst constructs its own sequences and has its own boards', [
    `cannot be given with it: ${words.join(', ')}`,
  ]);
}

export const command: Command = {
  name: 'bench',
  summary: 'the smallest arena each policy needs for a trace, and its cycles',
  positionals: '[trace...]',
  options: {
    traces: {
      type: 'string',
      multiple: true,
      value: 'FILES',
      help: 'trace files or folders of them, separated by commas; also as arguments',
    },
    synthetic: { type: 'string', value: 'SEED', help: 'made-up traces instead: five workloads, the same for a seed' },
    policies: { type: 'string', value: 'NAMES|all', help: `separated by commas; all if not given` },
    native: { type: 'string', value: 'CPU', help: 'count cycles of machine code: cortex-m0plus' },
    board: { type: 'string', value: 'ID', help: "count cycles of a board's interpreter" },
    race: { type: 'boolean', help: 'operations a second here, against two allocators in WebAssembly' },
    worst: {
      type: 'boolean',
      help: 'the worst sequence known of each policy: loop steps beside the bound, cycles on two boards',
    },
    json: { type: 'boolean', help: 'one JSON object: { "results": [...] }' },
  },
  notes: `The footprint is the smallest arena, in steps of 16 bytes, in which the trace completes; everything the policy keeps lies in
it. It is found by bisection and run once more with a pattern in every payload. Utilisation: peak live bytes over footprint.
Policies: ${policyNames.join(', ')}.
\`docs/traces.md\` says what --json prints, key by key.

  heapglass bench --traces test/fixtures/traces/lua-queens.trace --policies best-fit,trie-fit
  heapglass bench test/fixtures/traces/*.trace --policies all --json
  heapglass bench --synthetic 1 --policies trie-fit,best-fit
  heapglass bench --worst --policies trie-fit,tlsf
  heapglass bench --race`,

  async run(args, io) {
    const named = args.list('traces').flatMap((text) => text.split(',').filter(Boolean));
    const policies = policiesNamed('bench', args.text('policies') ?? 'all');
    if (args.flag('worst')) {
      refuseTraces(args);
      const rows: WorstRow[] = [];
      for (const policy of policies) {
        io.err(`${policy}\n`);
        rows.push(await (await import('../bench/worst.ts')).worstOf(policy, WORST_TRIES));
      }
      io.out(args.flag('json') ? `${JSON.stringify({ worst: rows })}\n` : worstTable(rows));
      return exitCodes.done;
    }
    const native = args.text('native');
    const board = args.text('board');
    const meter = await cycleMeter({ ...(native !== undefined && { native }), ...(board !== undefined && { board }) });
    const racing = args.flag('race') ? await import('../bench/race.ts') : null;
    racing?.findContestants();
    const seed = args.number('synthetic');
    const traces = seed === undefined ? readTraces([...named, ...args.positionals]) : syntheticTraces(seed);
    const results: BenchRow[] = [];
    for (const trace of traces) {
      io.err(`${trace.name}: ${trace.kinds.length} operations\n`);
      for (const policy of policies) {
        const row = await benchRow(trace, policy, meter);
        results.push(row);
        if (board !== undefined && row.cycles === null) io.err(`${whyNotCounted(row, loadBoard(board))}\n`);
      }
    }
    const race = racing ? await racing.race(traces, policies, (trace) => io.err(`racing on ${trace}\n`)) : null;
    if (args.flag('json')) {
      io.out(`${JSON.stringify({ results, ...(race && { race }) })}\n`);
    } else {
      io.out(`${benchTable(results)}\n${summaryTable(results, traces)}`);
      if (meter !== null) io.out(`\n${cyclesTable(results)}`);
      if (race) io.out(`\n${(await import('../bench/race-table.ts')).raceTable(race)}`);
    }
    return exitCodes.done;
  },
};
