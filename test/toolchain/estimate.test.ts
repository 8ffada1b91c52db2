// The memory estimate: what a bundle and its arenas take of the engine's memory, and the refusal of what does not fit.
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { boardIds, loadBoard } from '../../boards/board.ts';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { packageRoot } from '../../boards/root.ts';
import type { PolicyName } from '../../firmware/src/policies/index.ts';
import { bundle } from '../../firmware/toolchain/bundle.ts';
import { codeAreaBytes, codeAreaProblem, estimateMemory, memoryProblem } from '../../firmware/toolchain/estimate.ts';
import { withWhatFits } from '../../firmware/toolchain/what-fits.ts';

const entry = join(mkdtempSync(join(tmpdir(), 'heapglass-estimate-')), 'app.js');
const programWith = (bytes: string): string =>
  `import { createHeap } from 'heapglass';\nconst KB = 1024;\nexport const heap = createHeap({ bytes: ${bytes} });\nexport const p = heap.malloc(8);\n`;

async function estimateOf(id: string, bytes: string, inRam = false, policy: PolicyName = 'trie-fit') {
  const board = loadBoard(id);
  const built = await bundle({ entry, source: programWith(bytes), board, policy, telemetry: 'off' });
  return estimateMemory(built, board, { inRam })!;
}

test.each([
  ['8192', [8192]],
  ['8 * KB', [8192]],
  ['3 * KB + 16', [3088]],
  ['1 << 12', [4096]],
  ['process.memory().free', [null]],
])('the arena of bytes: %s is read from the program', async (bytes, arenas) => {
  const { arenasBytes } = await bundle({ entry, source: programWith(bytes), board: loadBoard('puckjs') });
  expect(arenasBytes).toEqual(arenas);
});

test('an arena is counted in the unit of its engine', async () => {
  // A flat array on Espruino: 3 + ceil(n / 13), and its views.
  expect((await estimateOf('puckjs', '8192')).arenas - (await estimateOf('puckjs', '4096')).arenas).toBe(
    Math.ceil(8192 / 13) - Math.ceil(4096 / 13),
  );
  expect((await estimateOf('kaluma-pico', '8192')).arenas - (await estimateOf('kaluma-pico', '4096')).arenas).toBe(
    4096,
  );
  expect((await estimateOf('kaluma-pico', 'micros()')).unknownArenas).toBe(1);
});

test('a program in RAM takes its text besides', async () => {
  const flash = await estimateOf('puckjs', '4096');
  const ram = await estimateOf('puckjs', '4096', true);
  const { bytes } = await bundle({ entry, source: programWith('4096'), board: loadBoard('puckjs'), telemetry: 'off' });
  expect(ram.code - flash.code).toBeGreaterThan((bytes / 13) * 0.8);
});

test.each(boardIds())('%s: an arena as large as its memory is refused, a small one is not', async (id) => {
  const board = loadBoard(id);
  const whole = board.jsvars ? board.jsvars.count * board.jsvars.bytesEach : board.engineHeapBytes!;
  const problem = memoryProblem(await estimateOf(id, String(whole)), board)!;
  expect(problem.exitCode).toBe(6);
  expect(problem.facts.join(' ')).toMatch(/leaves -\d+/);
  // The default policy has more functions than 350 variables can hold.
  const policy = id === 'microbit1' ? 'first-fit' : 'trie-fit';
  if (!tooSmall.includes(id)) expect(memoryProblem(await estimateOf(id, '256', false, policy), board)).toBeNull();
});

// 400 variables, and no flash for programs: their text alone takes more.
const tooSmall = ['stm32vldiscovery'];

test.each(tooSmall)('%s is too small for an interpreted heap', async (id) => {
  expect(memoryProblem(await estimateOf(id, '256'), loadBoard(id))).not.toBeNull();
});

