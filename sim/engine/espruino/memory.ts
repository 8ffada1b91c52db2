/**
 * What a loaded program takes of Espruino's variables: its functions as text, its names, and what its global variables
 * hold. A bag; prices are data. The text of a program that lies in flash stays there: a function has one variable that
 * points to it.
 *
 * Reference: espruino/Espruino src/jsvar.h, src/jsparse.c (jspeFunctionDefinition).
 */
import { type AnyNode, childrenOf, isFunction } from '../ast.ts';
import { classesOf } from '../builtin-names.ts';
import { addTo, type Bag } from '../features.ts';
import type { Unit } from '../model.ts';
import { type Closures, dataVariables, keptAnew, methodsOf, more, nameCharacters, stringCharacters } from '../sizes.ts';

/** `read` reads a global variable of the program. */
export function espruinoMemory(
  unit: Unit,
  where: 'ram' | 'flash',
  read: (name: string) => unknown,
  bytesEach: number,
  closures: Closures,
): Bag {
  const bag: Bag = new Map();
  const seen = new Set<unknown>();
  /** Functions that calls made: all that are held, but for those of the text itself. */
  const made = { functions: 0, parameters: 0 };
  const name = (text: string) => {
    addTo(bag, 'name');
    addTo(bag, 'name.more', more(text.length, nameCharacters, bytesEach));
  };
  const code = (fn: AnyNode) => {
    addTo(bag, 'function');
    made.functions--;
    made.parameters -= (fn.params as AnyNode[]).length;
    for (const param of fn.params as AnyNode[]) {
      addTo(bag, 'parameter');
      addTo(bag, 'name.more', more(param.end - param.start, nameCharacters, bytesEach));
    }
    const body = fn.body as AnyNode;
    const inner = body.type === 'BlockStatement' ? 2 : 0;
    addTo(bag, 'code', where === 'flash' ? 1 : dataVariables(body.end - body.start - inner, bytesEach));
  };
  const value = (held: unknown): void => {
    if (typeof held === 'number') {
      if ((held | 0) !== held) addTo(bag, 'double');
    } else if (typeof held === 'string') addTo(bag, 'string', 1 + more(held.length, stringCharacters, bytesEach));
    else if (held !== null && typeof held === 'object' && !seen.has(held)) {
      seen.add(held);
      if (ArrayBuffer.isView(held)) {
        // A view is a variable; the data and what refers to it are there once for all views.
        const isNew = !seen.has(held.buffer);
        seen.add(held.buffer);
        addTo(bag, 'typed', isNew ? 2 + dataVariables(held.buffer.byteLength, bytesEach) : 1);
      } else if (Array.isArray(held)) {
        addTo(bag, 'array');
        addTo(bag, 'element', held.length);
        for (let at = 0; at < held.length; at++) value(held[at]);
      } else {
        addTo(bag, 'object');
        for (const [key, item] of Object.entries(held)) {
          name(key);
          value(item);
        }
      }
    } else if (typeof held === 'function' && !seen.has(held)) {
      seen.add(held);
      const lists = keptAnew(closures, held, seen);
      made.functions++;
      made.parameters += (held as { length: number }).length;
      for (const kept of lists ?? []) {
        addTo(bag, 'closure.variable', kept.length);
        for (let at = 0; at < kept.length; at++) value(kept[at]);
      }
      const methods = methodsOf(held);
      if (methods.length > 0) addTo(bag, 'prototype');
      for (const [key, item] of methods) {
        name(key);
        value(item);
      }
    }
  };
  addTo(bag, 'class', classesOf(unit).size);
  const visit = (node: AnyNode, depth: number): void => {
    if (isFunction(node)) {
      // A function inside a function is text of the outer one until that is called.
      if (depth === 0) code(node as unknown as AnyNode);
      return;
    }
    for (const child of childrenOf(node)) visit(child, depth);
  };
  visit(unit.program as unknown as AnyNode, 0);
  for (const variable of unit.scopes.global.variables.values()) {
    if (variable.at < 0) continue;
    name(variable.name);
    if (variable.kind === 'const') addTo(bag, 'constant');
    value(read(variable.name));
  }
  addTo(bag, 'closure', Math.max(0, made.functions));
  addTo(bag, 'parameter', Math.max(0, made.parameters));
  return bag;
}
