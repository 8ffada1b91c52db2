/** Which builtin a call is for, as far as its text shows: a method's name that no object of the program defines. */
import type { AnyNode } from './ast.ts';
import { addTo, type Bag } from './features.ts';
import type { Place } from './shapes.ts';

const methods = new Set([
  ...['push', 'pop', 'shift', 'unshift', 'indexOf', 'slice', 'splice', 'join', 'forEach', 'map', 'filter', 'reduce'],
  ...['fill', 'set', 'subarray', 'sort', 'reverse', 'concat', 'charCodeAt', 'charAt', 'fromCharCode', 'substring'],
  ...['substr', 'split', 'toString', 'toUpperCase', 'toLowerCase', 'floor', 'ceil', 'round', 'min', 'max', 'abs'],
  ...['sqrt', 'sin', 'cos', 'pow', 'random', 'stringify', 'parse', 'keys', 'getUint8', 'setUint8', 'getUint16'],
  ...['setUint16', 'getUint32', 'setUint32', 'getInt16', 'setInt16', 'getInt32', 'setInt32', 'imul', 'clz32'],
  ...['copyWithin', 'includes', 'trim', 'replace', 'isArray', 'call', 'apply', 'bind', 'every', 'some', 'find'],
]);

/** DataView's accessors cost alike. */
const alike = (name: string): string =>
  /^[gs]et(Ui|I)nt(8|16|32)$/.test(name) ? `${name.slice(0, 3)}Int` : name === 'substr' ? 'substring' : name;

export function addBuiltin(call: AnyNode, own: ReadonlyMap<string, Place>, bag: Bag): void {
  const callee = call.callee as AnyNode;
  if (callee.type === 'MemberExpression' && !callee.computed) {
    const name = (callee.property as AnyNode).name as string;
    if (methods.has(name) && !own.has(name)) addTo(bag, `builtin.${alike(name)}`);
  } else if (callee.type === 'Identifier' && (callee.name === 'parseInt' || callee.name === 'parseFloat')) {
    addTo(bag, 'builtin.parseInt');
  }
}
