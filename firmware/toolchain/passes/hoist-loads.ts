/**
 * Takes loads of control words, which are always the same element of a view, out of loops that cannot change them.
 *
 *   for (; node && node < u16[1]; ) node = u16[node << 2];
 *   =>
 *   let held = u16[1];
 *   for (; node && node < held; ) node = u16[node << 2];
 *
 * An element costs 1,100 cycles on Kaluma and 3,700 instructions on Espruino, a variable 120 and 950.
 *
 * Only in functions of the allocator, while which run every view stays what it was, and only out of loops that store to
 * no element and call nothing: views overlap, and a callee may store. A load has no effects, so one that the loop would
 * not have come to changes nothing.
 */
import type { AnyNode, MemberExpression } from 'acorn';
import { simple } from 'acorn-walk';
import { childrenOf, isFunction } from '../nodes.ts';
import type { Unit } from './pass.ts';
import { viewNames, viewOf } from './views.ts';

export function hoistLoads({ program, text, isAllocator }: Unit): undefined {
  const views = new Set(viewNames(program));
  let hoisted = 0;
  for (const fn of program.body) {
    if (fn.type !== 'FunctionDeclaration' || !isAllocator(fn)) continue;
    for (const { loop, mayInsert } of loopsOf(fn.body)) {
      if (!mayInsert || changesMemory(loop)) continue;
      for (const [load, nodes] of constantLoads(loop, views)) {
        const name = `held${++hoisted}`;
        text.appendLeft(loop.start, `let ${name} = ${load};\n`);
        for (const { start, end } of nodes) text.update(start, end, name);
      }
    }
  }
}

interface Loop {
  loop: AnyNode;
  /** It stands in a list of statements: another one can stand before it. */
  mayInsert: boolean;
}

/** The loops of a function that lie in no other. */
function loopsOf(node: AnyNode, parent?: AnyNode): Loop[] {
  if (isFunction(node)) return [];
  if (node.type === 'ForStatement' || node.type === 'WhileStatement')
    return [{ loop: node, mayInsert: parent?.type === 'BlockStatement' }];
  return childrenOf(node).flatMap((child) => loopsOf(child, node));
}

function changesMemory(loop: AnyNode): boolean {
  let found = false;
  const change = (): void => {
    found = true;
  };
  simple(loop, {
    CallExpression: change,
    NewExpression: change,
    Function: change,
    AssignmentExpression({ left }) {
      if (left.type !== 'Identifier') change();
    },
    UpdateExpression({ argument }) {
      if (argument.type !== 'Identifier') change();
    },
  });
  return found;
}

/** By their text: `u16[1]`. */
function constantLoads(loop: AnyNode, views: ReadonlySet<string>): Map<string, MemberExpression[]> {
  const loads = new Map<string, MemberExpression[]>();
  simple(loop, {
    MemberExpression(node) {
      const view = viewOf(node, views);
      if (view === undefined || node.property.type !== 'Literal' || typeof node.property.value !== 'number') return;
      const load = `${view}[${node.property.raw}]`;
      loads.set(load, [...(loads.get(load) ?? []), node]);
    },
  });
  return loads;
}
