// Firmware images: UF2 and BIN, and everything that can be wrong with them.
import { expect, test } from 'vitest';
import { Problem } from '../../boards/problem.ts';
import { parseImage } from '../../sim/rp2040/image.ts';
import { testImage, uf2Of } from './test-image.ts';

const flashBytes = 2 * 1024 * 1024;
const image = testImage();
const uf2 = uf2Of(image);

function changed(change: (file: Uint8Array, view: DataView) => void): Uint8Array {
  const file = uf2.slice();
  change(file, new DataView(file.buffer));
  return file;
}

test('UF2 and BIN of the same firmware give the same flash', () => {
  const fromUf2 = parseImage('k.uf2', uf2, flashBytes);
  expect(fromUf2.length).toBe(flashBytes);
  expect(fromUf2.subarray(0x100, image.length)).toEqual(image.subarray(0x100));
  expect(fromUf2[flashBytes - 1]).toBe(0xff);
  expect(parseImage('k.bin', image, flashBytes).subarray(0x100, image.length)).toEqual(image.subarray(0x100));
});

test('the order of the blocks does not matter', () => {
  const blocks = Array.from({ length: uf2.length / 512 }, (_, i) => uf2.subarray(512 * i, 512 * (i + 1))).reverse();
  const flash = parseImage('k.uf2', new Uint8Array(Buffer.concat(blocks)), flashBytes);
  expect(Buffer.from(flash).equals(parseImage('k.uf2', uf2, flashBytes))).toBe(true);
});

test.each<[string, Uint8Array, RegExp]>([
  ['nothing', new Uint8Array(0), /no vector table/],
  ['text called .uf2', new TextEncoder().encode('<html>404</html>'), /another magic/],
  ['an ELF file', Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 1, 1, 1, 0), /ELF/],
  ['cut inside a block', uf2.subarray(0, 512 + 100), /cut off.*612 bytes/s],
  ['a block short', uf2.subarray(512), /missing.*the first missing is 0/s],
  ['a flipped magic', changed((file) => file.fill(0, 512, 516)), /block 1 is damaged/],
  ['a flipped end', changed((file) => file.fill(0, 508, 512)), /block 0 is damaged/],
  ['for RP2350', uf2Of(image, 0xe48bff59), /another chip.*RP2350, Arm/s],
  ['outside the flash', changed((_, view) => view.setUint32(12, 0x2000_0000, true)), /block 0 lies outside/],
  ['a block twice', changed((_, view) => view.setUint32(512 + 20, 0, true)), /block number 0 is there twice/],
  [
    'no vector table',
    changed((file) => file.fill(0xff, 32, 32 + 256).fill(0xff, 512 + 32, 512 + 40)),
    /no vector table/,
  ],
])('%s is refused with what is wrong', (name, file, message) => {
  try {
    parseImage(name.endsWith('ELF file') || name === 'nothing' ? 'k.bin' : 'k.uf2', file, flashBytes);
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(Problem);
    const { message: said, facts, advice } = error as Problem;
    expect(`${said}\n${facts.join('\n')}`).toMatch(message);
    expect(advice).toContain('https://');
  }
});
