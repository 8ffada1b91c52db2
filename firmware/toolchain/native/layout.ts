/**
 * Stage 6b, layout: addresses. Literal pools are placed behind code that is not run through, conditional branches that
 * do not reach become an inverted branch over B, and everything is encoded. Addresses only grow while branches are
 * relaxed, so it ends.
 */
import {
  BX_LR,
  encode,
  encodeAdr,
  encodeBranch,
  encodeBranchLink,
  encodeConditional,
  encodeLiteralLoad,
  encodePop,
  encodePush,
  encodeSpAdd,
  encodeSpSub,
  fitsBranch,
  fitsConditional,
} from './encode.ts';
import { type LoopBound, negated } from './ir.ts';
import type { Item } from './linear.ts';
import { inst, type MachineCondition, type MachineInst } from './machine.ts';
import { DE_BRUIJN } from './select/values.ts';

export interface Placed {
  /** Where it was written, for the listing: a position of the parsed text; null for literals. */
  readonly at: number | null;
  readonly address: number;
  readonly halfwords: readonly number[];
}

export interface Layout {
  readonly code: Uint8Array;
  readonly placed: readonly Placed[];
  readonly labels: ReadonlyMap<string, number>;
  /** Address of a loop's first instruction -> its annotated bound. */
  readonly loopBounds: ReadonlyMap<number, LoopBound>;
  /** Address ranges that hold literals. */
  readonly pools: readonly { address: number; sizeBytes: number }[];
}

/** LDR (literal) and ADR reach 1020 bytes; a pool is placed before the oldest user is this far away. */
const POOL_REACH = 900;
/** The index of the set bit for each value of the top five bits of `bit * DE_BRUIJN`. */
const BIT_TABLE = Uint8Array.from({ length: 32 }, () => 0);
for (let bit = 0; bit < 32; bit++) BIT_TABLE[Math.imul(1 << bit, DE_BRUIJN) >>> 27] = bit;

const TABLE = 'table';
type Literal = number | typeof TABLE;

type Piece =
  | Item
  | { kind: 'literal'; d: number; value: Literal; pool: number; isAddress: boolean; at: number }
  | { kind: 'pool'; pool: number; values: Literal[] };

export function layOut(routines: readonly (readonly Item[])[]): Layout {
  const pieces = placePools(routines.flatMap((items) => items.flatMap(expandConstant)));
  const long = new Set<Piece>();
  for (;;) {
    const { addresses, labels, literalAt } = assign(pieces, long);
    const before = long.size;
    for (const piece of pieces) {
      if (piece.kind !== 'conditional' || long.has(piece)) continue;
      if (!fitsConditional(labels.get(piece.to)! - addresses.get(piece)!)) long.add(piece);
    }
    if (long.size === before) return emit(pieces, long, addresses, labels, literalAt);
  }
}

/** ldc => one or two instructions without a literal where that is possible. */
function expandConstant(item: Item): Piece[] {
  if (item.kind !== 'inst') return [item];
  const { op, d, imm, at } = item.inst;
  const make = (name: MachineInst['op'], fields: Partial<MachineInst>): Piece => ({
    kind: 'inst',
    inst: inst(name, { d, at, ...fields }),
  });
  if (op === 'adr') return [{ kind: 'literal', d, value: TABLE, pool: -1, isAddress: true, at }];
  if (op !== 'ldc') return [item];
  if (imm >= 0 && imm < 256) return [make('movi', { imm })];
  if (imm < 0 && ~imm < 256) return [make('movi', { imm: ~imm }), make('mvn', { a: d })];
  const zeros = 31 - Math.clz32(imm & -imm);
  if (imm >>> zeros < 256) return [make('movi', { imm: imm >>> zeros }), make('lsli', { a: d, imm: zeros })];
  if (imm > 255 && imm < 511) return [make('movi', { imm: 255 }), make('addi', { a: d, imm: imm - 255 })];
  return [{ kind: 'literal', d, value: imm, pool: -1, isAddress: false, at }];
}

function sizeOf(piece: Piece, long: ReadonlySet<Piece>): number {
  switch (piece.kind) {
    case 'label':
      return 0;
    case 'inst':
      return piece.inst.op === 'clz' || piece.inst.op === 'rbit' ? 4 : 2;
    case 'conditional':
      return long.has(piece) ? 4 : 2;
    case 'call':
      return 4;
    case 'pool':
      return piece.values.reduce((sum: number, value) => sum + (value === TABLE ? BIT_TABLE.length : 4), 0);
    default:
      return 2;
  }
}

/** Nothing runs on from here into what follows. */
function isBarrier(piece: Piece): boolean {
  return piece.kind === 'branch' || piece.kind === 'bx' || (piece.kind === 'pop' && piece.pc);
}

