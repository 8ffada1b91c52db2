// `heapglass profile`: lines and functions of the user's files, the machine forms, and what it refuses.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { exitCodes } from '../../boards/problem.ts';
import { packageRoot } from '../../boards/root.ts';
import { policyNames } from '../../firmware/src/policies/index.ts';
import { parseArguments } from '../../host/arguments.ts';
import { command } from '../../host/commands/profile.ts';
import type { CpuProfile } from '../../host/profile/cpu-profile.ts';
import type { FunctionCost, LineCost } from '../../host/profile/places.ts';
import { captureIo } from '../support/io.ts';

const folder = mkdtempSync(join(tmpdir(), 'heapglass-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const program = join(packageRoot, 'test/profile/program.js');
const source = readFileSync(program, 'utf8').split('\n');
const lineOf = (text: string): number => source.findIndex((line) => line.includes(text)) + 1;

async function profile(...words: string[]): Promise<{ out: string; err: string; code: number }> {
  const { io, written } = captureIo();
  const code = await command.run(parseArguments(command, words), io);
  return { ...written, code };
}

interface Figures {
  cycles: number;
  ms: number;
  clockHz: number;
  lines: LineCost[];
  functions: FunctionCost[];
}
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

test.each(['kaluma-pico', 'puckjs'])(
  '%s: the loop’s line is the most expensive of the program’s own',
  async (board) => {
    const { out } = await profile(program, '--board', board, '--call', 'work(5)', '--telemetry', 'off', '--json');
    const { cycles, lines, functions } = JSON.parse(out) as Figures;
    expect(sum(lines.map((line) => line.cycles)) / cycles).toBeCloseTo(1, 5);
    const [first] = lines.filter((line) => line.source === 'program.js');
    expect(first).toMatchObject({ line: lineOf('sum + heap.u8'), text: source[lineOf('sum + heap.u8') - 1]!.trim() });

    const named = Object.fromEntries(functions.map((cost) => [cost.name, cost]));
    expect(named.checksum).toMatchObject({ source: 'program.js', line: lineOf('function checksum') });
    expect(named.once).toMatchObject({ source: 'program.js', line: lineOf('const once') });
    expect(functions[0]!.name).toBe('checksum');
    // work calls once, which calls checksum and the allocator.
    expect(named.work!.totalCycles).toBeGreaterThan(named.once!.totalCycles * 0.999);
    expect(named.once!.totalCycles).toBeGreaterThan(named.checksum!.totalCycles + 0);
    expect(sum(functions.map((cost) => cost.selfCycles)) / cycles).toBeCloseTo(1, 2);
    expect(functions.some((cost) => cost.source.startsWith('heapglass/src/policies/'))).toBe(true);
  },
);

test.each(policyNames)('%s: malloc and free ask nothing of the engine’s heap', async (policy) => {
  const { out } = await profile(program, '--call', 'work(5)', '--telemetry', 'off', '--policy', policy, '--json');
  const asked = (JSON.parse(out) as Figures).lines.filter((line) => line.allocatedBytes !== 0);
  expect(asked.filter(({ source: file }) => file.startsWith('heapglass/'))).toEqual([]);
});

test('it runs by itself: its timers, and time without starting', async () => {
  const whole = JSON.parse((await profile(program, '--seconds', '3', '--json')).out) as Figures;
  const later = JSON.parse((await profile(program, '--skip', '2000', '--seconds', '3', '--json')).out) as Figures;
  expect(later.cycles).toBeLessThan(whole.cycles);
  const work = ({ functions }: Figures) => functions.find(({ name }) => name === 'checksum')!.totalCycles;
  // Ten times a second, for three seconds; the first two seconds of the other run are left out.
  expect(work(later) / work(whole)).toBeGreaterThan(0.9);
  expect(work(later) / work(whole)).toBeLessThan(1.6);
});

test('the .cpuprofile is a tree whose samples are the board’s time', async () => {
  const path = join(folder, 'work.cpuprofile');
  const { out, err } = await profile(program, '--call', 'work(5)', '--out', path, '--json');
  const { cycles, clockHz } = JSON.parse(out) as Figures;
  const { nodes, samples, timeDeltas, endTime } = JSON.parse(readFileSync(path, 'utf8')) as CpuProfile;
  expect(sum(timeDeltas) / ((cycles / clockHz) * 1e6)).toBeCloseTo(1, 5);
  expect(endTime).toBeCloseTo(sum(timeDeltas), 3);
  expect(samples).toHaveLength(timeDeltas.length);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const reached = new Set<number>();
  const visit = (id: number): void => {
    expect(reached.has(id)).toBe(false);
    reached.add(id);
    for (const child of byId.get(id)!.children) visit(child);
  };
  visit(nodes[0]!.id);
  expect(reached.size).toBe(nodes.length);
  for (const sample of samples) expect(reached.has(sample)).toBe(true);
  const once = nodes.find(({ callFrame }) => callFrame.functionName === 'once')!;
  expect(once.callFrame.url).toMatch(/^file:\/\/.*program\.js$/);
  expect(once.callFrame.lineNumber).toBe(lineOf('const once') - 1);
  expect(err).toContain('DevTools');
});

test('the tables fit the width and hold the shares', async () => {
  const { out } = await profile(program, '--board', 'puckjs', '--call', 'work(2)', '--top', '4');
  const lines = out.split('\n');
  expect(lines[0]).toMatch(/^program\.js on puckjs: work\(2\), .* cycles$/);
  expect(lines.filter((line) => /^ *[\d.]+ [kM] +[\d.]+ %/.test(line))).toHaveLength(9);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(120);
});

test('what cannot be profiled is said', async () => {
  await expect(profile()).rejects.toMatchObject({ exitCode: exitCodes.usage });
  await expect(profile(program, '--policy', 'best')).rejects.toThrow('there is no policy "best"');
  await expect(profile(program, '--call', 'x()', '--seconds', '1')).rejects.toThrow('by itself');
  await expect(profile(program, '--call', 'nothing()')).rejects.toMatchObject({ exitCode: exitCodes.failed });
  await expect(profile(join(folder, 'none.js'))).rejects.toMatchObject({ exitCode: exitCodes.badInput });
  await expect(profile(program, '--call', 'for (;;);')).rejects.toThrow(/for \(;;\); fails/);
});

test('a program that ends the engine is profiled until then, and the exit code says so', async () => {
  const path = join(folder, 'full.js');
  writeFileSync(
    path,
    'var all = [];\nfunction more() {\n  all.push(new Uint8Array(1000));\n}\nsetInterval(more, 10);\n',
  );
  const { out, err, code } = await profile(path, '--board', 'kaluma-pico', '--seconds', '5');
  expect(code).toBe(exitCodes.failed);
  expect(err).toContain('ran out of memory');
  expect(out).toContain('full.js:3');
});
