// Flash and watch over lines and boards that fail: each run ends flashed and verified, or with a clear error.
// HEAPGLASS_FAULT_RUNS sets the number of runs, HEAPGLASS_FAULT_SEED the first seed.
import process from 'node:process';
import { expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { openFlasher } from '../../host/flash/open.ts';
import { parseFaults } from '../../sim/board/faults.ts';
import { type FaultRun, type FlashFunction, faultTable, runFaults } from './faults.ts';
import { openKaluma } from './support.ts';

const runs = Number(process.env.HEAPGLASS_FAULT_RUNS ?? 100);
const firstSeed = Number(process.env.HEAPGLASS_FAULT_SEED ?? 1);
const msPerRun = 1000;

const flash: FlashFunction = async (transport, program, boardId) => {
  const { flasher, release } = await openFlasher(transport, { board: loadBoard(boardId) });
  const { isVerified } = await flasher.upload(program);
  if (!isVerified) throw new Error('the flasher did not verify');
  await flasher.start();
  release();
};

test(
  `${runs} seeded fault runs from seed ${firstSeed}: no hang, no false success, no defect`,
  async () => {
    const done: FaultRun[] = [];
    for (let seed = firstSeed; seed < firstSeed + runs; seed++) done.push(await runFaults(seed, flash));
    console.log(faultTable(done));
    const wrong = done.filter(({ verdict }) => ['FALSE SUCCESS', 'DEFECT', 'HANG'].includes(verdict));
    expect(wrong).toEqual([]);
    const sound = done.filter(({ fault }) => fault === 'none');
    expect(sound.every(({ verdict }) => verdict === 'flashed, verified, heard')).toBe(true);
  },
  runs * msPerRun + 60_000,
);

test('the harness catches a flasher that claims what is not so', async () => {
  const liar: FlashFunction = async () => {};
  expect((await runFaults(1, liar)).verdict).toBe('FALSE SUCCESS');
});

test('the same seed gives the same run', async () => {
  const seeds = [3, 7, 11];
  for (const seed of seeds) expect(await runFaults(seed, flash)).toEqual(await runFaults(seed, flash));
});

test.each(['drop=2', 'unplug=5', 'melt=1', 'noise=0.1'])('%s is no fault', (spec) => {
  expect(() => parseFaults(spec)).toThrow('is no fault');
});

test('a host that stops reading: USB gives up after 500 ms without progress, and the rest is lost', async () => {
  const board = await openKaluma({ faults: 'deafhost=1500:4000' });
  await board.send('\r', 1000);
  await board.send('for (let i = 0; i < 100; i++) console.log("a line of some length, number " + i);\r', 5000);
  expect(board.port.board.line.unheardBytes).toBeGreaterThan(1000);
});
