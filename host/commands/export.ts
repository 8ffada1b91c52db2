/** `heapglass export`: a recording in the format of another tool. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { exitCodes } from '../../boards/problem.ts';
import { usageProblem } from '../arguments.ts';
import { siteNames } from '../bundle-store.ts';
import type { Command } from '../command.ts';
import { exporters } from '../export/export.ts';
import { cannotWrite } from '../output-file.ts';
import { Recording } from '../recording/reader.ts';

const formats = Object.keys(exporters).join(', ');

function openOutput(path: string): number {
  try {
    return openSync(path, 'w');
  } catch (error) {
    throw cannotWrite(path, error, 'Give another --out.');
  }
}

function writeTo(file: number, path: string, text: string): void {
  try {
    writeSync(file, text);
  } catch (error) {
    throw cannotWrite(path, error, 'Give another --out.');
  }
}

export const command: Command = {
  name: 'export',
  summary: 'writes a recording as CSV, JSON lines, Chrome trace or speedscope file',
  positionals: '<recording>',
  options: {
    format: { type: 'string', short: 'f', value: 'NAME', help: `one of ${formats}` },
    out: { type: 'string', short: 'o', value: 'FILE', help: 'where to write; standard output if not given' },
  },
  notes: `${Object.entries(exporters)
    .map(([name, { summary }]) => `${name.padEnd(11)} ${summary}`)
    .join('\n')}

  heapglass export night.hgrec --format csv --out night.csv
  heapglass export night.hgrec --format chrome > night.json`,
  async run(args, io) {
    const [path, ...more] = args.positionals;
    if (path === undefined || more.length > 0) throw usageProblem('export', 'it takes one recording');
    const format = args.text('format') ?? '';
    const exporter = Object.hasOwn(exporters, format) ? exporters[format] : undefined;
    if (!exporter) throw usageProblem('export', `there is no format "${format}"`, [`the formats are ${formats}`]);
    const recording = new Recording(path);
    const stored = siteNames();
    const nameOf = (site: number, bundleId: number): string =>
      site === 0 ? 'no site' : (recording.siteName(site, bundleId) ?? stored(site, bundleId) ?? `site ${site}`);
    const out = args.text('out');
    const file = out === undefined ? null : openOutput(out);
    try {
      exporter.run(recording, (text) => (file === null ? io.out(text) : writeTo(file, out!, text)), nameOf);
    } finally {
      if (file !== null) closeSync(file);
      recording.close();
    }
    if (recording.cutBytes > 0)
      io.err(`the recording was cut: its last ${recording.cutBytes} bytes are no whole record\n`);
    return exitCodes.done;
  },
};