test('a program is refused when it is longer than the code area', () => {
  expect(codeAreaBytes(loadBoard('kaluma-pico'))).toBe(524_287);
  expect(codeAreaBytes(loadBoard('puckjs'))).toBe(40_928);
  expect(codeAreaBytes(loadBoard('stm32vldiscovery'))).toBeNull();
  expect(codeAreaProblem(524_288, loadBoard('kaluma-pico'))!.facts).toEqual([
    'it is 524288 bytes',
    'the area holds 524287',
  ]);
  expect(codeAreaProblem(524_287, loadBoard('kaluma-pico'))).toBeNull();
});

// Programs whose memory was measured on the real engines after loading, in RAM on Espruino.
const fidelity = join(packageRoot, '..', 'shared', 'fidelity');
const measured = existsSync(join(fidelity, 'truth.json'));
if (!measured) console.warn(`skipped: ${fidelity} is not there, so the estimate is not held to the real engines`);

interface Measured {
  kaluma: { heapBytes: number };
  espruino: { jsvars: number };
}

test.skipIf(!measured)('minified programs take on the real engines what is estimated, or less', () => {
  const { programs } = JSON.parse(readFileSync(join(fidelity, 'truth.json'), 'utf8')) as {
    programs: Record<string, Measured>;
  };
  // Programs without large arrays of their own, which the estimate knows only as arenas.
  for (const name of ['firstfit_min.js', 'tokeniser_min.js', 'fib.js', 'strhash.js', 'closures.js']) {
    const program = { code: readFileSync(join(fidelity, name), 'utf8'), arenasBytes: [], safeHeapsBytes: [] };
    const truth = programs[name]!;
    const kaluma = estimateMemory(program, loadBoard('kaluma-pico'))!.code / truth.kaluma.heapBytes;
    const espruino = estimateMemory(program, loadBoard('puckjs'), { inRam: true })!.code / truth.espruino.jsvars;
    expect(kaluma, `${name} on Kaluma`).toBeGreaterThan(0.9);
    expect(kaluma, `${name} on Kaluma`).toBeLessThan(1.7);
    expect(espruino, `${name} on Espruino`).toBeGreaterThan(0.9);
    expect(espruino, `${name} on Espruino`).toBeLessThan(1.6);
  }
});

test.each([
  ['microbit1', 'trie-fit', 'events', /^it fits with (--telemetry off, or with )?--policy first-fit --telemetry off$/],
  ['esp8266_board', 'slab', 'off', /^it fits with --policy first-fit$/],
  ['stm32vldiscovery', 'trie-fit', 'events', /^with first-fit and without telemetry: of 400 variables/],
] as const)('%s: a refusal of %s with telemetry %s says what fits', async (id, policy, telemetry, expected) => {
  const board = loadBoard(id);
  const options = { entry, source: programWith('256'), board, policy, telemetry };
  const built = await bundle(options);
  const refusal = new Problem(exitCodes.tooBig, 'too big', ['by a lot'], 'no advice');
  const { facts, exitCode } = await withWhatFits(refusal, built, options, false);
  expect(exitCode).toBe(exitCodes.tooBig);
  expect(facts[0]).toBe('by a lot');
  expect(facts[1]).toMatch(expected);
});

// Variables that an ARM build of Espruino 2v29 took for each, its text outside of the heap as in flash.
test.each([
  ['function f(){var a=1,b=2;return {m(){return a},n:function(){return b++}, k:()=>a};}var o=f();', 24],
  ['function f(){var a=1,b=2;function g(){return a}return {m(x){return a+x},g,n(y){b++}};}var o=f();', 27],
  ['function f(){return {m(x){return x},n:function(y){return y}};}var o=f();', 19],
])('what a call makes is counted: %s', (code, variables) => {
  const { code: estimated } = estimateMemory({ code, arenasBytes: [], safeHeapsBytes: [] }, loadBoard('puckjs'))!;
  expect(estimated).toBeGreaterThanOrEqual(variables);
  expect(estimated).toBeLessThan(variables * 1.5);
});
