// Board data: complete, sourced, and resolved by single inheritance; what is wrong with a file is named.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { boardIds, loadBoard, nearNames, parseBoardFile, resolveBoard } from '../../boards/board.ts';
import { Problem } from '../../boards/problem.ts';
import { packageRoot } from '../../boards/root.ts';
import { factPaths, sourceOf } from '../../boards/schema.ts';
import { boardDetail, boardTable } from '../../host/commands/boards.ts';

const folder = join(packageRoot, 'boards', 'data');
const names = readdirSync(folder);

function problemOf(act: () => unknown): Problem {
  try {
    act();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('no problem was raised');
}

test('there are the thirteen Espruino boards and the two Kaluma Picos', () => {
  expect(boardIds()).toEqual([
    ...['banglejs2', 'esp32', 'esp8266_board', 'espruinowifi', 'kaluma-pico', 'kaluma-pico2', 'mdbt42q', 'microbit1'],
    ...['microbit2', 'pico_r1_3', 'pixljs', 'puckjs', 'rp2040_pico', 'rp2350_pico2', 'stm32vldiscovery'],
  ]);
});

test.each(names)('%s gives a source for every fact it states', (name) => {
  const file = parseBoardFile(readFileSync(join(folder, name), 'utf8'), name);
  for (const path of factPaths(file)) expect(sourceOf(file, path), path).toMatch(/\S/);
});

test.each(boardIds())('%s is whole, and its memory is of its engine', (id) => {
  const board = loadBoard(id);
  if (board.engine === 'espruino') {
    expect(board.engineHeapBytes).toBeNull();
    expect(board.jsvars!.count * board.jsvars!.bytesEach).toBeLessThan(board.ramBytes);
  } else {
    expect(board.jsvars).toBeNull();
    expect(board.engineHeapBytes!).toBeLessThan(board.ramBytes);
    expect(board.programAreaBytes).toBeGreaterThan(0);
  }
  expect(board.features.storage).toBe(board.savedCode !== null);
  expect(board.console.bytesPerSecond).toBeGreaterThan(0);
});

// src/jsutils.h of Espruino: the size of a variable follows from how many there are.
test.each(boardIds().filter((id) => loadBoard(id).engine === 'espruino'))('%s: bytes of a variable', (id) => {
  const { count, bytesEach } = loadBoard(id).jsvars!;
  expect(bytesEach).toBe(count <= 2047 ? 12 : count <= 8191 ? 13 : 14);
});

test('a board overrides its parents fact by fact, and keeps the source of each', () => {
  const { console: line, sources, clockHz } = loadBoard('puckjs');
  expect(clockHz).toBe(64_000_000);
  expect(line).toMatchObject({ kind: 'uart', baud: 9600, bytesPerSecond: 960, inputBufferBytes: 1024 });
  expect(line).toMatchObject({ xoffAtBytes: 383, xonAtBytes: 255 });
  expect(sources['console.xoffAtEighths']).toContain('NRF52');
  expect(sources['console.device']).toContain('PUCKJS.py');
});

describe('a wrong board file is refused with what is wrong', () => {
  const sound = { id: 'x', name: 'X', clockHz: 1, sources: { clockHz: 'somewhere' } };
  const wrongs: [string, object, RegExp][] = [
    ['an unknown key', { ...sound, clokHz: 2 }, /clokHz/],
    ['an unknown inner key', { ...sound, console: { bauds: 1 } }, /console\.bauds/],
    ['a fact without a source', { ...sound, ramBytes: 8192 }, /ramBytes has no source/],
    ['a source of nothing', { ...sound, sources: { clockHz: 'a', chip: 'b' } }, /sources\.chip/],
    ['a number that is none', { ...sound, clockHz: '64 MHz' }, /clockHz/],
    ['an engine that is none', { ...sound, engine: 'v8', sources: { clockHz: 'a', engine: 'b' } }, /engine/],
  ];
  test.each(wrongs)('%s', (_, file, fact) => {
    expect(problemOf(() => parseBoardFile(JSON.stringify(file), 'x.json')).facts.join('\n')).toMatch(fact);
  });

  test('text that is no JSON', () => {
    expect(problemOf(() => parseBoardFile('{', 'x.json')).message).toBe('x.json is not a board file');
  });

  test('a circle, a parent that is not there, and a board that lacks something', () => {
    const a = parseBoardFile('{"id":"a","name":"A","inherits":"b","sources":{}}', 'a');
    const b = parseBoardFile('{"id":"b","name":"B","inherits":"a","sources":{}}', 'b');
    const orphan = parseBoardFile('{"id":"c","name":"C","inherits":"d","sources":{}}', 'c');
    const empty = parseBoardFile('{"id":"e","name":"E","sources":{}}', 'e');
    const all = new Map([a, b, orphan, empty].map((file) => [file.id, file]));
    expect(problemOf(() => resolveBoard(a, all)).message).toContain('inherits from itself');
    expect(problemOf(() => resolveBoard(orphan, all)).message).toContain('"d", which is not there');
    expect(problemOf(() => resolveBoard(empty, all)).facts).toContain('engine is missing');
  });
});

test('an unknown board is answered with near names', () => {
  expect(problemOf(() => loadBoard('puckj')).facts).toEqual(['near it: puckjs']);
  expect(problemOf(() => loadBoard('espruino')).message).toBe('there is no board "espruino"');
  expect(nearNames('Pico', boardIds())).toEqual(['kaluma-pico', 'kaluma-pico2', 'pico_r1_3', 'rp2040_pico']);
  expect(nearNames('zzzzzzzz', boardIds())).toEqual([]);
});

test('the table has a line a board, and the detail every source', () => {
  const boards = boardIds().map(loadBoard);
  expect(boardTable(boards).split('\n')).toHaveLength(boards.length + 2);
  for (const board of boards) {
    const detail = boardDetail(board);
    for (const line of detail.split('\n').filter((text) => /^ {2}\S/.test(text)))
      expect(line, `${board.id}: a fact without its source`).toMatch(/^ {2}\S+ +\S.* {2}\S/);
  }
});

test('the banks of a board are all of its RAM, and docs/regions.md lists them', () => {
  const document = readFileSync(join(packageRoot, 'docs', 'regions.md'), 'utf8');
  const rows = document.split('\n').filter((line) => line.includes('`sram'));
  const banked = boardIds()
    .map(loadBoard)
    .flatMap(({ id, ramBanks, ramBytes }) => (ramBanks ? [{ id, ramBanks, ramBytes }] : []));
  expect(banked.map(({ id }) => id).sort()).toEqual(['kaluma-pico', 'kaluma-pico2', 'rp2040_pico', 'rp2350_pico2']);
  for (const { id, ramBanks, ramBytes } of banked) {
    const banks = Object.entries(ramBanks);
    expect(banks.reduce((sum, [, bytes]) => sum + bytes, 0)).toBe(ramBytes);
    const row = rows.find((line) => line.includes(`\`${id}\``))!;
    expect(row.split('|')[2]!.trim()).toBe(banks.map(([name, bytes]) => `\`${name}\` ${bytes}`).join(', '));
  }
});
