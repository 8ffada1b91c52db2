/** `heapglass report`: one self-contained HTML file of a recording or a trace; `report diff A B` compares two. */
import { basename } from 'node:path';
import { exitCodes } from '../../boards/problem.ts';
import { defaultPolicyName, isPolicyName, policyNames } from '../../firmware/src/policies/index.ts';
import { usageProblem } from '../arguments.ts';
import type { Arguments, Command } from '../command.ts';
import { writeOutput } from '../output-file.ts';
import { differenceRows, differences, differencesText } from '../report/diff.ts';
import { loadReport, type TraceWishes } from '../report/load.ts';
import { visible } from '../view/escape.ts';
import { diffHtml } from '../view/report/diff-page.ts';
import { reportHtml } from '../view/report/report.ts';

function wishesOf(args: Arguments): TraceWishes {
  const policy = args.text('policy') ?? defaultPolicyName;
  if (!isPolicyName(policy)) {
    throw usageProblem('report', `there is no policy "${policy}"`, [`the policies are ${policyNames.join(', ')}`]);
  }
  return { policy, arenaBytes: args.number('arena', 64) ?? null };
}

export const command: Command = {
  name: 'report',
  summary: 'one self-contained HTML file of a recording or a trace; `report diff A B` compares two',
  positionals: '<recording or trace> | diff <A> <B>',
  options: {
    out: {
      type: 'string',
      short: 'o',
      value: 'FILE',
      help: "the HTML file; the input's name with .html if not given; with diff, a page of both",
    },
    policy: {
      type: 'string',
      value: 'NAME',
      help: `for a trace: ${policyNames.join(', ')}; ${defaultPolicyName} if not given`,
    },
    arena: {
      type: 'string',
      value: 'BYTES',
      help: 'for a trace: the arena; the smallest that completes it if not given',
    },
    json: { type: 'boolean', help: 'the data as JSON instead of a page; for diff, the differences' },
  },
  notes: `The page opens from disk and asks no server for anything.

  heapglass report test/fixtures/traces/lua-queens.trace --out queens.html
  heapglass report diff before.hgrec after.hgrec --out diff.html`,
  async run(args, io) {
    const wishes = wishesOf(args);
    const [first, ...more] = args.positionals;
    if (first === 'diff') {
      const [a, b, ...rest] = more;
      if (a === undefined || b === undefined || rest.length > 0) throw usageProblem('report', 'diff takes two files');
      const [before, after] = [loadReport(a, wishes), loadReport(b, wishes)];
      const found = differences(before, after);
      const page = args.text('out');
      if (page !== undefined) writeOutput(page, diffHtml(before, after, differenceRows(found)), '--out');
      io.out(args.flag('json') ? `${JSON.stringify({ differences: found })}\n` : visibleLines(differencesText(found)));
      return exitCodes.done;
    }
    if (first === undefined || more.length > 0) throw usageProblem('report', 'it takes one file, or `diff` and two');
    const data = loadReport(first, wishes);
    if (args.flag('json')) {
      io.out(`${JSON.stringify(data)}\n`);
      return exitCodes.done;
    }
    const path = args.text('out') ?? `${basename(first).replace(/\.[^.]*$/, '')}.html`;
    writeOutput(path, reportHtml(data), '--out');
    for (const verdict of data.verdicts) io.out(`${visible(verdict, 400)}\n`);
    io.out(`${path}\n`);
    return exitCodes.done;
  },
};

/** Site names are a board's: each line is made harmless. */
function visibleLines(text: string): string {
  return text
    .split('\n')
    .map((line) => visible(line, 400))
    .join('\n');
}
