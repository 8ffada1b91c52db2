/** `heapglass bundle`: a program for a board as one file, checked as `flash` checks it, to be flashed later or elsewhere. */
import { basename } from 'node:path';
import { loadBoard } from '../../boards/board.ts';
import { exitCodes } from '../../boards/problem.ts';
import { isPolicyName, policyNames } from '../../firmware/src/policies/index.ts';
import { usageProblem } from '../arguments.ts';
import type { Command } from '../command.ts';
import { encodeBundleFile } from '../flash/bundle-file.ts';
import { prepareProgram } from '../flash/prepare.ts';
import { writeOutput } from '../output-file.ts';
import { plural } from '../view/units.ts';

export const command: Command = {
  name: 'bundle',
  summary: 'a program for a board as one file, which the page flashes from a browser',
  positionals: '<program.js>',
  options: {
    board: { type: 'string', short: 'b', value: 'ID', help: 'the board it is for' },
    policy: { type: 'string', value: 'NAME', help: `the allocator: ${policyNames.join(', ')}` },
    out: { type: 'string', short: 'o', value: 'FILE', help: "the program's name with .bundle.json if not given" },
    code: { type: 'boolean', help: 'the code alone, as it is flashed, instead of the JSON file' },
  },
  notes: `The file holds the code and the source lines of its call sites.

  heapglass bundle app.js --board pico_r1_3
  heapglass bundle app.js --board kaluma-pico --out app.bundle.json`,
  async run(args, io) {
    const [path, ...more] = args.positionals;
    const id = args.text('board');
    if (path === undefined || more.length > 0) throw usageProblem('bundle', 'it takes one program');
    if (id === undefined) throw usageProblem('bundle', 'it needs --board', ['`heapglass boards` lists them']);
    const policy = args.text('policy');
    if (policy !== undefined && !isPolicyName(policy)) {
      throw usageProblem('bundle', `there is no policy "${policy}"`, [`the policies are ${policyNames.join(', ')}`]);
    }
    const board = loadBoard(id);
    const { bundle, code, warnings } = await prepareProgram(path, board, policy === undefined ? {} : { policy });
    for (const warning of warnings) io.err(`warning: ${warning}\n`);
    const stem = basename(path).replace(/\.[^.]*$/, '');
    const out = args.text('out') ?? (args.flag('code') ? `${stem}.bundle.js` : `${stem}.bundle.json`);
    const text = new TextDecoder().decode(code);
    const file = encodeBundleFile({
      heapglassBundle: 1,
      board: board.id,
      engine: board.engine,
      program: basename(path),
      policy: bundle?.policy ?? '',
      bundleId: bundle?.id ?? 0,
      hasTelemetry: bundle?.usesHeap === true,
      code: text,
      sites: Object.fromEntries((bundle?.sites ?? []).map(({ site, file, line }) => [site, `${file}:${line}`])),
    });
    writeOutput(out, args.flag('code') ? text : file, '--out');
    io.out(`${out}\n`);
    io.err(`${plural(code.length, 'byte')} for ${board.name}\n`);
    return exitCodes.done;
  },
};
