/**
 * The policy of an Espruino bundle as machine code: what the bundler puts in place of bound-policy.ts for
 * `flash --native`.
 *
 *   bundle   base64 of the blob  ->  one flat string  ->  E.nativeCall(entry, 'int(...)', string) for each entry
 *   call     malloc(size)        ->  nativeMalloc(E.getAddressOf(u8, true), size)
 *
 * Invariants
 *   N1  no address outlives a call: the arena's is asked for at each one, and Espruino takes the code's from the string
 *       at each one, so `E.defrag` may move both.
 *   N2  code that is not what was compiled (its CRC-32), a board it was not compiled for, and an arena or code that is
 *       not flat in memory are refused: init gives 0, so createHeap gives null, and a line says why.
 *
 * The heap walk stays interpreted: telemetry sweeps a few blocks at a time, and stats are rare.
 * Source: espruino/Espruino@c5ff787b1 src/jswrap_espruino.c (getAddressOf, toFlatString), src/jswrap_functions.c.
 */
import { type Board, loadBoard } from '../../boards/board.ts';
import { exitCodes, Problem } from '../../boards/problem.ts';
import type { PolicyName } from '../src/policies/index.ts';
import { type BlobEntry, packBlob, unpackBlob } from './native/blob.ts';
import type { Cpu } from './native/compile.ts';
import { compilePolicy } from './native/policy.ts';

export interface NativePolicy {
  cpu: Cpu;
  blobBytes: number;
  /** The module's text. */
  module: string;
}

/** Parameters of the entries behind the arena's base, in the order of the calling convention. */
const parameters: Record<BlobEntry, readonly string[]> = {
  init: ['arenaBytes'],
  malloc: ['size'],
  free: ['offset'],
  realloc: ['offset', 'size'],
  memalign: ['alignment', 'size'],
  usableSize: ['offset'],
  mallocMany: ['size', 'count', 'list'],
  freeMany: ['count', 'list'],
  usableMany: ['count', 'list'],
};
const walkers = [
  ...['firstBlock', 'nextBlock', 'blockKind', 'blockPayload', 'check', 'checkOffset', 'locate', 'pin', 'unpin'],
];

/** Why a board cannot run machine code of ours; null when it can. */
export function whyNotNative(board: Board): string | null {
  if (!board.features.nativeCall) return `${board.id} has no E.nativeCall`;
  return codeFor(board) === null ? `${board.id} is no Cortex-M (${board.cpu})` : null;
}

/** What a board's processor is compiled for. The Cortex-M3 and M33 run what the M4 runs of it. */
function codeFor({ cpu }: Board): Cpu | null {
  if (cpu === 'cortex-m0' || cpu === 'cortex-m0plus') return 'cortex-m0plus';
  return /^cortex-m(3|4|7|33)$/.test(cpu) ? 'cortex-m4' : null;
}

/** A Problem where the board runs no such code, or the policy cannot be compiled. */
export function nativePolicy(policy: PolicyName, board: Board): NativePolicy {
  const cpu = codeFor(board);
  const reason = whyNotNative(board);
  if (cpu === null || reason !== null) {
    throw new Problem(exitCodes.unsupported, 'native code cannot run there', [reason ?? ''], 'Leave --native out.');
  }
  const blob = packBlob(compilePolicy(policy, cpu));
  const { codeOffset, entries } = unpackBlob(blob, cpu);
  const functions = Object.entries(parameters).map(([name, words]) => {
    const signature = `int(${['int', ...words.map(() => 'int')].join()})`;
    // Bit 0 says Thumb.
    const entry = (codeOffset + entries[name as BlobEntry]!) | 1;
    const base = 'E.getAddressOf(u8, true)';
    const body =
      name === 'init'
        ? `const base = ${base};
  if (base === 0) print('heapglass: the arena is not flat in memory, native code cannot run on it');
  return isRight && base !== 0 ? nativeInit(base, arenaBytes) : 0;`
        : `return ${nativeName(name)}(${[base, ...words].join(', ')});`;
    return `const ${nativeName(name)} = entry(${entry}, '${signature}');
export function ${name}(${words.join(', ')}) {
  ${body}
}
`;
  });
  const module = `import { u8 } from './arena.ts';
export { ${walkers.join(', ')} } from './policies/${policy}.ts';
export function bindPolicy(policy) { return 0; }
export function policyNamed(name) { return 1; }
export function select(offset) { return offset; }
const code = (E.toFlatString || E.toString)(atob('${Buffer.from(blob).toString('base64')}'));
const isRight = code !== undefined && (E.CRC32(code) | 0) === ${crc32(blob) | 0} && process.env.BOARD === '${nameOf(board)}';
if (!isRight) print('heapglass: this native code is damaged, has no flat memory, or is for another board (${board.id})');
const entry = (offset, signature) => isRight && E.nativeCall(offset, signature, code);
${functions.join('')}`;
  return { cpu, blobBytes: blob.length, module };
}

const nativeName = (entry: string): string => `native${entry[0]!.toUpperCase()}${entry.slice(1)}`;

/** As the board's process.env.BOARD has it. */
const nameOf = ({ id }: Board): string => loadBoard(id).id.toUpperCase();

/** As E.CRC32 computes it. node:zlib has one from Node 20.15 on only. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
