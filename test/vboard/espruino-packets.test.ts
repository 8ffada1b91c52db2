// Packets: DLE SOH, type and length, payload.
import { expect, test } from 'vitest';
import { heatshrinkDecode } from '../../sim/board/espruino/heatshrink.ts';
import { openSession } from './support.ts';

const type = { eval: 1, event: 2, fileSend: 3, data: 4, fileReceive: 5 } as const;

function packet(kind: keyof typeof type, payload: string): string {
  const word = (type[kind] << 13) | payload.length;
  return `\x10\x01${String.fromCharCode(word >> 8, word & 255)}${payload}`;
}

const open = () => openSession('pico_r1_3');

test('EVAL answers ACK and a RESPONSE in relaxed JSON', async () => {
  const board = await open();
  expect(await board.send(packet('eval', '({a:[1,"b"]})'))).toBe('\x06\x10\x01\x00\x0b{a:[1,"b"]}');
  expect(await board.send(packet('eval', 'undefined'))).toBe('\x06\x10\x01\x00\x04null');
});

test('EVAL of what throws answers NAK and the text', async () => {
  const board = await open();
  expect(await board.send(packet('eval', 'nope.x'))).toMatch(/^\x15(?:\r\x1b\[J)?Uncaught ReferenceError: /);
});

test('EVENT reaches E.on("packet"), and is NAKed without a handler', async () => {
  const board = await open();
  expect(await board.send(packet('event', '{hello:1}'))).toBe('\x15');
  await board.send('\x10E.on("packet",function(d){print(d.hello)})\n');
  expect(await board.send(packet('event', '{hello:1}'))).toMatch(/1\r\n\x06>$/);
});

test('FILE_SEND and DATA store, FILE_RECV gives back', async () => {
  const board = await open();
  const text = 'print("from flash");'.repeat(100);
  expect(await board.send(packet('fileSend', `{fn:"test.js",s:${text.length}}`))).toBe('\x06');
  for (let at = 0; at < text.length; at += 512) {
    expect(await board.send(packet('data', text.slice(at, at + 512)), 200)).toBe('\x06');
  }
  const first = packet('data', text.slice(0, 1024));
  const second = packet('data', text.slice(1024));
  expect(await board.send(packet('fileReceive', '{fn:"test.js"}'), 500)).toBe(
    `\x06${first}${second}${packet('data', '')}`,
  );
});

test('a size of 0 and a missing file are NAKed', async () => {
  const board = await open();
  expect(await board.send(packet('fileSend', '{fn:"x",s:0}'))).toBe('\x15');
  expect(await board.send(packet('fileReceive', '{fn:"none"}'))).toBe('\x15');
});

test('a file that does not fit is ACKed, twice, with the error beside it', async () => {
  const board = await open();
  expect(await board.send(packet('fileSend', '{fn:"big",s:100000}'))).toBe('\x06');
  expect(await board.send(packet('data', 'x'.repeat(512)))).toMatch(
    /^\x06(?:\r\x1b\[J)?Uncaught Error: Unable to find or create file\r\n>$/,
  );
});

test('an unfinished packet is NAKed after five seconds', async () => {
  const board = await open();
  expect(await board.send(packet('eval', '1+1').slice(0, -1), 4900)).toBe('');
  expect(await board.wait(200)).toBe('\x15');
});

test('heatshrink, window 8 and lookahead 6: a literal and a copy', () => {
  // 1 01100001  0 00000000 000100: "a", then 5 bytes from 1 back.
  const bits = '101100001' + '000000000000100';
  const bytes = bits
    .padEnd(24, '0')
    .match(/.{8}/g)!
    .map((byte) => Number.parseInt(byte, 2));
  expect(Buffer.from(heatshrinkDecode(Uint8Array.from(bytes))).toString()).toBe('aaaaaa');
});

test('Bluetooth flow control: XOFF while the board is busy, XON behind it', async () => {
  const board = await openSession('puckjs', { console: 'ble' });
  await board.send('\x10var t=getTime();E.delay(2000)\n', 200);
  const flood = `\x10${' '.repeat(500)}1\n`;
  expect(await board.send(flood, 1500)).toContain('\x13');
  expect(await board.wait(2000)).toContain('\x11');
});
