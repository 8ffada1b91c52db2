/**
 * `let` as `var`, where the two mean the same: a value is given at each run of the declaration, no enclosing block
 * declares the name too, and no inner function keeps it.
 *
 *   for (...) { let next = u16[at]; ... }     =>     for (...) { var next = u16[at]; ... }
 *
 * Espruino: a block's variables are a scope more, made at each run (1500 instructions) and searched at each look-up.
 */
import { simple } from 'acorn-walk';
import { containsFunction, type FunctionNode } from '../nodes.ts';
import { blockShadows } from '../scopes.ts';
import type { Unit } from './pass.ts';

export function letToVar({ program, text, isDevice }: Unit): undefined {
  const shadows = new Set(blockShadows(program));
  simple(program, {
    Function(node) {
      const fn = node as FunctionNode;
      if (!isDevice(fn) || containsFunction(fn.body)) return;
      simple(fn.body, {
        VariableDeclaration({ kind, declarations, start }) {
          if (kind === 'var' || declarations.some(({ id, init }) => !init || shadows.has(id))) return;
          text.update(start, start + kind.length, 'var');
        },
      });
    },
  });
}
