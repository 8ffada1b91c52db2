// calibrate: the line it sends is one that both engines take, and its costs are those of the clock that answers.
import vm from 'node:vm';
import { describe, expect, test } from 'vitest';
import { boardIds, loadBoard } from '../../boards/board.ts';
import { Problem } from '../../boards/problem.ts';
import { checkSubset, findingText } from '../../firmware/toolchain/subset.ts';
import { calibrate } from '../../host/calibrate/calibrate.ts';
import { statements, timingLine } from '../../host/calibrate/statements.ts';
import { costTableText } from '../../host/commands/calibrate.ts';
import type { Transport } from '../../host/transport/transport.ts';

/** What a call of the loop takes beside its rounds. */
const callUs = 700;

/** An Espruino prompt that runs what it is sent, with a clock that each statement moves on by what it costs. */
function fakeEspruino(name: string, microsecondsOf: (source: string) => number, emptyRoundUs = 50): Transport {
  let receive: (bytes: Uint8Array) => void = () => {};
  let typed = '';
  const say = (text: string): void => queueMicrotask(() => receive(Buffer.from(text, 'latin1')));
  const evaluate = (line: string): void => {
    // The clock: what the loop's source is worth, times its rounds.
    const [, source = ''] = /i\+\+\)\{(.*?)\}\}var n=8/.exec(line) ?? [];
    let nowUs = 0;
    let reads = 0;
    let rounds = 8;
    const getTime = (): number => {
      if (reads++ % 2 === 1) {
        // The first pair times the call without a round.
        const isCall = reads === 2;
        if (!isCall) rounds *= 2;
        const roundUs = emptyRoundUs + (source === '' ? 0 : microsecondsOf(source));
        nowUs += callUs + (isCall ? 0 : rounds * roundUs);
      }
      return nowUs / 1e6;
    };
    vm.runInNewContext(line, { getTime, print: (text: string) => say(`${text}\r\n>`) }, { timeout: 5000 });
  };
  return {
    name,
    clock: { nowMs: () => performance.now(), sleep: (ms) => new Promise((done) => setTimeout(done, Math.min(ms, 2))) },
    write: async (bytes) => {
      for (const character of Buffer.from(bytes).toString('latin1')) {
        if (character === '\x05') say(`Espruino 2v29 ${name}\r\n`);
        else if (character === '\x03' || character === '\x10') typed = '';
        else if (character !== '\n' && character !== '\r') typed += character;
        else {
          const line = typed;
          typed = '';
          if (line.startsWith('print(')) evaluate(line);
          else say('\r\n>');
        }
      }
    },
    onData: (receiver) => {
      receive = receiver;
    },
    onClose: () => {},
    setSignals: async () => {},
    close: async () => {},
  };
}

test('a cost is the time of the statement alone, in cycles of the board’s clock', async () => {
  const costs: Record<string, number> = { 'y=x': 10, 'f()': 100 };
  const table = await calibrate(fakeEspruino('PUCKJS', (source) => costs[source] ?? 25));
  expect(table).toMatchObject({ board: 'puckjs', clockHz: 64_000_000, emptyRoundCycles: 50 * 64 });
  const cycles = Object.fromEntries(table.statements.map((timing) => [timing.source, timing.cycles]));
  expect(cycles['y=x']).toBe(10 * 64);
  expect(cycles['f()']).toBe(100 * 64);
  expect(cycles['y=x+z']).toBe(25 * 64);
  expect(table.statements.map(({ name }) => name)).toEqual(statements.map(({ name }) => name));
  expect(costTableText(table)).toMatch(/call, no arguments +f\(\) +6400 +100\.00\n/);
});

test('a clock that stands still, and a board whose clock is not known, are problems', async () => {
  const still = calibrate(fakeEspruino('PUCKJS', () => 0, 0));
  await expect(still).rejects.toMatchObject({ exitCode: 8, message: expect.stringContaining('does not go on') });
  await expect(calibrate(fakeEspruino('NOBOARD', () => 1))).rejects.toBeInstanceOf(Problem);
});

describe.each(boardIds())('the lines for %s', (id) => {
  test('fit its prompt and its engine, and time what they should', () => {
    const board = loadBoard(id);
    for (const { source } of [{ source: '' }, ...statements]) {
      const line = timingLine(board.engine, source, 'hgc19x1');
      expect(line.length).toBeLessThan(board.console.lineBufferBytes ?? 1024);
      const map = { version: 3, sources: ['line'], names: [], mappings: 'AAAA' };
      expect(checkSubset({ code: line, map }, board).map(findingText)).toEqual([]);
      // The call takes 1 ms beside its rounds, and the first 16 rounds 30 ms more.
      const clock = [0, 1000, 1000, 32_000];
      const printed: string[] = [];
      const micros = (): number => clock.shift() ?? Number.NaN;
      const globals = { print: (text: string) => printed.push(text), micros, getTime: () => micros() / 1e6 };
      vm.runInNewContext(line, globals, { timeout: 5000 });
      expect(printed).toEqual(['<hgc19x1|16,30000|hgc19x1>']);
    }
  });
});
