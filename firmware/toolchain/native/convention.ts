/**
 * Which routines keep the base. AAPCS lets a call change r0, so that the base would have to be copied aside in every
 * routine that calls, and back before every call. What only other routines of the module call does not need that: it
 * leaves the base in r0 and gives its result in r1.
 *
 *   malloc  (entry, AAPCS)       r0: base, r1..: parameters   =>  r0: result
 *   refill  (called by malloc)   r0: base, r1..: parameters   =>  r0: base, r1: result
 *
 * It pays where a caller calls nothing else: one that also calls an entry has the base in another register anyway.
 *
 * A tail call, `b refill` in place of `bl refill` and a return, needs the same convention on both sides; elsewhere it
 * becomes a call. That would make a leaf save registers: what a leaf with AAPCS ends in stays with AAPCS, too.
 */
import { newValue, type Routine } from './ir.ts';

export interface Called {
  /** Routines called with the return address saved. */
  readonly calls: readonly string[];
  /** Routines that a routine ends in. */
  readonly tails: readonly string[];
}

export function calledBy(routine: Routine): Called {
  const calls = new Set<string>();
  const tails = new Set<string>();
  for (const { values, term } of routine.blocks) {
    for (const value of values) if (value.op === 'call') calls.add(value.callee);
    if (term?.kind === 'tail') tails.add(term.callee);
  }
  return { calls: [...calls], tails: [...tails] };
}

/** The routines that keep the base, of those whose calls are given. */
export function routinesKeepingBase(called: ReadonlyMap<string, Called>, entries: ReadonlySet<string>): Set<string> {
  const keeping = new Set([...called.keys()].filter((name) => !entries.has(name)));
  const pays = (name: string): boolean =>
    [...called.values()].some(({ calls }) => calls.includes(name) && calls.every((callee) => keeping.has(callee)));
  for (let changed = true; changed; ) {
    changed = false;
    for (const name of keeping) if (!pays(name)) changed = keeping.delete(name);
    for (const [name, { calls, tails }] of called) {
      if (keeping.has(name) || calls.length > 0) continue;
      for (const tail of tails) changed = keeping.delete(tail) || changed;
    }
  }
  return keeping;
}

/** Tail calls between the two conventions become calls, and a routine that keeps the base has one. */
export function applyConvention(routine: Routine, keepingBase: ReadonlySet<string>): void {
  const entry = routine.blocks[0]!;
  const needsBase = keepingBase.has(routine.name) || calledBy(routine).calls.length > 0;
  if (needsBase && !entry.values.some(({ op }) => op === 'base')) {
    entry.values.unshift(newValue(routine, entry, 'base', [], 0, routine.at));
  }
  for (const block of routine.blocks) {
    const term = block.term;
    if (term?.kind !== 'tail' || keepingBase.has(term.callee) === keepingBase.has(routine.name)) continue;
    const call = newValue(routine, block, 'call', term.args, 0, term.at);
    call.callee = term.callee;
    block.values.push(call);
    block.term = { kind: 'return', value: call, at: term.at };
  }
}
