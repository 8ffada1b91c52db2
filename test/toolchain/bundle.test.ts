// The bundler: one policy, numbered call sites, a map that leads back, and the same text each time.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import vm from 'node:vm';
import { describe, expect, test } from 'vitest';
import { boardIds, loadBoard } from '../../boards/board.ts';
import { Problem } from '../../boards/problem.ts';
import { policyNames } from '../../firmware/src/policies/index.ts';
import { type Bundle, type BundleOptions, bundle } from '../../firmware/toolchain/bundle.ts';
import { SourceMap } from '../../firmware/toolchain/source-map.ts';

const folder = mkdtempSync(join(tmpdir(), 'heapglass-bundle-'));

const program = `// A program with one call site a line.
import { createHeap } from 'heapglass';
const heap = createHeap({ bytes: 4096 });
export function run(count) {
  const first = heap.malloc(count);
  const second = heap.calloc(3, 8);
  const moved = heap.realloc(first, 2 * count);
  const named = heap.malloc(5, 77);
  heap.free(moved);
  return heap.stats();
}
`;

function bundleOf(source: string, options: Partial<BundleOptions> = {}): Promise<Bundle> {
  return bundle({ entry: join(folder, 'app.js'), source, board: loadBoard('kaluma-pico'), ...options });
}

async function problemOf(work: Promise<unknown>): Promise<Problem> {
  const error = await work.then(
    () => new Error('no problem was raised'),
    (reason: unknown) => reason,
  );
  if (error instanceof Problem) return error;
  throw error;
}

/** Runs a bundle as a board would: only the language and `global`. */
function execute(code: string, extra: object = {}): Record<string, (...args: unknown[]) => unknown> {
  const context: Record<string, unknown> = { ...extra };
  context.global = context;
  vm.runInNewContext(code, context, { timeout: 5000 });
  return context as Record<string, (...args: unknown[]) => unknown>;
}

describe.each(['kaluma-pico', 'puckjs', 'microbit1'])('for %s', (id) => {
  const board = loadBoard(id);

  test.each(policyNames)('a program with %s runs', async (policy) => {
    const { code } = await bundleOf(program, { board, policy, telemetry: 'off' });
    expect(execute(code).run!(24)).toMatchObject({ mallocs: 3, reallocs: 1, frees: 1, liveBlocks: 2, failures: 0 });
  });

  test('the text and its number are the same wherever the program lies', async () => {
    const here = await bundleOf(program);
    const elsewhere = await bundleOf(program, { entry: join(tmpdir(), 'far', 'away', 'app.js') });
    expect([elsewhere.code, elsewhere.id]).toEqual([here.code, here.id]);
  });

  test('the text is the same each time, on one line, and says its length', async () => {
    const [first, second] = await Promise.all([bundleOf(program, { board }), bundleOf(program, { board })]);
    expect(second).toEqual(first);
    expect(first.code.trimEnd()).not.toContain('\n');
    expect(first.bytes).toBe(Buffer.byteLength(first.code));
  });
});

describe('call sites', () => {
  test('are numbered in the order of the source; a site the program passes is kept', async () => {
    const { sites, code } = await bundleOf(program);
    expect(sites).toEqual([
      { site: 1, file: 'app.js', line: 5, column: 17, call: 'malloc' },
      { site: 2, file: 'app.js', line: 6, column: 18, call: 'calloc' },
      { site: 3, file: 'app.js', line: 7, column: 17, call: 'realloc' },
    ]);
    expect(code).toMatch(/\.malloc\(\w+,1\)/);
    expect(code).toMatch(/\.calloc\(3,8,2\)/);
    expect(code).toMatch(/\.malloc\(5,77\)/);
  });

  test('are found in imported modules and in TypeScript', async () => {
    writeFileSync(
      join(folder, 'part.ts'),
      `export function make(heap: { malloc(n: number): number }): number {\n  return heap.malloc(8 as number);\n}\n`,
    );
    const { sites } = await bundleOf(
      `import { createHeap } from 'heapglass';\nimport { make } from './part.ts';\nexport const p = make(createHeap({ bytes: 999 }));`,
    );
    expect(sites).toEqual([{ site: 1, file: 'part.ts', line: 2, column: 10, call: 'malloc' }]);
  });

  test('cost nothing without telemetry', async () => {
    const { sites, code } = await bundleOf(program, { telemetry: 'off' });
    expect(sites).toEqual([]);
    expect(code).toMatch(/\.calloc\(3,8\)/);
  });
});

