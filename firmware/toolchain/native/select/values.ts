/** The instructions that compute a value. */
import type { Value } from '../ir.ts';
import { type MachineOp, PARAMETER_REGISTERS, resultRegister } from '../machine.ts';
import type { Selection } from './selection.ts';

/** Leiserson, Prokop, Randall 1998: the isolated bit times this has its index in the top five bits, through the table. */
export const DE_BRUIJN = 0x077cb531;

const tiedOps: Partial<Record<Value['op'], MachineOp>> = {
  mul: 'mul',
  and: 'and',
  or: 'orr',
  xor: 'eor',
  shl: 'lsl',
  shr: 'lsr',
  sar: 'asr',
};
const shiftImmediates: Partial<Record<Value['op'], MachineOp>> = { shl: 'lsli', shr: 'lsri', sar: 'asri' };
/** The immediate of an addition that overwrites its operand. */
const MOST_ADDED = 255;
const commutative = new Set(['mul', 'and', 'or', 'xor']);

export function selectValue(ctx: Selection, value: Value): void {
  const [a, b] = value.args as [Value, Value];
  switch (value.op) {
    case 'const':
      return;
    case 'base':
      ctx.machine.base = ctx.registerOf(value);
      ctx.emit('mov', { d: ctx.machine.base, a: 0 });
      return;
    case 'param':
      ctx.emit('mov', { d: ctx.registerOf(value), a: PARAMETER_REGISTERS[value.imm]! });
      return;
    case 'add':
      selectAdd(ctx, value, a, b);
      return;
    case 'sub':
      ctx.emit('sub', { a: ctx.use(a), b: ctx.use(b), d: ctx.registerOf(value) });
      return;
    case 'shl':
    case 'shr':
    case 'sar':
      if (b.op === 'const') {
        ctx.emit(shiftImmediates[value.op]!, { a: ctx.use(a), d: ctx.registerOf(value), imm: b.imm });
        return;
      }
      selectTied(ctx, value, a, b);
      return;
    case 'and':
      if (b.op === 'const' && maskByShifts(ctx, value, a, b.imm)) return;
      selectTied(ctx, value, a, b);
      return;
    case 'mul':
    case 'or':
    case 'xor':
      selectTied(ctx, value, a, b);
      return;
    case 'neg':
      ctx.emit('neg', { a: ctx.use(a), d: ctx.registerOf(value) });
      return;
    case 'not':
      ctx.emit('mvn', { a: ctx.use(a), d: ctx.registerOf(value) });
      return;
    case 'highest': {
      const count = ctx.fresh();
      const limit = ctx.fresh();
      ctx.emit('clz', { a: ctx.use(a), d: count });
      ctx.emit('movi', { d: limit, imm: 31 });
      ctx.emit('sub', { a: limit, b: count, d: ctx.registerOf(value) });
      return;
    }
    case 'lowest':
      selectLowest(ctx, value, a);
      return;
    case 'load':
      if (ctx.folded.has(a)) {
        const [base, index] = a.args as [Value, Value];
        ctx.emit('ldrx', {
          a: ctx.use(base),
          b: ctx.use(index),
          d: ctx.registerOf(value),
          width: value.width,
        });
        return;
      }
      ctx.emit('ldr', { a: ctx.use(a), d: ctx.registerOf(value), imm: value.imm, width: value.width });
      return;
    case 'store': {
      const c = ctx.use(b);
      if (ctx.folded.has(a)) {
        const [base, index] = a.args as [Value, Value];
        ctx.emit('strx', { a: ctx.use(base), b: ctx.use(index), c, width: value.width });
        return;
      }
      ctx.emit('str', { a: ctx.use(a), c, imm: value.imm, width: value.width });
      return;
    }
    case 'call': {
      passArguments(ctx, value.args);
      const keepsBase = ctx.options.keepingBase.has(value.callee);
      ctx.emit('bl', { callee: value.callee, imm: value.args.length, keepsBase });
      if (ctx.useCounts.has(value)) ctx.emit('mov', { d: ctx.registerOf(value), a: resultRegister(keepsBase) });
      return;
    }
    case 'phi':
  }
}

