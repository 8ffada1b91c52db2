// docs/recordings.md is executed: its bytes are a recording that reads as the page prints, and its kinds are the code's.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import * as format from '../../host/recording/format.ts';
import { Recording } from '../../host/recording/reader.ts';

const document = readFileSync(join(packageRoot, 'docs', 'recordings.md'), 'utf8');

test("the page's bytes read as it prints", () => {
  const [, hex, told] = /```recording\n([\s\S]*?)```\s*```told\n([\s\S]*?)```/.exec(document)!;
  const folder = mkdtempSync(join(tmpdir(), 'heapglass-'));
  const path = join(folder, 'page.hgrec');
  writeFileSync(
    path,
    hex!
      .trim()
      .split(/\s+/)
      .map((byte) => String.fromCharCode(Number.parseInt(byte, 16)))
      .join(''),
    'latin1',
  );
  const recording = new Recording(path);
  const { startedAt, source } = recording.header;
  const said = [`recorded ${startedAt} from ${source}`];
  for (const entry of recording.entries()) {
    if (entry.kind === 'line') said.push(`${entry.hostMs}: ${entry.bytes.length} bytes of the line`);
    else said.push(`${entry.hostMs}: mark ${JSON.stringify(entry.text)} at ${entry.atMs} ms`);
  }
  said.push(`site 1 of bundle 7 is ${recording.siteName(1, 7)}`);
  said.push(`${recording.cutBytes} bytes are no whole record`);
  recording.close();
  rmSync(folder, { recursive: true });
  expect(said).toEqual(told!.trimEnd().split('\n'));
});

test('the table has every kind with its number', () => {
  const rows = [...document.matchAll(/^\| (\d) \| (\w+) \|/gm)].map(([, number, name]) => `${name} ${number}`);
  const kinds = Object.entries(format)
    .filter(([name]) => name.startsWith('KIND_'))
    .map(([name, number]) => `${name.slice('KIND_'.length).toLowerCase()} ${number}`);
  expect(rows).toEqual(kinds);
});
