// The whole-system mode without anyone's image: a firmware of our own, assembled here, boots in rp2040js.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { exitCodes } from '../../boards/problem.ts';
import { bootImage } from '../../host/sim/whole-system.ts';
import { openTransport } from '../../host/transport/open.ts';
import { openBoard, type SimTransport } from '../../host/transport/sim.ts';
import { parseFaults } from '../../sim/board/faults.ts';
import type { Rp2040Board } from '../../sim/rp2040/rp2040-board.ts';
import { testImage, uf2Of } from './test-image.ts';

const folder = mkdtempSync(join(tmpdir(), 'heapglass-image-'));
afterAll(() => rmSync(folder, { recursive: true }));
const board = loadBoard('kaluma-pico');
/** The bus reset takes 10 ms, the rest of the enumeration less than one. */
const bootMs = 20;
const imagePath = join(folder, 'test.uf2');
writeFileSync(imagePath, uf2Of(testImage()));

async function boot(options = {}): Promise<SimTransport<Rp2040Board>> {
  return openBoard(await bootImage(board, { imagePath, bootMs }, options));
}

async function ask(port: SimTransport<Rp2040Board>, text: string, forMs = 10): Promise<string> {
  let came = '';
  port.onData((bytes) => {
    came += Buffer.from(bytes).toString('latin1');
  });
  await port.write(Buffer.from(text, 'latin1'));
  await port.clock.sleep(forMs);
  return came;
}

test('an image boots from its vector table, is enumerated, and every byte comes back', async () => {
  const port = await boot();
  expect(await ask(port, 'hello')).toBe('hello');
  const long = Array.from({ length: 1500 }, (_, i) => 'abcdefghijklmnopqrstuvwxyz'[i % 26]).join('');
  expect(await ask(port, long, 60)).toBe(long);
  await port.close();
});

test("flash: erase and program through the ROM's table change it, take their time, and outlast the power", async () => {
  const port = await boot();
  const { flash } = port.board;
  flash.bytes.fill(0, 0x100000, 0x101000);
  const startedMs = port.clock.nowMs();
  expect(await ask(port, 'E', 15)).toBe('.');
  expect(flash.bytes.subarray(0x100000, 0x101000).every((byte) => byte === 0xff)).toBe(true);
  expect(flash.times.eraseSectorNs).toBe(9_375_000);
  expect(port.clock.nowMs() - startedMs).toBeGreaterThan(9);
  expect(await ask(port, 'P')).toBe('.');
  expect(await ask(port, 'R')).toBe('ZZZZ');
  expect(flash.bytes.subarray(0x100000, 0x100101)).toEqual(Uint8Array.from([...Array(256).fill(0x5a), 0xff]));
  await port.close();
  port.board.powerCycle();
  port.board.advanceTo(port.board.nowNs + bootMs * 1e6);
  const again = openBoard(port.board);
  expect(await ask(again, 'R')).toBe('ZZZZ');
  expect(port.board.powerCycles).toBe(2);
  await again.close();
});

test('a fatal error: the processor halts, takes nothing more, and lives again after a power cycle', async () => {
  const port = await boot();
  expect(await ask(port, 'B')).toBe('');
  expect(port.board.halt).toBe('breakpoint');
  expect(await ask(port, 'hello')).toBe('');
  await port.close();
  port.board.powerCycle();
  port.board.advanceTo(port.board.nowNs + bootMs * 1e6);
  const again = openBoard(port.board);
  expect(await ask(again, 'hello')).toContain('hello');
  await again.close();
});

test('the same seed and stimuli give the same bytes at the same times', async () => {
  const run = async (): Promise<string[]> => {
    const port = await boot({ seed: 5, faults: parseFaults('drop=0.02,corrupt=0.02,stall=0.01:3') });
    const log: string[] = [];
    port.onData((bytes) => log.push(`${port.board.nowNs} ${Buffer.from(bytes).toString('hex')}`));
    for (let i = 0; i < 6; i++) {
      await port.write(Buffer.from('some bytes that may be hit by what goes wrong on the way'));
      await port.clock.sleep(30);
    }
    log.push(String(port.board.cycles));
    await port.close();
    return log;
  };
  const first = await run();
  expect(first.length).toBeGreaterThan(4);
  expect(await run()).toEqual(first);
});

test('the cable comes out: the port is lost, and the board boots when it is in again', async () => {
  const port = await boot({ faults: parseFaults('unplug=40:10') });
  let lost = '';
  port.onClose((reason) => {
    lost = reason;
  });
  await port.clock.sleep(30);
  expect(lost).toContain('cable');
  port.board.advanceTo(80e6);
  const again = openBoard(port.board);
  expect(await ask(again, 'hello')).toBe('hello');
  await again.close();
});

test('--port rp2040js:IMAGE opens it', async () => {
  const port = await openTransport(`rp2040js:${imagePath}`);
  expect(port.name).toBe(`rp2040js:${imagePath}`);
  expect(await ask(port as SimTransport<Rp2040Board>, 'hi')).toBe('hi');
  await port.close();
});

test('without an image: where users get one', async () => {
  await expect(bootImage(board, { imagePath: undefined })).rejects.toMatchObject({
    exitCode: exitCodes.missing,
    message: 'no firmware image was given',
    advice: expect.stringContaining('https://github.com/kaluma-project/kaluma/releases'),
  });
});

test('another chip is refused', async () => {
  await expect(bootImage(loadBoard('puckjs'), { imagePath })).rejects.toMatchObject({
    exitCode: exitCodes.unsupported,
  });
});

test.each([
  ['of another length', new Uint8Array(100)],
  ['without its magic', new Uint8Array(16384)],
])('a boot ROM %s is refused, and is not needed', async (_, bytes) => {
  const bootromPath = join(folder, 'rom.bin');
  writeFileSync(bootromPath, bytes);
  await expect(bootImage(board, { imagePath, bootromPath })).rejects.toMatchObject({
    exitCode: exitCodes.badInput,
    advice: expect.stringContaining('Leave --bootrom out'),
  });
});
