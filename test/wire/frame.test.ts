// Checksum and byte stuffing against published vectors, and frames through a hostile line.
import { expect, test } from 'vitest';
import { DELIMITER, MAX_FRAME_BYTES, MAX_PAYLOAD_BYTES, XOFF, XON } from '../../firmware/wire/format.ts';
import { crc16, encodeFrame } from '../../firmware/wire/frame.ts';
import { FrameReader } from '../../host/model/frame-reader.ts';
import { below, random } from './random.ts';

const hex = (text: string): number[] => (text.match(/[0-9a-f]{2}/gi) ?? []).map((byte) => Number.parseInt(byte, 16));
const count = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/**
 * COBS over any set of reserved bytes, written from the definition and not from the encoder: with 00 alone it is the
 * published COBS. `endless` leaves out an empty last group, as Heapglass frames do, whose length is told elsewhere.
 */
function stuff(bytes: readonly number[], reserved: readonly number[], endless: boolean): number[] {
  const codes = count(0, 255).filter((byte) => !reserved.includes(byte));
  const longest = Math.floor((codes.length - 1) / reserved.length);
  const groups: number[][] = [];
  let literals: number[] = [];
  let full = false;
  const close = (which: number): void => {
    groups.push([codes[literals.length * reserved.length + which]!, ...literals]);
    literals = [];
  };
  for (const byte of bytes) {
    full = false;
    const which = reserved.indexOf(byte);
    if (which >= 0) close(which);
    else if (literals.push(byte) === longest) {
      close(0);
      full = true;
    }
  }
  if (literals.length > 0 || !(endless || full)) close(0);
  return groups.flat();
}

test('crc16 is CRC-16/XMODEM', () => {
  const of = (text: string): number => crc16(new TextEncoder().encode(text), 0, text.length, 0);
  // reveng catalogue: check value of "123456789".
  expect(of('123456789')).toBe(0x31c3);
  expect(of('')).toBe(0);
  expect(of('A')).toBe(0x58e5);
  expect(of('T')).toBe(0x1a71);
});

test('the reference stuffing is COBS when 00 is the only reserved byte', () => {
  // Examples of Cheshire and Baker's method as tabulated in Wikipedia, "Consistent Overhead Byte Stuffing".
  const published: [number[], number[]][] = [
    [hex('00'), hex('01 01')],
    [hex('00 00'), hex('01 01 01')],
    [hex('00 11 00'), hex('01 02 11 01')],
    [hex('11 22 00 33'), hex('03 11 22 02 33')],
    [hex('11 22 33 44'), hex('05 11 22 33 44')],
    [hex('11 00 00 00'), hex('02 11 01 01 01')],
    [count(1, 254), [255, ...count(1, 254)]],
    [count(0, 254), [1, 255, ...count(1, 254)]],
    [count(1, 255), [255, ...count(1, 254), 2, 255]],
    [
      [...count(2, 255), 0],
      [255, ...count(2, 255), 1, 1],
    ],
    [
      [...count(3, 255), 0, 1],
      [254, ...count(3, 255), 2, 1],
    ],
  ];
  for (const [bytes, encoded] of published) expect(stuff(bytes, [0], false)).toEqual(encoded);
});

function body(payload: readonly number[], type = 0x22, sequence = 7): Uint8Array {
  return Uint8Array.of(payload.length, type, sequence, ...payload);
}

function encoded(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(MAX_FRAME_BYTES);
  return out.slice(0, encodeFrame(bytes, 0, bytes.length, out));
}

function read(chunks: readonly Uint8Array[]) {
  const frames: number[][] = [];
  const text: number[] = [];
  let damaged = 0;
  const reader = new FrameReader({
    frame: (bytes, length) => frames.push([...bytes.subarray(0, length)]),
    text: (bytes) => {
      for (const byte of bytes) text.push(byte);
    },
    damaged: (bytes) => {
      damaged += bytes;
    },
  });
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return { frames, text, damaged };
}

test('encodeFrame equals the reference stuffing over 00, 11 and 13', () => {
  const next = random(1);
  for (let round = 0; round < 3000; round++) {
    const length = below(next, MAX_PAYLOAD_BYTES + 1);
    const spread = [256, 24, 4][round % 3]!;
    const payload = Array.from({ length }, () => (round % 5 === 0 ? 0x40 + below(next, 64) : below(next, spread)));
    const bytes = body(payload, 0x20 + below(next, 6), below(next, 256));
    const crc = crc16(bytes, 0, bytes.length, 0);
    const frame = encoded(bytes);
    expect([...frame]).toEqual([0, ...stuff([...bytes, crc >> 8, crc & 255], [DELIMITER, XON, XOFF], true)]);
    expect(frame.length).toBeLessThanOrEqual(MAX_FRAME_BYTES);
    expect(frame.subarray(1)).not.toContain(DELIMITER);
    expect(frame).not.toContain(XON);
    expect(frame).not.toContain(XOFF);
  }
});

test('the longest frame has the length that format.ts promises', () => {
  const lengths = [
    encoded(body(new Array(MAX_PAYLOAD_BYTES).fill(0x55))),
    encoded(body(new Array(MAX_PAYLOAD_BYTES).fill(0))),
  ];
  expect(Math.max(...lengths.map((frame) => frame.length))).toBe(MAX_FRAME_BYTES);
});

test('R1, R3: frames, text and flow control in any chunks: all of it comes out, in order', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const next = random(seed);
    const line: number[] = [];
    const sent: number[][] = [];
    const text: number[] = [];
    for (let part = 0; part < 12; part++) {
      if (next() < 0.5) {
        const bytes = body(Array.from({ length: below(next, 200) }, () => below(next, 256)));
        sent.push([...bytes]);
        for (const byte of encoded(bytes)) {
          line.push(byte);
          // Anywhere but before the delimiter, where it would be text, and dropped there as well.
          if (next() < 0.02) line.push(next() < 0.5 ? XON : XOFF);
        }
      } else {
        const printed = Array.from({ length: below(next, 30) }, () => 32 + below(next, 95));
        text.push(...printed);
        line.push(...printed);
      }
    }
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < line.length; ) {
      const to = at + 1 + below(next, 70);
      chunks.push(Uint8Array.from(line.slice(at, to)));
      at = to;
    }
    const heard = read(chunks);
    expect(heard.frames, `seed ${seed}`).toEqual(sent);
    expect(heard.text, `seed ${seed}`).toEqual(text);
    expect(heard.damaged, `seed ${seed}`).toBe(0);
  }
});

test('R1: a sound frame after a cut one, a hostile length or an endless one is delivered', () => {
  const sound = encoded(body([1, 2, 3]));
  const cut = sound.subarray(0, sound.length - 2);
  expect(read([cut, sound]).frames).toHaveLength(1);
  expect(read([Uint8Array.of(0, 4, 255, 65), sound]).frames).toHaveLength(1);
  const endless = new Uint8Array(1 << 20).fill(0x41);
  endless[0] = 0;
  const { frames, text, damaged } = read([endless, sound]);
  expect(frames).toHaveLength(1);
  // R2: a frame is given up when it is longer than any can be, and the rest is text again.
  expect(damaged).toBeLessThanOrEqual(MAX_FRAME_BYTES);
  expect(text.length + damaged).toBe(endless.length);
});

test('R3: noise is text or damage, byte for byte', () => {
  const next = random(9);
  const noise = Uint8Array.from({ length: 200_000 }, () => below(next, 256)).filter((b) => b !== XON && b !== XOFF);
  const { frames, text, damaged } = read([noise]);
  expect(frames).toHaveLength(0);
  expect(text.length + damaged).toBe(noise.length);
});
