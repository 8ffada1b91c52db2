/**
 * The fast mode: code that is reachable from an address becomes one JavaScript function, a `switch` over its basic
 * blocks with the processor's registers in local variables. Flags are only computed where something may read them.
 * Same registers, memory, cycles and instruction counts as the interpreter at every exit; the budget is looked at
 * between blocks. What is not translated (32-bit instructions but BL, IT, BKPT, SVC) is left to the interpreter.
 */
import { type Core, RETURN_ADDRESS, type Stop } from './core.ts';
import { shiftWithCarry } from './flags.ts';
import { Fault } from './memory.ts';
import { conditionOf, isConditional, nOf, O } from './operations.ts';
import {
  conditionText,
  endsBlock,
  flagsRead,
  flagsWritten,
  isDynamic,
  isTranslated,
  type Translation,
  targetOf,
  translate,
} from './translate.ts';

interface Block {
  readonly start: number;
  readonly pcs: number[];
  /** First address after the block. */
  end: number;
  /** Known addresses that may run next; dynamic ones (BX, POP) are not here. */
  successors: number[];
  exits: boolean;
}

type Compiled = (core: Core, index: number, budget: number) => void;

interface Unit {
  readonly run: Compiled;
  readonly version: number;
  readonly entries: ReadonlyMap<number, number>;
}

/** Longest straight piece, and most blocks that one function is made of. */
const MOST_INSTRUCTIONS = 64;
const MOST_BLOCKS = 400;

export class FastRunner {
  private readonly core: Core;
  private readonly units = new Map<number, Unit>();

  constructor(core: Core) {
    this.core = core;
  }

  /** As Core.run, but a budget may be exceeded by a block's length, and breakpoints are not looked at. */
  run(budget = Number.MAX_SAFE_INTEGER): Stop {
    const core = this.core;
    // Exceptions are taken between any two instructions.
    if (core.vectors !== null) return core.run(budget);
    const limit = core.instructions + budget;
    while (core.instructions < limit) {
      const pc = core.r[15]! >>> 0;
      if (pc === RETURN_ADDRESS) return 'returned';
      let unit = this.units.get(pc);
      if (!unit || unit.version !== core.code.version) {
        if (core.it !== 0 || core.isReturn(pc) || !isTranslated(core.code.at(pc) & 63)) {
          core.step();
          continue;
        }
        unit = compileFrom(core, pc);
        for (const entry of unit.entries.keys())
          if (entry === pc || !this.units.has(entry)) this.units.set(entry, unit);
        this.units.set(pc, unit);
      }
      unit.run(core, unit.entries.get(pc)!, limit);
    }
    return core.r[15]! >>> 0 === RETURN_ADDRESS ? 'returned' : 'budget';
  }
}

function discover(core: Core, entry: number): Map<number, Block> {
  const leaders = new Set([entry]);
  const work = [entry];
  const blocks = new Map<number, Block>();
  const window = core.memory.find(entry)!;
  const inside = (pc: number): boolean => (pc - window.base) >>> 0 < window.size;
  for (let start = work.pop(); start !== undefined && blocks.size < MOST_BLOCKS; start = work.pop()) {
    if (blocks.has(start)) continue;
    const block: Block = { start, pcs: [], end: start, successors: [], exits: false };
    blocks.set(start, block);
    for (let pc = start; ; ) {
      if (!inside(pc) || block.pcs.length >= MOST_INSTRUCTIONS) {
        block.exits = !inside(pc);
        if (inside(pc)) block.successors = [pc];
        break;
      }
      const w = core.code.at(pc);
      const op = w & 63;
      if (!isTranslated(op)) {
        block.exits = true;
        break;
      }
      block.pcs.push(pc);
      block.end = pc + (op === O.BL ? 4 : 2);
      if (isConditional(op) || op === O.CBZ || op === O.CBNZ) block.successors = [targetOf(w, pc), pc + 2];
      else if (op === O.B) block.successors = [targetOf(w, pc)];
      else if (op === O.BL) {
        block.successors = [targetOf(w, pc)];
        if (inside(pc + 4)) work.push(pc + 4);
      } else if (isDynamic(w)) block.exits = true;
      else {
        pc = block.end;
        continue;
      }
      break;
    }
    for (const next of block.successors) {
      if (!inside(next)) continue;
      leaders.add(next);
      work.push(next);
    }
  }
  return blocks;
}

