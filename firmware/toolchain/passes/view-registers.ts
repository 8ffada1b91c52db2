/**
 * Keeps a view of the arena that a function looks up often in a variable of its own.
 *
 *   function step(at) { return u16[at] + u16[at + 1] + ...; }
 *   =>
 *   function step(at) { let view = u16; return view[at] + view[at + 1] + ...; }
 *
 * Kaluma: a register instead of a search through the closure's names.
 */
import { simple } from 'acorn-walk';
import { containsFunction } from '../nodes.ts';
import { hotnessOf } from './hotness.ts';
import type { Unit } from './pass.ts';
import { viewNames } from './views.ts';

/** Look-ups in one run of a function that pay for a register: 137 cycles are saved for each, 450 spent. */
const lookUpsForRegister = 5;

export function viewsInRegisters({ program, text, isDevice, isAllocator }: Unit): undefined {
  const hotness = hotnessOf(program, isDevice);
  const views = viewNames(program);
  for (const fn of program.body) {
    if (fn.type !== 'FunctionDeclaration' || !isAllocator(fn) || containsFunction(fn.body)) continue;
    for (const view of views) {
      if (hotness.inFunction(fn, view) < lookUpsForRegister) continue;
      const name = `${view}InRegister`;
      text.appendLeft(fn.body.start + 1, `let ${name} = ${view};`);
      simple(fn.body, {
        Identifier(use) {
          if (use.name === view) text.update(use.start, use.end, name);
        },
      });
    }
  }
}