function placePools(input: readonly Piece[]): Piece[] {
  const pieces: Piece[] = [];
  let values: Literal[] = [];
  let pool = 0;
  let address = 0;
  let oldest = -1;
  let skips = 0;
  const longest = new Set<Piece>(input);
  const flush = (): void => {
    if (values.length === 0) return;
    pieces.push({ kind: 'pool', pool, values });
    address += sizeOf(pieces.at(-1)!, longest) + 2;
    values = [];
    pool++;
    oldest = -1;
  };
  input.forEach((piece, i) => {
    if (piece.kind === 'literal') {
      piece.pool = pool;
      if (oldest < 0) oldest = address;
      if (!values.includes(piece.value)) values.push(piece.value);
    }
    pieces.push(piece);
    address += sizeOf(piece, longest);
    if (oldest < 0) return;
    const pending = sizeOf({ kind: 'pool', pool, values }, longest);
    if (isBarrier(piece)) {
      let next = i + 1;
      let ahead = 0;
      while (next < input.length && !isBarrier(input[next]!)) ahead += sizeOf(input[next++]!, longest);
      if (next < input.length && address + ahead + 4 - oldest + pending > POOL_REACH) flush();
    } else if (address - oldest + pending > POOL_REACH) {
      const over = `.over${skips++}`;
      const at = piece.kind === 'inst' ? piece.inst.at : 'at' in piece ? piece.at : 0;
      pieces.push({ kind: 'branch', to: over, at });
      address += 2;
      flush();
      pieces.push({ kind: 'label', label: over, loopBound: null });
    }
  });
  flush();
  return pieces;
}

function assign(pieces: readonly Piece[], long: ReadonlySet<Piece>) {
  const addresses = new Map<Piece, number>();
  const labels = new Map<string, number>();
  const literalAt = new Map<string, number>();
  let address = 0;
  for (const piece of pieces) {
    if (piece.kind === 'pool') address = (address + 3) & ~3;
    addresses.set(piece, address);
    if (piece.kind === 'label') labels.set(piece.label, address);
    if (piece.kind === 'pool') {
      let at = address;
      for (const value of piece.values) {
        literalAt.set(`${piece.pool} ${value}`, at);
        at += value === TABLE ? BIT_TABLE.length : 4;
      }
    }
    address += sizeOf(piece, long);
  }
  return { addresses, labels, literalAt };
}

function emit(
  pieces: readonly Piece[],
  long: ReadonlySet<Piece>,
  addresses: ReadonlyMap<Piece, number>,
  labels: ReadonlyMap<string, number>,
  literalAt: ReadonlyMap<string, number>,
): Layout {
  const placed: Placed[] = [];
  const pools: { address: number; sizeBytes: number }[] = [];
  const loopBounds = new Map<number, LoopBound>();
  const target = (label: string): number => {
    const address = labels.get(label);
    if (address === undefined) throw new Error(`no label ${label}`);
    return address;
  };
  for (const piece of pieces) {
    const address = addresses.get(piece)!;
    const put = (at: number | null, ...halfwords: number[]): void => {
      placed.push({ at, address, halfwords });
    };
    switch (piece.kind) {
      case 'label':
        if (piece.loopBound) loopBounds.set(address, piece.loopBound);
        break;
      case 'inst':
        put(piece.inst.at, ...encode(piece.inst));
        break;
      case 'conditional': {
        const distance = target(piece.to) - address;
        if (!long.has(piece)) put(piece.at, encodeConditional(piece.cond, distance));
        else {
          put(piece.at, encodeConditional(inverse(piece.cond), 4));
          placed.push({ at: piece.at, address: address + 2, halfwords: [branchTo(distance - 2)] });
        }
        break;
      }
      case 'branch':
        put(piece.at, branchTo(target(piece.to) - address));
        break;
      case 'call':
        put(piece.at, ...encodeBranchLink(target(piece.to) - address));
        break;
      case 'push':
        put(piece.at, encodePush(piece.low, piece.lr));
        break;
      case 'pop':
        put(piece.at, encodePop(piece.low, piece.pc));
        break;
      case 'frame':
        put(piece.at, piece.bytes < 0 ? encodeSpSub(-piece.bytes) : encodeSpAdd(piece.bytes));
        break;
      case 'bx':
        put(piece.at, BX_LR);
        break;
      case 'literal': {
        const distance = literalAt.get(`${piece.pool} ${piece.value}`)! - ((address + 4) & ~3);
        put(piece.at, piece.isAddress ? encodeAdr(piece.d, distance) : encodeLiteralLoad(piece.d, distance));
        break;
      }
      case 'pool': {
        const bytes = piece.values.flatMap((value) =>
          value === TABLE
            ? [...BIT_TABLE]
            : [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255],
        );
        const halfwords = Array.from({ length: bytes.length / 2 }, (_, k) => bytes[2 * k]! | (bytes[2 * k + 1]! << 8));
        put(null, ...halfwords);
        pools.push({ address, sizeBytes: bytes.length });
      }
    }
  }
  const last = placed.at(-1);
  const sizeBytes = last ? (last.address + 2 * last.halfwords.length + 3) & ~3 : 0;
  const code = new Uint8Array(sizeBytes);
  for (const { address, halfwords } of placed) {
    halfwords.forEach((halfword, k) => {
      code[address + 2 * k] = halfword & 255;
      code[address + 2 * k + 1] = halfword >> 8;
    });
  }
  return { code, placed, labels, loopBounds, pools };
}

/** bcc +4 skips the B that follows it: the inverted condition. */
function inverse(cond: MachineCondition): MachineCondition {
  return cond === 'mi' ? 'pl' : cond === 'pl' ? 'mi' : negated[cond];
}

function branchTo(distance: number): number {
  if (!fitsBranch(distance)) throw new Error(`a branch of ${distance} bytes is out of reach`);
  return encodeBranch(distance);
}
