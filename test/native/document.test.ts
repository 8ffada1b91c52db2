// docs/native.md: the commands it names run, and the bounds it states are those that are printed.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { compilePolicy } from '../../firmware/toolchain/native/policy.ts';
import { cortexM0Plus } from '../../firmware/toolchain/native/timing.ts';
import { worstCases } from '../../firmware/toolchain/native/wcet.ts';
import { command } from '../../host/commands/compile.ts';
import { runCommand } from '../view/run-command.ts';

const text = readFileSync(`${packageRoot}/docs/native.md`, 'utf8');

test('the bounds of tlsf', () => {
  const bounds = worstCases(compilePolicy('tlsf', 'cortex-m0plus'), cortexM0Plus(), {});
  const stated = /control flow is (\d+) and (\d+) cycles/.exec(text)!;
  expect(bounds.get('malloc')).toEqual({ cycles: Number(stated[1]) });
  expect(bounds.get('free')).toEqual({ cycles: Number(stated[2]) });
});

test('every compile command of the page runs', async () => {
  const lines = text.split('\n').filter((line) => line.startsWith('heapglass compile ') && !line.includes('--out'));
  expect(lines.length).toBeGreaterThan(1);
  for (const line of lines) {
    const { code, out } = await runCommand(command, line.split(' ').slice(2));
    expect([line, code]).toEqual([line, 0]);
    expect(out).not.toBe('');
  }
});

test('every file that the page names is there', () => {
  const stages = [...text.matchAll(/`([a-z-]+\.ts)`/g)].map(([, name]) => name!);
  for (const name of stages) {
    const places = ['firmware/toolchain/native', 'firmware/src', 'sim/cortex-m'].map(
      (folder) => `${packageRoot}/${folder}/${name}`,
    );
    expect([name, places.some((path) => exists(path))]).toEqual([name, true]);
  }
});

function exists(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}
