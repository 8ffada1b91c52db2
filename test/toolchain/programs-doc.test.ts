// docs/programs.md is executed: its program runs, its table of refusals is what the check says, its message is printed.
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { packageRoot } from '../../boards/root.ts';
import { bundle } from '../../firmware/toolchain/bundle.ts';
import { checkSubset, subsetProblem } from '../../firmware/toolchain/subset.ts';
import { FakeEngine } from './fake-engine.ts';

const text = readFileSync(join(packageRoot, 'docs', 'programs.md'), 'utf8');
const entry = join(tmpdir(), 'app.js');
const rows = [...text.matchAll(/^\| `(.+)` \| (.+) \| (.+) \| (.+) \|$/gm)].map(
  ([, source, puck, microbit, pico]) => [source!, puck!, microbit!, pico!] as const,
);

test('the table is there', () => {
  expect(rows.length).toBeGreaterThan(20);
});

test.each(rows)('%s', async (source, ...said) => {
  for (const [index, id] of ['puckjs', 'microbit1', 'kaluma-pico'].entries()) {
    const board = loadBoard(id);
    const findings = checkSubset(await bundle({ entry, source, board, telemetry: 'off' }), board);
    if (said[index] === 'runs') expect(findings, id).toEqual([]);
    else
      expect(
        findings.map(({ what }) => what),
        id,
      ).toContain(said[index]);
  }
});

test('its program runs, and what it exports can be called', async () => {
  const [, source] = /```js\n([\s\S]*?)```/.exec(text)!;
  for (const id of ['puckjs', 'kaluma-pico']) {
    const board = loadBoard(id);
    const built = await bundle({ entry, source: source!, board });
    const show = new FakeEngine(board).run(built.code).show!;
    expect(show()).toMatchObject({ arenaBytes: 2048, liveBlocks: 1 });
  }
});

test('its refusal is printed as it says', async () => {
  const board = loadBoard('puckjs');
  const source = 'let a = 1;\nprint(new Map());\n';
  const problem = subsetProblem(checkSubset(await bundle({ entry, source, board }), board), board)!;
  const printed = `heapglass: ${problem.message}\n${problem.facts.map((fact) => `  ${fact}\n`).join('')}${problem.advice}\n`;
  expect(text).toContain(printed);
});
