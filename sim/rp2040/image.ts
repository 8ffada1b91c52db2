/**
 * A firmware image for the RP2040: a UF2 file or plain bytes of its flash, checked, as what the flash holds.
 *
 *   UF2: blocks of 512 bytes   | magic magic | flags address size | number count family | 476 data | magic |
 *
 * Reference: microsoft/uf2 README.md (block format, flags); families: uf2families.json of the same repository.
 */
import { exitCodes, Problem } from '../../boards/problem.ts';

/** Where the chip sees its flash. */
export const flashBase = 0x1000_0000;
/** The chip's RAM, 264 KB (RP2040 datasheet 2.6.2). */
export const ramBase = 0x2000_0000;
const ramEnd = 0x2004_2000;
/** Behind the second-stage boot code lies the program's vector table (pico-sdk crt0, boot_stage2). */
export const vectorTableOffset = 0x100;

const blockBytes = 512;
const magicStart = [0x0a324655, 0x9e5d5157] as const;
const magicEnd = 0x0ab16f30;
const dataOffset = 32;
const mostDataBytes = 476;
const flagNotMainFlash = 0x0000_0001;
const flagFamily = 0x0000_2000;
const rp2040Family = 0xe48bff56;
const otherFamilies: Readonly<Record<number, string>> = {
  3834380119: 'RP2 absolute',
  3834380120: 'RP2 data',
  3834380121: 'RP2350, Arm',
  3834380122: 'RP2350, RISC-V',
  3834380123: 'RP2350, Arm, non-secure',
};
export const whereImagesAre =
  'Take the kaluma-rp2-pico UF2 of a release at https://github.com/kaluma-project/kaluma/releases (1.2.1 is the last for RP2040).';

function badImage(name: string, problem: string, facts: readonly string[] = []): Problem {
  return new Problem(exitCodes.badInput, `${name}: ${problem}`, facts, whereImagesAre);
}

/** What the flash holds after `file` was put on it, `flashBytes` long; the rest is erased. A Problem names what is wrong. */
export function parseImage(name: string, file: Uint8Array, flashBytes: number): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const isUf2 = file.length >= 8 && view.getUint32(0, true) === magicStart[0];
  if (!isUf2 && /\.uf2$/i.test(name)) throw badImage(name, 'it is no UF2 file: its first block has another magic');
  if (file.length >= 4 && view.getUint32(0, true) === 0x464c457f) {
    throw badImage(name, 'it is an ELF file', ['an image is a .uf2 or a .bin file']);
  }
  const flash = new Uint8Array(flashBytes).fill(0xff);
  if (isUf2) readBlocks(name, view, flash);
  else if (file.length > flashBytes) {
    throw badImage(name, 'it is larger than the flash', [`${file.length} bytes; the flash has ${flashBytes}`]);
  } else flash.set(file);
  checkBootable(name, flash);
  return flash;
}

function readBlocks(name: string, view: DataView, flash: Uint8Array): void {
  if (view.byteLength % blockBytes !== 0) {
    throw badImage(name, 'it is cut off', [`${view.byteLength} bytes are no whole number of 512-byte blocks`]);
  }
  const word = (block: number, offset: number): number => view.getUint32(block * blockBytes + offset, true);
  const seen = new Set<number>();
  const families = new Set<number>();
  let expected = 0;
  for (let block = 0; block < view.byteLength / blockBytes; block++) {
    const isBlock =
      word(block, 0) === magicStart[0] && word(block, 4) === magicStart[1] && word(block, 508) === magicEnd;
    if (!isBlock) throw badImage(name, `block ${block} is damaged`, ['its magic numbers are wrong']);
    const [flags, address, sizeBytes] = [word(block, 8), word(block, 12), word(block, 16)];
    const [number, count, family] = [word(block, 20), word(block, 24), word(block, 28)];
    if (flags & flagNotMainFlash) continue;
    if (flags & flagFamily && family !== rp2040Family) {
      families.add(family);
      continue;
    }
    const offset = address - flashBase;
    if (sizeBytes > mostDataBytes || offset < 0 || offset + sizeBytes > flash.length) {
      throw badImage(name, `block ${block} lies outside the flash`, [
        `${sizeBytes} bytes at 0x${address.toString(16)}; the flash has ${flash.length} bytes at 0x10000000`,
      ]);
    }
    if (seen.has(number)) throw badImage(name, `block number ${number} is there twice`);
    seen.add(number);
    expected = count;
    const at = block * blockBytes + dataOffset;
    flash.set(new Uint8Array(view.buffer, view.byteOffset + at, sizeBytes), offset);
  }
  if (seen.size === 0) {
    const names = [...families].map((family) => otherFamilies[family] ?? `family 0x${family.toString(16)}`);
    throw badImage(name, 'it is for another chip', [`for ${names.join(', ') || 'nothing'}; the RP2040 is wanted`]);
  }
  if (seen.size !== expected) {
    let missing = 0;
    while (seen.has(missing)) missing++;
    throw badImage(name, 'blocks are missing', [
      `${seen.size} of ${expected} are there; the first missing is ${missing}`,
    ]);
  }
}

/** The stack pointer and the entry of the vector table must lie where stacks and code can lie. */
function checkBootable(name: string, flash: Uint8Array): void {
  const view = new DataView(flash.buffer);
  const stack = view.getUint32(vectorTableOffset, true);
  const entry = view.getUint32(vectorTableOffset + 4, true);
  const isSound =
    stack > ramBase && stack <= ramEnd && entry % 2 === 1 && entry > flashBase && entry < flashBase + flash.length;
  if (isSound) return;
  throw badImage(name, 'it does not boot an RP2040', [
    `at 0x10000100 there is no vector table: stack 0x${stack.toString(16)}, entry 0x${entry.toString(16)}`,
  ]);
}
