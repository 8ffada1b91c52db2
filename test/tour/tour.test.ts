// The tour: what each lesson teaches is what its heap did.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseArguments } from '../../host/arguments.ts';
import { command } from '../../host/commands/tour.ts';
import { lessons, type Moment, moments } from '../../host/tour/lessons.ts';
import { documentPath, tourDocument } from '../../scripts/tour-doc.ts';
import { captureIo } from '../support/io.ts';

const lesson = (name: string): Moment[] => [...moments(lessons.filter((entry) => entry.name === name))];
const at = (name: string, call: string, nth = 0): Moment => lesson(name).filter((moment) => moment.call === call)[nth]!;

async function run(...words: string[]): Promise<{ code: number; out: string }> {
  const { io, written } = captureIo();
  return { code: await command.run(parseArguments(command, words), io), out: written.out };
}

test('every map covers its arena, and holds the letters of the blocks that are live', () => {
  for (const moment of moments()) expect(moment.map, moment.lesson).toHaveLength(50);
  expect(lesson('split').at(-1)!.map).toMatch(/^##a+b+c+\.+#?$/);
});

test('coalesce: three neighbours become one hole, and a block as wide takes it', () => {
  const holes = (map: string): number => map.match(/\.+/g)!.length;
  expect(lesson('coalesce').map(({ map }) => holes(map))).toEqual([1, 1, 1, 1, 2, 2, 2, 1 + 1]);
  expect(at('coalesce', 'e = malloc(170)').result).toBe(at('coalesce', 'a = malloc(60)').result);
});

test('fragment: free bytes suffice, the largest free block does not, and one free mends it', () => {
  const failed = at('fragment', 'x = malloc(90)');
  expect(failed.result).toBe('0: no room');
  const [, free, largest] = /^(\d+) bytes are free, in \d+ blocks, and the largest is (\d+)/.exec(failed.text)!;
  expect(Number(free)).toBeGreaterThan(90);
  expect(Number(largest)).toBeLessThan(90);
  expect(at('fragment', 'x = malloc(90)', 1).result).toMatch(/^\d+$/);
});

test('place: best fit takes the narrow hole', () => {
  expect(at('place', 'e = malloc(40)').result).toBe(at('place', 'c = malloc(44)').result);
});

test('resize: grows and shrinks in place, and moves where it must', () => {
  expect(at('resize', 'b = realloc(b, 120)').result).toContain('where it was');
  expect(at('resize', 'b = realloc(b, 30)').result).toContain('where it was');
  expect(at('resize', 'a = realloc(a, 100)').result).toContain('moved from');
});

test('misuse: refused by name; an overflow is found by check', () => {
  expect(lesson('misuse').map(({ result }) => result)).toEqual([
    expect.stringMatching(/^\d+$/),
    expect.stringMatching(/^\d+$/),
    'done',
    'refused: that is not a live block',
    'refused: no block can begin there',
    expect.stringMatching(/bytes too many$/),
    expect.stringMatching(/^invariant \d+ is violated at \d+$/),
  ]);
});

test('outside: the same overflow leaves the bookkeeping sound', () => {
  expect(at('outside', 'write 56 bytes to b').result).toBe('16 bytes too many');
  expect(at('outside', 'check()').result).toBe('sound');
  expect(at('outside', 'free(b)').result).toBe('done');
  expect(at('outside', 'c = malloc(24)').result).toMatch(/^\d+$/);
});

test('docs/tour.md is current (npx tsx scripts/tour-doc.ts writes it)', () => {
  expect(readFileSync(documentPath, 'utf8')).toBe(tourDocument());
});

test('the command prints every lesson to a pipe without waiting, one of them by name, and JSON', async () => {
  const all = await run();
  expect(all.code).toBe(0);
  for (const { title } of lessons) expect(all.out).toContain(title);
  const one = await run('misuse');
  expect(one.out).not.toContain('malloc splits');
  const json = (await run('split', '--json')).out.trimEnd().split('\n');
  expect(json.map((line) => JSON.parse(line) as Moment)).toEqual(lesson('split'));
});

test('an unknown lesson is a usage problem that names the lessons', async () => {
  await expect(run('nowhere')).rejects.toMatchObject({ exitCode: 2, message: 'there is no lesson "nowhere"' });
});
