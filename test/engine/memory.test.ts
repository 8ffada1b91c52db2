// Out of memory as on the boards: no program catches it, and what was dropped is room again.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Board, loadBoard } from '../../boards/board.ts';
import { packageRoot } from '../../boards/root.ts';
import { createEngine } from '../../sim/engine/create.ts';

const engineOf = (id: string) => createEngine(loadBoard(id), {}, { cycleBudget: 20e9 });

const full: Record<string, string> = {
  'one array that does not fit': 'var a = new Uint8Array(400000)',
  'caught at once': 'try { var a = new Uint8Array(400000) } catch (e) {} 1',
  'many arrays held': 'var a = []; while (true) a.push(new Uint8Array(1000))',
  'many arrays held, caught': 'var a = []; while (true) try { a.push(new Uint8Array(1000)) } catch (e) {}',
  'objects held': 'var a = []; while (true) a.push({ x: 1, y: 2 })',
  'a growing text': 'var s = "abcdefgh"; while (true) s = s + s',
};

test.each(['kaluma-pico', 'pico_r1_3'])('%s: a full heap ends the program, whatever it catches', (id) => {
  for (const [what, source] of Object.entries(full))
    expect([what, engineOf(id).run(source, 'full.js').kind]).toEqual([what, 'outOfMemory']);
});

test.each(['kaluma-pico', 'pico_r1_3'])('%s: garbage is room again', (id) => {
  const source = 'var s = 0; for (var i = 0; i < 2000; i++) { var a = new Uint8Array(1000); s += a.length; } s';
  expect(engineOf(id).run(source, 'garbage.js')).toMatchObject({ kind: 'value', value: 2_000_000 });
});

test('Kaluma collects when a thirty-second of its heap was allocated: the closures pay for it', () => {
  const engine = engineOf('kaluma-pico');
  engine.run(
    'function make(i) { return function () { return i; }; } function run(n) { for (var i = 0; i < n; i++) make(i); }',
    'a.js',
  );
  const cyclesOf = (n: number) => {
    const from = engine.cycles;
    engine.run(`run(${n})`, 'call');
    return engine.cycles - from;
  };
  expect(cyclesOf(1000)).toBeGreaterThan(10 * cyclesOf(100) - 200_000);
});

interface FullProgram {
  name: string;
  source: string;
  kaluma: number;
  espruino: number;
}

/** The board whose memory the truth was measured with. */
const measured: Record<'kaluma' | 'espruino', Board> = {
  kaluma: loadBoard('kaluma-pico'),
  espruino: { ...loadBoard('pico_r1_3'), jsvars: { count: 2250, bytesEach: 13 } },
};

const ends = (board: Board, source: string, n: number): boolean => {
  const engine = createEngine(board, {}, { cycleBudget: 50e9 });
  engine.run(source, 'full.js');
  return engine.run(`run(${n})`, 'call').kind === 'value';
};

test.each(['kaluma', 'espruino'] as const)(
  '%s: locals, closures, texts and keys fill the heap within 10 % of where the real one is full',
  (engine) => {
    const path = join(packageRoot, 'test', 'fixtures', 'out-of-memory.json');
    const { programs } = JSON.parse(readFileSync(path, 'utf8')) as { programs: FullProgram[] };
    for (const { name, source, [engine]: most } of programs) {
      // Six thousand keys, each searched among the others: a quarter of a minute.
      if (name === 'keys' && engine === 'kaluma' && process.env.HEAPGLASS_FIT !== '1') continue;
      const board = measured[engine];
      expect([name, ends(board, source, Math.floor(most * 0.9)), ends(board, source, Math.ceil(most * 1.1))]).toEqual([
        name,
        true,
        false,
      ]);
    }
  },
);
