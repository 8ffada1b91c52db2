// What `monitor` and `flash --monitor` end with: their exit code and closing line when the board ran out of memory.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exitCodes } from '../../boards/problem.ts';
import { command as flash } from '../../host/commands/flash.ts';
import { command as monitor } from '../../host/commands/monitor.ts';
import { runCommand } from './run-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'heapglass-verdict-'));

function written(name: string, everyTenth: string): string {
  const path = join(folder, name);
  const text = `import { createHeap } from 'heapglass';
const heap = createHeap({ bytes: 2048, policy: 'first-fit' });
const held = [];
let n = 0;
setInterval(() => {
  n++;
  ${everyTenth}
}, 100);
`;
  writeFileSync(path, text);
  return path;
}

const full = written('full.js', 'heap.malloc(100 + n);');
const well = written('well.js', 'heap.free(heap.malloc(100 + n));');
const hog = written('hog.js', 'heap.free(heap.malloc(8)); if (n > 30) for (;;) held.push(n * 1.5);');

const watch = (board: string, program: string, ...words: string[]) =>
  runCommand(monitor, [`sim:${board}`, '--program', program, '--seconds', '8', ...words]);

describe.each(['puckjs', 'kaluma-pico'])('on %s', (board) => {
  test.each([[[]], [['--json']]])(
    'a request that failed: its own code, with request, place and largest free %s',
    async (words) => {
      const { code, problem } = await watch(board, full, ...words);
      expect(code).toBe(exitCodes.outOfMemory);
      expect(problem!.message).toMatch(
        new RegExp(
          `^sim:${board} ran out of memory: malloc\\(1\\d\\d\\) at full\\.js:7, the largest free block \\d+ B$`,
        ),
      );
      expect(problem!.facts[0]).toMatch(
        /^\d+ requests failed; the last one: malloc\(1\d\d\) at full\.js:7, with \d+ B free/,
      );
    },
  );

  test('a program that is well: done', async () => {
    expect(await watch(board, well)).toMatchObject({ code: exitCodes.done, problem: null });
  });
});

test('counters alone: the request of the post-mortem on the wire', async () => {
  const words = ['--board', 'kaluma-pico', '--port', 'sim:kaluma-pico', '--telemetry', 'counters', '--seconds', '4'];
  const { code, err } = await runCommand(flash, [full, ...words]);
  expect(code).toBe(exitCodes.outOfMemory);
  expect(err).toMatch(
    /ran out of memory: a request of 1\d\d B at full\.js:7, the largest free block .* at its last sweep\n/,
  );
});

test('an Espruino whose engine ran out says so itself', async () => {
  const { code, problem } = await watch('puckjs', hog);
  expect(code).toBe(exitCodes.outOfMemory);
  expect(problem!.message).toMatch(/^the engine on sim:puckjs ran out of memory: OUT OF MEMORY/);
  expect(problem!.facts).toContain('no request of its heap failed');
});

test('a Kaluma whose engine ran out falls silent', async () => {
  const { code, problem } = await watch('kaluma-pico', hog);
  expect(code).toBe(exitCodes.noBoard);
  expect(problem!.message).toMatch(/^sim:kaluma-pico fell silent: nothing came for the last [5-7]\.\d s$/);
});
