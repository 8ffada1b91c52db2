// B1: the same board, program, seed and stimuli give the same bytes at the same times, and so a snapshot is exact.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { openSim, type SimOptions } from '../../host/transport/sim.ts';
import { createVirtualBoard } from '../../sim/board/create.ts';
import { EventQueue } from '../../sim/board/event-queue.ts';
import { FlashMemory } from '../../sim/board/flash-memory.ts';
import { restore, snapshot } from '../../sim/board/snapshot.ts';
import type { VirtualBoard } from '../../sim/board/virtual-board.ts';

const boards = ['kaluma-pico', 'pico_r1_3', 'puckjs', 'microbit2'] as const;
const program = 'var n=0;setInterval(function(){print("tick "+(n++));},70);';

/** Everything a host sees, with its times. */
async function record(boardId: string, options: SimOptions): Promise<{ log: string[]; board: VirtualBoard }> {
  const port = await openSim(boardId, { program, ...options });
  const log: string[] = [];
  port.onData((bytes) => log.push(`${port.clock.nowMs()} ${Buffer.from(bytes).toString('base64')}`));
  const end = boardId.startsWith('kaluma') ? '\r' : '\n';
  for (const line of ['1+1', 'n', '[1,2,"x"]', 'nonsense(']) {
    await port.write(Buffer.from(`${line}${end}`));
    await port.clock.sleep(250);
  }
  await port.close();
  return { log, board: port.board };
}

test.each(boards)('%s: the same seed gives the same bytes, times and cycles', async (boardId) => {
  const options = { seed: 5, faults: 'drop=0.01,corrupt=0.01,stall=0.01:30,noise=0.005:8' };
  const first = await record(boardId, options);
  const second = await record(boardId, options);
  expect(first.log.length).toBeGreaterThan(10);
  expect(second.log).toEqual(first.log);
  expect(second.board.firmware.engine?.cycles).toBe(first.board.firmware.engine?.cycles);
  expect((await record(boardId, { ...options, seed: 6 })).log).not.toEqual(first.log);
});

test('several boards at once do not disturb each other', async () => {
  const alone = await Promise.all(boards.map(async (id) => (await record(id, {})).log));
  const together = await Promise.all(boards.map((id) => record(id, {}).then(({ log }) => log)));
  expect(together).toEqual(alone);
});

test.each(boards)('%s: a restored snapshot goes on as the board does', async (boardId) => {
  const { board } = await record(boardId, { seed: 9, faults: 'corrupt=0.02' });
  const shot = JSON.parse(JSON.stringify(snapshot(board)));
  const copy = restore(shot, (id, options) => createVirtualBoard(loadBoard(id), options));
  expect(copy.nowNs).toBe(board.nowNs);
  expect(Buffer.from(copy.flash.bytes).equals(board.flash.bytes)).toBe(true);
  const goOn = (one: VirtualBoard): string => {
    let said = '';
    one.onTransmit((bytes) => {
      said += `${one.nowNs} ${Buffer.from(bytes).toString('base64')}\n`;
    });
    one.attach();
    one.advanceTo(one.nowNs + 500_000_000);
    return said;
  };
  const said = goOn(board);
  expect(said.length).toBeGreaterThan(100);
  expect(goOn(copy)).toBe(said);
});

test('Q1: events run by time, and in the order they were added', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(20), fc.boolean()), { maxLength: 200 }), (items) => {
      const queue = new EventQueue();
      const ran: number[] = [];
      const events = items.map(([atNs], i) => queue.add(atNs, () => ran.push(i)));
      for (const [i, [, isCancelled]] of items.entries()) if (isCancelled) events[i]!.cancel();
      for (let event = queue.take(); event; event = queue.take()) event.run();
      const expected = items
        .map(([atNs, isCancelled], i) => ({ atNs, isCancelled, i }))
        .filter(({ isCancelled }) => !isCancelled)
        .sort((a, b) => a.atNs - b.atNs || a.i - b.i)
        .map(({ i }) => i);
      expect(ran).toEqual(expected);
    }),
  );
});

test('F1: only an erase sets bits', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(1000), fc.uint8Array({ minLength: 1, maxLength: 40 })), { maxLength: 20 }),
      (writes) => {
        const flash = new FlashMemory(1040, 16, 8, { eraseSectorNs: 1, programPageNs: 1 });
        for (const [offset, data] of writes) {
          const before = flash.bytes.slice();
          flash.program(offset, data);
          expect(flash.bytes.every((byte, i) => (byte & ~before[i]!) === 0)).toBe(true);
        }
        flash.erase(0, 1040);
        expect(flash.bytes.every((byte) => byte === 0xff)).toBe(true);
      },
    ),
  );
});
