// The program at the top of docs/safety.md runs, and what its comments say is what it does.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import vm from 'node:vm';
import { expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { createHeap, createSafeHeap } from '../../firmware/src/index.ts';

const document = readFileSync(join(packageRoot, 'docs', 'safety.md'), 'utf8');

test('the first program of docs/safety.md', () => {
  const program = /```js\nimport .*\n\n([\s\S]*?)```/.exec(document)![1]!;
  const world = vm.createContext({ createHeap, createSafeHeap });
  const values = new Map<string, unknown>();
  for (const line of program.trimEnd().split('\n'))
    values.set(line.split(' //')[0]!, vm.runInContext(line.replace('const ', 'var '), world));
  const said = [...program.matchAll(/^(.*;) \/\/ (.*)$/gm)].map(([, code, comment]) => [code!, comment!] as const);
  expect(said.map(([code]) => code)).toEqual(['heap.u8[block + 20] = 1;', 'heap.free(block);', 'heap.faults();']);
  expect(`${values.get(said[1]![0])}: MISUSE_CORRUPT`).toBe(said[1]![1]);
  const faults: unknown = vm.runInContext(said[2]![1], world);
  expect(JSON.stringify(values.get(said[2]![0]))).toBe(JSON.stringify(faults));
});
