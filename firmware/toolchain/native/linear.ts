/**
 * Stage 6a, linearise: blocks in the order they are laid out, with prologue, epilogues and branches. The likely way on
 * falls through; ways that only return a constant go to the end; a short way to the return is copied instead of jumped to.
 */
import { negated } from './ir.ts';
import {
  inst,
  LR,
  type MachineBlock,
  type MachineCondition,
  type MachineInst,
  type MachineRoutine,
  machineSuccessors,
} from './machine.ts';

/** A piece of code whose size and address the layout decides. */
export type Item =
  | { kind: 'label'; label: string; loopBound: MachineBlock['loopBound'] }
  | { kind: 'inst'; inst: MachineInst }
  | { kind: 'conditional'; cond: MachineCondition; to: string; at: number }
  | { kind: 'branch'; to: string; at: number }
  | { kind: 'call'; to: string; at: number }
  | { kind: 'push'; low: number; lr: boolean; at: number }
  | { kind: 'pop'; low: number; pc: boolean; at: number }
  | { kind: 'frame'; bytes: number; at: number }
  | { kind: 'bx'; at: number };

/** A block this short that returns is copied in place of a jump to it. */
const SHORT_RETURN = 3;

const routineLabel = (name: string): string => name;

export function linearise(routine: MachineRoutine, at: number): Item[] {
  const items: Item[] = [{ kind: 'label', label: routineLabel(routine.name), loopBound: null }];
  const low = [4, 5, 6, 7].filter((r) => routine.usedRegisters.has(r)).reduce((mask, r) => mask | (1 << r), 0);
  const calls = routine.blocks.some((block) => block.insts.some(({ op }) => op === 'bl'));
  const lr = calls || routine.usedRegisters.has(LR);
  const framed = low !== 0 || lr;

  if (framed) items.push({ kind: 'push', low, lr, at });
  if (routine.frameBytes > 0) items.push({ kind: 'frame', bytes: -routine.frameBytes, at });

  const label = (block: MachineBlock): string => `${routine.name}.${block.id}`;
  const opposite = (cond: MachineCondition): MachineCondition =>
    cond === 'mi' ? 'pl' : cond === 'pl' ? 'mi' : negated[cond];

  const leave = (where: number): void => {
    if (routine.frameBytes > 0) items.push({ kind: 'frame', bytes: routine.frameBytes, at: where });
    if (lr) items.push({ kind: 'pop', low, pc: true, at: where });
    else {
      if (low !== 0) items.push({ kind: 'pop', low, pc: false, at: where });
      items.push({ kind: 'bx', at: where });
    }
  };
  const finish = (block: MachineBlock): void => {
    const term = block.term;
    if (term.kind === 'return') leave(term.at);
    if (term.kind === 'tail') {
      if (lr) {
        items.push({ kind: 'call', to: routineLabel(term.callee), at: term.at });
        leave(term.at);
        return;
      }
      if (routine.frameBytes > 0) items.push({ kind: 'frame', bytes: routine.frameBytes, at: term.at });
      if (low !== 0) items.push({ kind: 'pop', low, pc: false, at: term.at });
      items.push({ kind: 'branch', to: routineLabel(term.callee), at: term.at });
    }
  };
  const emitInsts = (block: MachineBlock): void => {
    for (const i of block.insts) {
      if (i.op === 'bl') items.push({ kind: 'call', to: routineLabel(i.callee), at: i.at });
      else items.push({ kind: 'inst', inst: inst(i.op, i) });
    }
  };

  threadJumps(routine);
  const order = placeBlocks(routine);
  order.forEach((block, i) => {
    const next = order[i + 1];
    items.push({ kind: 'label', label: label(block), loopBound: block.loopBound });
    emitInsts(block);
    const term = block.term;
    if (term.kind === 'jump') {
      if (term.to === next) return;
      if (term.to.term.kind !== 'jump' && term.to.term.kind !== 'branch' && term.to.insts.length <= SHORT_RETURN) {
        emitInsts(term.to);
        finish(term.to);
      } else items.push({ kind: 'branch', to: label(term.to), at: term.at });
    } else if (term.kind === 'branch') {
      if (term.yes === next) {
        items.push({ kind: 'conditional', cond: opposite(term.cond), to: label(term.no), at: term.at });
      } else {
        items.push({ kind: 'conditional', cond: term.cond, to: label(term.yes), at: term.at });
        if (term.no !== next) items.push({ kind: 'branch', to: label(term.no), at: term.at });
      }
    } else finish(block);
  });
  dropComparisonsWithZero(items);
  return items;
}

/** A jump to an empty block that jumps goes where that one goes. */
function threadJumps(routine: MachineRoutine): void {
  const through = (block: MachineBlock): MachineBlock => {
    let at = block;
    for (let steps = 0; steps < routine.blocks.length && at.insts.length === 0 && at.term.kind === 'jump'; steps++) {
      if (at.loopBound) break;
      at = at.term.to;
    }
    return at;
  };
  for (const block of routine.blocks) {
    if (block.term.kind === 'jump') block.term.to = through(block.term.to);
    if (block.term.kind === 'branch') {
      block.term.yes = through(block.term.yes);
      block.term.no = through(block.term.no);
    }
  }
}

/** Chains of blocks, each followed by its likely successor where that is not placed yet; branches stay short. */
function placeBlocks(routine: MachineRoutine): MachineBlock[] {
  const order: MachineBlock[] = [];
  const placed = new Set<MachineBlock>();
  const waiting: MachineBlock[] = [routine.blocks[0]!];
  for (;;) {
    let block = waiting.shift();
    if (!block) return order;
    while (block && !placed.has(block)) {
      placed.add(block);
      order.push(block);
      const ways: MachineBlock[] = machineSuccessors(block).filter((way) => !placed.has(way));
      ways.sort((a, b) => b.frequency - a.frequency);
      waiting.push(...ways.slice(1));
      block = ways[0];
    }
  }
}

const setsFlagsOf = new Set([
  'movi',
  'add',
  'addi',
  'sub',
  'subi',
  'mul',
  'and',
  'orr',
  'eor',
  'bic',
  'lsl',
  'lsr',
  'asr',
]);
const setsFlagsToo = new Set(['lsli', 'lsri', 'asri', 'neg', 'mvn']);

/** `subs r0, r0, r1` then `cmp r0, #0`: N and Z are right already, and only they are tested. */
function dropComparisonsWithZero(items: Item[]): void {
  for (let k = 1; k + 1 < items.length; k++) {
    const here = items[k]!;
    const before = items[k - 1]!;
    const after = items[k + 1]!;
    if (here.kind !== 'inst' || here.inst.op !== 'cmpi' || here.inst.imm !== 0) continue;
    if (before.kind !== 'inst' || before.inst.d !== here.inst.a) continue;
    if (!setsFlagsOf.has(before.inst.op) && !setsFlagsToo.has(before.inst.op)) continue;
    if (after.kind !== 'conditional' || !['eq', 'ne', 'mi', 'pl'].includes(after.cond)) continue;
    items.splice(k, 1);
  }
}