test('the map leads from the minified text to the program and to the device code', async () => {
  const { code, map } = await bundleOf(program);
  const trace = new SourceMap(map);
  const column = code.indexOf('.calloc(3,8');
  expect(trace.trace(0, column)).toMatchObject({ source: 'app.js', line: 5 });
  expect(map.sources).toContain('heapglass/src/heap.ts');
  expect(map.sources.every((source) => !source!.startsWith('/') && !source!.startsWith('..'))).toBe(true);
});

describe('what goes in', () => {
  test('only the methods the program names, unless it asks for all', async () => {
    const small = await bundleOf(program);
    const whole = await bundleOf(program, { keepMethods: 'all' });
    expect(small.code).not.toContain('memalign');
    expect(whole.code).toContain('memalign');
    const one = await bundleOf(program, { keepMethods: ['check'] });
    expect(one.code).toContain('check()');
    expect(small.bytes).toBeLessThan(one.bytes);
    expect(one.bytes).toBeLessThan(whole.bytes);
  });

  test('one policy: the one asked for, else the one the program names, else the default', async () => {
    const named = program.replace('bytes: 4096', "bytes: 4096, policy: 'next-fit'");
    expect((await bundleOf(named)).policy).toBe('next-fit');
    expect((await bundleOf(named, { policy: 'tlsf' })).policy).toBe('tlsf');
    expect((await bundleOf(program)).code).not.toBe((await bundleOf(named)).code);
  });

  test("the board's own modules stay requires; the bundler's stand-in for them does not", async () => {
    const { code } = await bundleOf(`${program}export const storage = require('Storage').list();`);
    expect(code).toContain('require("Storage").list()');
    expect(code).not.toContain('Proxy');
  });

  test('a module of the program is found by require as well', async () => {
    writeFileSync(join(folder, 'old.js'), 'exports.three = 3;\n');
    const { code } = await bundleOf(`const old = require('./old.js');\nglobal.three = old.three;`);
    expect(execute(code).three).toBe(3);
  });

  test('an import makes a module, whatever kind its package.json says', async () => {
    const project = mkdtempSync(join(tmpdir(), 'heapglass-commonjs-'));
    writeFileSync(join(project, 'package.json'), '{ "type": "commonjs" }');
    writeFileSync(join(project, 'twice.js'), 'export const twice = (n) => 2 * n;\n');
    writeFileSync(join(project, 'old.js'), 'exports.three = 3;\n');
    const entry = join(project, 'app.js');
    writeFileSync(
      entry,
      "import { createHeap } from 'heapglass';\nimport { twice } from './twice.js';\nimport { three } from './old.js';\n" +
        'export const heap = createHeap({ bytes: twice(512) });\nexport const six = twice(three);\n',
    );
    for (const board of ['kaluma-pico', 'puckjs'].map(loadBoard)) {
      const { code, kind } = await bundle({ entry, board, telemetry: 'off' });
      expect(kind).toBe('module');
      expect(execute(code).six).toBe(6);
    }
  });
});