export function passArguments(ctx: Selection, args: readonly Value[]): void {
  const registers = args.map((arg) => (arg.op === 'const' ? -1 : ctx.use(arg)));
  const base = ctx.base();
  args.forEach((arg, i) => {
    const d = PARAMETER_REGISTERS[i]!;
    if (arg.op !== 'const') ctx.emit('mov', { d, a: registers[i]! });
    else if (d < 8) ctx.makeConstant(d, arg.imm);
    else ctx.emit('mov', { d, a: ctx.use(arg) });
  });
  ctx.emit('mov', { d: 0, a: base });
}

function selectAdd(ctx: Selection, value: Value, a: Value, b: Value): void {
  if (b.op !== 'const') {
    ctx.emit('add', { a: ctx.use(a), b: ctx.use(b), d: ctx.registerOf(value) });
    return;
  }
  const size = Math.abs(b.imm);
  const op = b.imm < 0 ? 'subi' : 'addi';
  if (size < 8) {
    ctx.emit(op, { a: ctx.use(a), d: ctx.registerOf(value), imm: size });
    return;
  }
  if (size < 2 * MOST_ADDED) {
    const d = ctx.registerOf(value);
    ctx.emit('mov', { a: ctx.use(a), d });
    ctx.emit(op, { a: d, d, imm: Math.min(size, MOST_ADDED) });
    if (size > MOST_ADDED) ctx.emit(op, { a: d, d, imm: size - MOST_ADDED });
    return;
  }
  ctx.emit('add', { a: ctx.use(a), b: ctx.use(b), d: ctx.registerOf(value) });
}

/** d = a op b where the instruction overwrites its first operand. */
function selectTied(ctx: Selection, value: Value, left: Value, right: Value): void {
  let [a, b] = [left, right];
  // The operand that is overwritten: a constant made for it, or one that nobody else reads.
  if (commutative.has(value.op) && (b.op === 'const' || (ctx.useCounts.get(b) === 1 && ctx.useCounts.get(a) !== 1))) {
    [a, b] = [b, a];
  }
  const d = ctx.registerOf(value);
  const other = ctx.use(b);
  if (a.op === 'const') ctx.makeConstant(d, a.imm);
  else ctx.emit('mov', { d, a: ctx.use(a) });
  ctx.emit(tiedOps[value.op]!, { d, a: d, b: other });
}

/** x & mask for a mask of adjacent ones at either end, as two shifts; bytes and halves have an instruction. */
function maskByShifts(ctx: Selection, value: Value, x: Value, mask: number): boolean {
  const m = mask >>> 0;
  const d = ctx.registerOf(value);
  if (m === 0xff || m === 0xffff) {
    ctx.emit(m === 0xff ? 'uxtb' : 'uxth', { a: ctx.use(x), d });
    return true;
  }
  const inverse = ~m >>> 0;
  if (inverse !== 0 && (inverse & (inverse + 1)) === 0) {
    // The low bits are cleared.
    const bits = 32 - Math.clz32(inverse);
    ctx.emit('lsri', { a: ctx.use(x), d, imm: bits });
    ctx.emit('lsli', { a: d, d, imm: bits });
    return true;
  }
  if ((m & (m + 1)) === 0 && m > 0xff) {
    const bits = Math.clz32(m);
    ctx.emit('lsli', { a: ctx.use(x), d, imm: bits });
    ctx.emit('lsri', { a: d, d, imm: bits });
    return true;
  }
  return false;
}

function selectLowest(ctx: Selection, value: Value, x: Value): void {
  const d = ctx.registerOf(value);
  if (ctx.options.hasClz) {
    const reversed = ctx.fresh();
    ctx.emit('rbit', { a: ctx.use(x), d: reversed });
    ctx.emit('clz', { a: reversed, d });
    return;
  }
  // (x & -x) * DE_BRUIJN >>> 27 is different for every bit.
  const bit = ctx.fresh();
  const magic = ctx.fresh();
  const index = ctx.fresh();
  const table = ctx.fresh();
  ctx.emit('neg', { a: ctx.use(x), d: bit });
  ctx.emit('and', { a: bit, b: ctx.use(x), d: bit });
  ctx.emit('ldc', { d: magic, imm: DE_BRUIJN });
  ctx.emit('mul', { a: bit, b: magic, d: bit });
  ctx.emit('lsri', { a: bit, d: index, imm: 27 });
  ctx.emit('adr', { d: table });
  ctx.emit('ldrx', { a: table, b: index, d, width: 1 });
}
