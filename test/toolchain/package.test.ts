// 'heapglass' as a project of the user's sees it: it resolves in Node, and its types hold under the strictest settings.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';

const run = promisify(execFile);
const compiler = join(packageRoot, 'node_modules', 'typescript', 'bin', 'tsc');

let project: string;
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'heapglass-project-'));
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(packageRoot, join(project, 'node_modules', 'heapglass'), 'junction');
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const path = join(project, name);
  writeFileSync(path, text);
  return path;
}

/** What the compiler complains of; '' for nothing. */
async function complaints(path: string, resolution: string): Promise<string> {
  const module = resolution === 'bundler' ? 'esnext' : 'nodenext';
  const language = ['--ignoreConfig', '--noEmit', '--strict', '--exactOptionalPropertyTypes', '--allowJs', '--checkJs'];
  const where = ['--module', module, '--moduleResolution', resolution, '--target', 'es2022', '--types', ''];
  return run(process.execPath, [compiler, path, ...language, ...where], { cwd: project }).then(
    () => '',
    ({ stdout }: { stdout: string }) => stdout,
  );
}

const typed = `import { createHeap, createRegionHeap, createSafeHeap, type Heap, mallocMany, mark, poll } from 'heapglass';
const heap = createHeap({ bytes: 2048, policy: 'tlsf' });
if (!heap) throw new Error('no heap');
const block: number = heap.malloc(24);
heap.u8[block] = 1;
mallocMany(heap, 8, 2, block);
const safe = createSafeHeap(createHeap({ bytes: 4096 }), { guardBytes: 16 });
const kinds: number[] = safe ? safe.faults().map(({ kind }) => kind) : [];
const regions = createRegionHeap({ regions: [{ bytes: 1024 }, { bytes: 4096, large: true }] });
const any: Heap | null = regions;
mark(any ? any.stats().liveBytes : kinds.length);
poll();
`;
const annotated = `import { createHeap } from 'heapglass';
/** @param {import('heapglass').Heap} heap */
const fill = (heap) => { heap.u8[heap.malloc(8)] = 1; };
const heap = createHeap({ bytes: 2048 });
if (heap) fill(heap);
`;

describe.each(['nodenext', 'bundler'])('types with --moduleResolution %s', (resolution) => {
  test('a TypeScript program', async () => {
    expect(await complaints(write('typed.ts', typed), resolution)).toBe('');
  });

  test('a JavaScript program with JSDoc', async () => {
    expect(await complaints(write('annotated.js', annotated), resolution)).toBe('');
  });

  test('a policy that is not there, and a heap that may be null, are told', async () => {
    const path = write('wrong.ts', typed.replace("'tlsf'", "'tslf'").replace(/^if .*\n/m, ''));
    const text = await complaints(path, resolution);
    expect(text).toMatch(/wrong\.ts\(2,.*'"tslf"' is not assignable/);
    expect(text).toMatch(/wrong\.ts\(3,.*possibly 'null'/);
  });
});

test('the same program runs in Node', async () => {
  const path = write(
    'app.mjs',
    `import { createHeap, createSafeHeap } from 'heapglass';
const heap = createSafeHeap(createHeap({ bytes: 4096, policy: 'best-fit' }));
const block = heap.malloc(20, 7);
heap.u8[block + 20] = 1;
heap.free(block);
console.log(JSON.stringify(heap.faults().map(({ site, at }) => [site, at - block])));
`,
  );
  expect((await run(process.execPath, [path])).stdout).toBe('[[7,20]]\n');
});