function compileFrom(core: Core, entry: number): Unit {
  const version = core.code.version;
  const blocks = [...discover(core, entry).values()].filter(({ pcs }) => pcs.length > 0);
  const index = new Map(blocks.map(({ start }, i) => [start, i]));
  const liveOut = flagLiveness(core, blocks, index);
  const window = core.memory.find(entry)!;
  const main = core.memory.main;
  const isSelf = window === main;
  const cases = blocks.map((block, i) => `case ${i}:\n${blockText(core, block, index, liveOut[i]!, isSelf)}`);
  const locals = Array.from({ length: 15 }, (_, k) => `r${k} = r[${k}]`).join(', ');
  const back = Array.from({ length: 15 }, (_, k) => `r[${k}] = r${k};`).join(' ');
  const text = `
const r = core.r;
const i32 = main.i32, u16 = main.u16, u8 = main.u8, base = main.base, size = main.size;
const storable = main.region.writable ? size : 0;
let ${locals};
let nz = core.nz, c = core.c, v = core.v;
let at = starts[index], cycles = 0, count = 0, b = index, x = 0, y = 0, o = 0, to = 0;
const limit = budget - core.instructions;
try {
  for (;;) {
    if (count >= limit${isSelf ? ' || core.code.version !== version' : ''}) { at = starts[b]; return; }
    switch (b) {
${cases.join('\n')}
    default:
      return;
    }
  }
} catch (error) {
  if (error instanceof Fault && error.pc === 0) error.pc = at;
  throw error;
} finally {
  ${back}
  r[15] = at;
  core.nz = nz; core.c = c; core.v = v;
  core.cycles += cycles;
  core.instructions += count;
}`;
  const table = new Int32Array((window.size >> 1) + 1).fill(-1);
  for (const [start, i] of index) table[(start - window.base) >> 1] = i;
  /** The block at an address that was computed, -1 where it is none of these. */
  const find = (address: number): number => {
    const offset = (address - window.base) >>> 0;
    return offset < window.size ? table[offset >> 1]! : -1;
  };
  const starts = blocks.map(({ start }) => start);
  const make = new Function(
    'main',
    'find',
    'starts',
    'version',
    'Fault',
    'shiftWithCarry',
    `return (core, index, budget) => {${text}\n};`,
  );
  return { run: make(main, find, starts, version, Fault, shiftWithCarry) as Compiled, version, entries: index };
}

/** Which flags are read after each block: bits of FLAG_. Everything is at an exit. */
function flagLiveness(core: Core, blocks: readonly Block[], index: ReadonlyMap<number, number>): number[] {
  const all = 7;
  const liveIn = blocks.map(() => 0);
  const liveOut = blocks.map(() => 0);
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = blocks.length - 1; i >= 0; i--) {
      const block = blocks[i]!;
      let live = block.exits ? all : 0;
      for (const next of block.successors) {
        const k = index.get(next);
        live |= k === undefined ? all : liveIn[k]!;
      }
      liveOut[i] = live;
      for (let p = block.pcs.length - 1; p >= 0; p--) {
        const w = core.code.at(block.pcs[p]!);
        live = (live & ~flagsWritten(w)) | flagsRead(w);
      }
      if (live !== liveIn[i]) {
        liveIn[i] = live;
        changed = true;
      }
    }
  }
  return liveOut;
}

function blockText(
  core: Core,
  block: Block,
  index: ReadonlyMap<number, number>,
  liveOut: number,
  isSelf: boolean,
): string {
  const t = core.timing;
  // Flags that someone reads after each instruction.
  const needed: number[] = [];
  let live = liveOut;
  for (let p = block.pcs.length - 1; p >= 0; p--) {
    const w = core.code.at(block.pcs[p]!);
    needed[p] = live;
    live = (live & ~flagsWritten(w)) | flagsRead(w);
  }
  const lines: string[] = [`count += ${block.pcs.length};`];
  const waits = core.memory.find(block.start)!.region.waitStates ?? 0;
  let cycles = block.pcs.filter((pc) => (pc & 2) === 0).length * waits;
  const goto = (address: number): string => {
    const i = index.get(address);
    return i === undefined ? `at = ${address}; return;` : `b = ${i}; continue;`;
  };
  const flush = (extra = 0): string => `cycles += ${cycles + extra};`;
  let compared: Translation['compared'] = null;
  let comparedAt = -1;
  block.pcs.forEach((pc, p) => {
    const w = core.code.at(pc);
    const op = w & 63;
    if (isConditional(op)) {
      const direct = compared && comparedAt === p - 1 ? conditionText(conditionOf(op), compared) : null;
      const test = direct ?? conditionText(conditionOf(op), null);
      lines.push(`if (${test}) { ${flush(t.branchTaken)} ${goto(targetOf(w, pc))} }`);
      lines.push(flush(t.branchNotTaken), goto(pc + 2));
      return;
    }
    if (op === O.B) {
      lines.push(flush(t.branchTaken), goto(targetOf(w, pc)));
      return;
    }
    if (op === O.CBZ || op === O.CBNZ) {
      const test = `r${nOf(w)} ${op === O.CBZ ? '===' : '!=='} 0`;
      lines.push(`if (${test}) { ${flush(t.branchTaken)} ${goto(targetOf(w, pc))} }`);
      lines.push(flush(t.branchNotTaken), goto(pc + 2));
      return;
    }
    if (op === O.BL) {
      lines.push(`r14 = ${(pc + 4) | 1};`, flush(t.branchLink), goto(block.successors[0]!));
      return;
    }
    // A conditional branch right after is tested with the operands where that is possible, without its flags.
    const next = block.pcs[p + 1] === undefined ? 0 : core.code.at(block.pcs[p + 1]!);
    const bare = isConditional(next & 63) ? translate(w, pc, liveOut, t, isSelf) : null;
    const direct = bare?.compared && conditionText(conditionOf(next & 63), bare.compared) !== null ? bare : null;
    const translation = direct ?? translate(w, pc, needed[p]!, t, isSelf);
    compared = direct?.compared ?? null;
    comparedAt = p;
    lines.push(translation.text);
    cycles += translation.cycles;
    if (op === O.LITERAL) cycles += waits;
    if (isDynamic(w)) {
      lines.push(flush(), 'at = x >>> 0; b = find(at); if (b < 0) return; continue;');
    }
  });
  const last = core.code.at(block.pcs.at(-1)!);
  if (!endsBlock(last)) {
    lines.push(flush(), goto(block.end));
  }
  return lines.map((line) => `      ${line}`).join('\n');
}
