/**
 * The blob that is flashed: compiled code with a header that says what it is, so that another processor's code, a cut
 * file or a flipped bit is refused before anything is called.
 *
 *   0   'HGN1'
 *   4   u8 processor (1: ARMv6-M, runs on every Cortex-M; 2: ARMv7E-M), u8 count of entries, u16 bytes of header
 *   8   u32 bytes of code
 *   12  u32 CRC-32 (ISO-HDLC, as zlib's) of the table and the code
 *   16  a table of u16: the code offset of each entry, 0xffff for one that is not there
 *   ..  the code, at a multiple of 4
 *
 * Entries in the order of blobEntries. All numbers are little-endian.
 */
import { exitCodes, Problem } from '../../../boards/problem.ts';
import type { Compiled, Cpu } from './compile.ts';

export const blobEntries = [
  'init',
  'malloc',
  'free',
  'realloc',
  'memalign',
  'usableSize',
  'mallocMany',
  'freeMany',
  'usableMany',
] as const;
export type BlobEntry = (typeof blobEntries)[number];

const MAGIC = 0x314e4748;
const HEADER_BYTES = 16;
const ABSENT = 0xffff;
const cpuNumbers: Record<Cpu, number> = { 'cortex-m0plus': 1, 'cortex-m4': 2 };

export interface Blob {
  readonly cpu: Cpu;
  readonly code: Uint8Array;
  /** Where the code begins in the blob. */
  readonly codeOffset: number;
  /** Code offsets of the entries that are there. */
  readonly entries: Readonly<Partial<Record<BlobEntry, number>>>;
}

export function packBlob({ cpu, routines, layout }: Compiled): Uint8Array {
  const codeOffset = (HEADER_BYTES + 2 * blobEntries.length + 3) & ~3;
  const bytes = new Uint8Array(codeOffset + layout.code.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, cpuNumbers[cpu]);
  view.setUint8(5, blobEntries.length);
  view.setUint16(6, codeOffset, true);
  view.setUint32(8, layout.code.length, true);
  blobEntries.forEach((entry, i) => {
    const routine = routines.find(({ name }) => name === entry);
    view.setUint16(HEADER_BYTES + 2 * i, routine?.offset ?? ABSENT, true);
  });
  bytes.set(layout.code, codeOffset);
  view.setUint32(12, checksum(bytes.subarray(HEADER_BYTES)), true);
  return bytes;
}

/** Reads a blob for a processor. A Problem when it is cut, changed, or made for one that has other instructions. */
export function unpackBlob(bytes: Uint8Array, runsOn: Cpu): Blob {
  const refuse = (problem: string, ...facts: string[]): Problem =>
    new Problem(
      exitCodes.badInput,
      `this native blob is not run: ${problem}`,
      facts,
      'Make it again with `heapglass compile`.',
    );
  if (bytes.length < HEADER_BYTES)
    throw refuse('it is cut', `${bytes.length} bytes, the header alone has ${HEADER_BYTES}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== MAGIC) throw refuse('it does not begin with HGN1');
  const cpu = (Object.keys(cpuNumbers) as Cpu[]).find((name) => cpuNumbers[name] === view.getUint8(4));
  if (!cpu) throw refuse('its processor is not known', `number ${view.getUint8(4)}`);
  const codeOffset = view.getUint16(6, true);
  const codeBytes = view.getUint32(8, true);
  if (bytes.length !== codeOffset + codeBytes) {
    throw refuse('its length is wrong', `${bytes.length} bytes, its header says ${codeOffset + codeBytes}`);
  }
  if (checksum(bytes.subarray(HEADER_BYTES)) !== view.getUint32(12, true)) {
    throw refuse('its checksum is wrong', 'something changed its bytes after it was made');
  }
  if (cpu === 'cortex-m4' && runsOn === 'cortex-m0plus') {
    throw new Problem(
      exitCodes.unsupported,
      'this native blob is not run: it was made for another processor',
      [`made for ${cpu}, the board has a ${runsOn}`],
      `Compile it with --cpu ${runsOn}.`,
    );
  }
  const count = view.getUint8(5);
  if (codeOffset % 4 !== 0 || codeOffset < HEADER_BYTES + 2 * count) {
    throw refuse('its header is wrong', `${count} entries, and code from byte ${codeOffset} on`);
  }
  const entries: Partial<Record<BlobEntry, number>> = {};
  blobEntries.slice(0, count).forEach((entry, i) => {
    const offset = view.getUint16(HEADER_BYTES + 2 * i, true);
    if (offset === ABSENT) return;
    if (offset >= codeBytes || offset % 2 !== 0)
      throw refuse(`its entry ${entry} lies outside the code`, `offset ${offset}`);
    entries[entry] = offset;
  });
  return { cpu, code: bytes.subarray(codeOffset), codeOffset, entries };
}

/** CRC-32, reflected, polynomial 0xedb88320. node:zlib has one from Node 20.15 on only. */
function checksum(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
