/**
 * After allocation: what a register or stack slot holds already is not put there again.
 *
 *   mov r5, r1              mov r5, r1           str r1, [sp, #8]         str r1, [sp, #8]
 *   mov r1, r5         =>                        ldr r2, [sp, #8]    =>   mov r2, r1
 *
 * What registers hold is known from a block's start where all ways into it agree (value numbering over registers); a way
 * back into a loop is not followed, so a loop's head starts with nothing known.
 */
import {
  inst,
  type MachineBlock,
  type MachineInst,
  type MachineRoutine,
  machineSuccessors,
  writes,
} from './machine.ts';

/** What is known to hold what: a register by its number, a stack slot by its offset from here on. */
type Contents = Map<number, string>;
const FIRST_SLOT = 16;

export function reuseRegisters(routine: MachineRoutine): void {
  const preds = new Map<MachineBlock, MachineBlock[]>(routine.blocks.map((block) => [block, []]));
  for (const block of routine.blocks) for (const next of machineSuccessors(block)) preds.get(next)!.push(block);
  const atEnd = new Map<MachineBlock, Contents>();
  let names = 0;
  const fresh = (): string => `${names++}`;
  for (const block of routine.blocks) {
    const contents = common(preds.get(block)!.map((pred) => atEnd.get(pred)));
    block.insts = block.insts.flatMap((i) => reuse(i, contents, fresh) ?? []);
    atEnd.set(block, contents);
  }
}

/** What all ways in agree on; nothing where one is not known yet. */
function common(ways: readonly (Contents | undefined)[]): Contents {
  const [first, ...others] = ways;
  if (!first || others.some((other) => !other)) return new Map();
  return new Map([...first].filter(([place, name]) => others.every((other) => other!.get(place) === name)));
}

/** The instruction, a cheaper one, or null where it changes nothing; `contents` becomes what holds after it. */
function reuse(i: MachineInst, contents: Contents, fresh: () => string): MachineInst | null {
  const holding = (place: number): string => {
    const name = contents.get(place) ?? fresh();
    contents.set(place, name);
    return name;
  };
  if (i.op === 'strsp') {
    const isThere = contents.get(FIRST_SLOT + i.imm) === holding(i.c);
    contents.set(FIRST_SLOT + i.imm, holding(i.c));
    return isThere ? null : i;
  }
  const what =
    i.op === 'mov'
      ? holding(i.a)
      : i.op === 'ldrsp'
        ? holding(FIRST_SLOT + i.imm)
        : i.op === 'movi' || i.op === 'ldc'
          ? `constant ${i.imm}`
          : i.op === 'adr'
            ? 'table'
            : null;
  if (what === null) {
    for (const register of writes(i)) contents.set(register, fresh());
    return i;
  }
  if (contents.get(i.d) === what) return null;
  const other = [...contents].find(([place, name]) => place < FIRST_SLOT && name === what)?.[0];
  contents.set(i.d, what);
  // A load or a literal takes two cycles, a copy one.
  const costsMore = i.op === 'ldrsp' || i.op === 'ldc';
  return costsMore && other !== undefined ? inst('mov', { d: i.d, a: other, at: i.at }) : i;
}
