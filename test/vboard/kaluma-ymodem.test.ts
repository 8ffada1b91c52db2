// `.flash -w`: the protocol and each quirk of facts that a flasher must survive.
import { expect, test } from 'vitest';
import { openKaluma, type Session } from './support.ts';
import { endOfSession, eot, header, packet } from './ymodem-sender.ts';

const program = `console.log("started");\nlet n = 0;\nsetInterval(() => print('tick ' + ++n + ';'), 100);\n`;
const bytes = Buffer.from(program);

async function startTransfer(board: Session): Promise<string> {
  await board.send('.echo off\r');
  return board.send('.flash -w\r', 1100);
}

async function flash(board: Session, text: Uint8Array): Promise<string> {
  let said = await startTransfer(board);
  said += await board.send(header('program.js', String(text.length)), 2000);
  for (let at = 0, sequence = 1; at < text.length; at += 1024, sequence++) {
    said += await board.send(packet(sequence, text.subarray(at, at + 1024)), 200);
  }
  said += await board.send(eot, 100);
  return said + (await board.send(endOfSession, 1000));
}

test('a transfer, byte for byte', async () => {
  const board = await openKaluma();
  expect(await startTransfer(board)).toBe("Transfer a file via YMODEM... (press 'a' to abort)\r\nC");
  expect(await board.send(header('program.js', String(bytes.length)), 1190)).toBe('');
  expect(await board.wait(20)).toBe('\x06C');
  expect(await board.send(packet(1, bytes), 100)).toBe('\x06');
  expect(await board.send(eot, 100)).toBe('\x06');
  expect(await board.send(endOfSession, 490)).toBe('\x06');
  expect(await board.wait(100)).toBe('\r\nDone\r\n\x1b[0m');
  expect(await board.send('.flash -s\r')).toBe(`${bytes.length}\r\n\x1b[0m`);
  expect(await board.send('.flash -r\r')).toBe(`${program.replaceAll('\n', '\r\n')}\r\n\x1b[0m`);
});

test('.load runs it, a power cycle runs it, GP22 low does not', async () => {
  const board = await openKaluma();
  await flash(board, bytes);
  const ran = await board.send('.load\r', 350);
  expect(ran).toContain('\x1b[2K\r\x1b[0mstarted\r\n');
  expect(ran).toContain('tick 1;tick 2;tick 3;');
  board.port.board.powerCycle();
  await board.port.close();
  const again = await openKaluma({ board: board.port.board });
  expect(await again.wait(1000)).toMatch(/tick \d+;/);
  const held = await openKaluma({ pins: { 22: 0 } });
  held.port.board.flash.bytes.set(board.port.board.flash.bytes);
  held.port.board.powerCycle();
  await held.port.close();
  expect(await (await openKaluma({ board: held.port.board })).wait(1000)).not.toContain('tick');
});

test('C comes each second, for ever', async () => {
  const board = await openKaluma();
  await startTransfer(board);
  expect(await board.wait(20_000)).toBe('C'.repeat(20));
});

test('a bad CRC is answered with C', async () => {
  const board = await openKaluma();
  await startTransfer(board);
  const bad = header('a.js', '3').slice();
  bad[10] = bad[10]! ^ 1;
  expect(await board.send(bad, 100)).toBe('C');
});

test('a repeated packet is NAKed: a resend after a lost ACK cannot succeed', async () => {
  const board = await openKaluma();
  await startTransfer(board);
  await board.send(header('a.js', '2000'), 2000);
  expect(await board.send(packet(1, bytes), 100)).toBe('\x06');
  expect(await board.send(packet(1, bytes), 100)).toBe('\x15');
});

test('more than five time-outs: CA CA each second, and it stays', async () => {
  const board = await openKaluma();
  await startTransfer(board);
  await board.send(header('a.js', '2000'), 1300);
  expect(await board.wait(7000)).toBe('CCCCC\x18\x18\x18\x18');
  expect(await board.send(packet(1, bytes), 100)).toBe('\x06');
});

test.each([
  ['a', '\x18\x18'],
  ['A', '\x18\x18'],
  ['\x18\x18', '\x06'],
])('%j where a packet starts aborts', async (sent, answer) => {
  const board = await openKaluma();
  await startTransfer(board);
  expect(await board.send(sent, 600)).toBe(`${answer}\r\nAborted\r\n\x1b[0m`);
});

test('0x03 in a transfer is a bad byte', async () => {
  const board = await openKaluma();
  await startTransfer(board);
  expect(await board.send('\x03', 100)).toBe('C');
});

test('a header without a size is accepted and stores nothing', async () => {
  const board = await openKaluma();
  await startTransfer(board);
  expect(await board.send(header('a.js', ''), 1300)).toBe('\x06C');
  expect(await board.send(packet(1, bytes), 100)).toBe('\x06');
  await board.send(eot);
  await board.send(endOfSession, 1000);
  expect(await board.send('.flash -s\r')).toBe('0\r\n\x1b[0m');
});

test('a size beyond the area is accepted, and fails where the area ends', async () => {
  const board = await openKaluma();
  await startTransfer(board);
  expect(await board.send(header('a.js', '600000'), 1300)).toBe('\x06C');
  const full = new Uint8Array(1024).fill(0x20);
  let answer = '';
  for (let sequence = 1; sequence <= 512; sequence++) answer = await board.send(packet(sequence, full), 60);
  expect(answer).toBe('\x18\x18');
  expect(await board.wait(600)).toBe('\r\nVerification failed\r\n\x1b[0m');
});

test('the previous program is gone after any failure behind the header', async () => {
  const board = await openKaluma();
  await flash(board, bytes);
  await startTransfer(board);
  await board.send(header('a.js', '2000'), 1300);
  await board.send('a', 600);
  expect(await board.send('.flash -s\r')).toBe('0\r\n\x1b[0m');
});

test('a brown-out while programming restarts the board with half a page', async () => {
  const board = await openKaluma({ faults: 'brownout=129' });
  let lost = '';
  board.port.onClose((reason) => {
    lost = reason;
  });
  await startTransfer(board);
  await board.send(header('a.js', '1024'), 1300);
  await board.send(packet(1, new Uint8Array(1024).fill(0x20)), 100);
  expect(lost).toMatch('port is gone');
  expect(board.port.board.powerCycles).toBe(2);
  expect(board.port.board.flash.bytes.subarray(0x100000, 0x100181).lastIndexOf(0x20)).toBe(256 + 127);
});