describe('several heaps', () => {
  const uses = (make: string) => `import { createHeap } from 'heapglass';
${make}
export const run = () => [a, b].map((heap) => [heap.malloc(100), heap.malloc(20), heap.stats().liveBlocks]);`;

  test.each([
    ['two calls', 'const a = createHeap({ bytes: 1000 }), b = createHeap({ bytes: 3000 });'],
    ['a function', 'const make = (bytes) => createHeap({ bytes });\nconst a = make(1000), b = make(3000);'],
    [
      'a loop',
      'const made = [];\nfor (const bytes of [1000, 3000]) made.push(createHeap({ bytes }));\nconst [a, b] = made;',
    ],
    ['another name', 'const make = createHeap;\nconst a = make({ bytes: 1000 }), b = make({ bytes: 3000 });'],
  ])('by %s keep their arenas apart', async (_, make) => {
    const { code } = await bundleOf(uses(make), { telemetry: 'off', policy: 'first-fit' });
    const [a, b] = execute(code).run!() as number[][];
    expect(a![2]).toBe(2);
    expect(b).toEqual(a);
  });

  test('a program with one heap does not look for which one is bound', async () => {
    const one = await bundleOf(program, { telemetry: 'off' });
    const two = await bundleOf(`${program}export const other = createHeap({ bytes: 64 });`, { telemetry: 'off' });
    expect(two.bytes - one.bytes).toBeGreaterThan(60);
  });
});

describe('a plain script', () => {
  const script = 'let counter = 0;\nfunction tick(step) {\n  counter += step ?? 1;\n  return counter;\n}\n';

  test.each(['puckjs', 'kaluma-pico'])('keeps its global names on %s', async (id) => {
    const { kind, code, usesHeap } = await bundleOf(script, { board: loadBoard(id) });
    expect({ kind, usesHeap }).toEqual({ kind: 'script', usesHeap: false });
    expect(execute(code).tick!(4)).toBe(4);
  });

  test('may require what the board has', async () => {
    const { code, kind } = await bundleOf('const s = require("Storage");\ns.write("a", "b");\n');
    expect(kind).toBe('script');
    expect(code).toBe('const s=require("Storage");s.write("a","b");\n');
  });
});

describe('new syntax is written in words the engine has', () => {
  const modern = 'const config = { a: 1 };\nfunction look(x) {\n  x.b ??= 2 ** 3;\n  return x?.b;\n}\n';

  test.each(boardIds())('%s', async (id) => {
    const { code } = await bundleOf(modern, { board: loadBoard(id) });
    expect(code).not.toMatch(/\?\.|\?\?=/);
    if (loadBoard(id).engine === 'espruino') expect(code).not.toContain('**');
    expect(execute(code).look!({})).toBe(8);
  });

  test('arrow functions, templates and shorthand become older words on a small board', async () => {
    const { code } = await bundleOf(`global.f = (x) => ({ x, text: \`<\${x}>\` });`, { board: loadBoard('microbit1') });
    expect(code).not.toMatch(/=>|`/);
    expect(execute(code).f!(3)).toEqual({ x: 3, text: '<3>' });
  });
});

describe('what cannot be bundled is a problem with its place', () => {
  test('a syntax error', async () => {
    const problem = await problemOf(bundleOf('let a = 1;\nlet = = 2;\n'));
    expect(problem.facts[0]).toMatch(/^app\.js:2:7: /);
  });

  test('an import that is not there', async () => {
    const problem = await problemOf(bundleOf("import { a } from './nowhere.js';\na();\n"));
    expect(problem.facts[0]).toMatch(/^app\.js:1:\d+: Could not resolve/);
  });

  test('a file that is not there', async () => {
    const entry = join(folder, 'none.js');
    const problem = await problemOf(bundle({ entry, board: loadBoard('puckjs') }));
    expect(problem.exitCode).toBe(3);
    expect(problem.message).toContain('none.js');
  });

  test('two policies, or one that is none', async () => {
    const heaps = (a: string, b: string) =>
      `import { createHeap } from 'heapglass';\nexport const a = createHeap({ bytes: 99, policy: '${a}' });\nexport const b = createHeap({ bytes: 99, policy: '${b}' });`;
    expect((await problemOf(bundleOf(heaps('tlsf', 'first-fit')))).facts[0]).toBe('it names first-fit, tlsf');
    expect((await problemOf(bundleOf(heaps('malloc', 'malloc')))).message).toContain('"malloc"');
  });
});
