/**
 * What a loaded program leaves in JerryScript's heap: the byte code of its functions, the names and texts they use, and
 * what its global variables hold. A bag; prices are data.
 *
 * Reference: jerryscript v2.4.0 jerry-core/parser/js/js-parser.c (parser_post_processing: the layout of compiled code),
 * jerry-core/ecma/base/ecma-literal-storage.c.
 */
import { type AnyNode, childrenOf, isFunction } from '../ast.ts';
import { classesOf } from '../builtin-names.ts';
import jerryscriptNames from '../costs/jerryscript-names.json' with { type: 'json' };
import { addTo, type Bag } from '../features.ts';
import type { Unit } from '../model.ts';
import { type Closures, jerryGranule, keptAnew, methodsOf } from '../sizes.ts';
import { linedStatements } from './lines.ts';

/**
 * Functions stay as byte code with a table of literals; the code of the top level is given back when it has run. A
 * variable that lives in a register leaves no name; any other name, and each text, is kept once.
 */
export function jerryscriptMemory(unit: Unit, read: (name: string) => unknown, closures: Closures): Bag {
  const bag: Bag = new Map();
  const texts = new Set<string>();
  const seen = new Set<unknown>();
  const value = (held: unknown): void => {
    if (typeof held === 'number') {
      if ((held | 0) !== held || Math.abs(held) >= 2 ** 27) addTo(bag, 'bytes', jerryGranule);
    } else if (typeof held === 'string') texts.add(held);
    else if (held !== null && typeof held === 'object' && !seen.has(held)) {
      seen.add(held);
      if (ArrayBuffer.isView(held)) {
        const isNew = !seen.has(held.buffer);
        seen.add(held.buffer);
        if (isNew) {
          addTo(bag, 'typed');
          addTo(bag, 'bytes', jerryGranule * Math.ceil(held.buffer.byteLength / jerryGranule));
        } else addTo(bag, 'view');
      } else if (Array.isArray(held)) {
        addTo(bag, 'array');
        addTo(bag, 'elements', 8 * Math.ceil(held.length / 8));
        for (let at = 0; at < held.length; at++) value(held[at]);
      } else {
        addTo(bag, 'object');
        const entries = Object.entries(held);
        addTo(bag, 'pairs', Math.ceil(entries.length / 2));
        for (const [key, item] of entries) {
          texts.add(key);
          value(item);
        }
      }
    } else if (typeof held === 'function' && !seen.has(held)) {
      seen.add(held);
      const lists = keptAnew(closures, held, seen);
      if (lists !== null) addTo(bag, 'closure');
      for (const kept of lists ?? []) {
        addTo(bag, 'closure.variable', 2 * Math.ceil(kept.length / 2));
        for (let at = 0; at < kept.length; at++) value(kept[at]);
      }
      const methods = methodsOf(held);
      if (methods.length > 0) addTo(bag, 'prototype');
      addTo(bag, 'pairs', Math.ceil(methods.length / 2));
      for (const [key, item] of methods) {
        texts.add(key);
        value(item);
      }
    }
  };
  // Kaluma's own modules have made the first typed array of bytes.
  addTo(bag, 'class', [...classesOf(unit)].filter((name) => name !== 'Uint8Array').length);
  if (iteratesAtLoad(unit.program as unknown as AnyNode)) addTo(bag, 'iterator');
  jerryscriptCode(unit, bag, texts);
  for (const variable of unit.scopes.global.variables.values()) {
    if (variable.at < 0) continue;
    texts.add(variable.name);
    addTo(
      bag,
      variable.kind === 'let' || variable.kind === 'const' || variable.kind === 'class' ? 'global.lexical' : 'global',
    );
    value(read(variable.name));
  }
  for (const text of texts)
    if (text.length > 0 && !keptNames.has(text)) {
      addTo(bag, 'name');
      addTo(bag, 'bytes', jerryGranule * Math.ceil((text.length + jerryGranule) / jerryGranule));
    }
  return bag;
}

const keptNames = new Set(jerryscriptNames.names);

/** Outside functions something goes through an iterator: the first makes the builtins of iterating. */
function iteratesAtLoad(node: AnyNode): boolean {
  if (isFunction(node)) return false;
  if (node.type === 'ForOfStatement' || node.type === 'ArrayPattern') return true;
  if (node.type === 'SpreadElement') return true;
  const list = (node.arguments as AnyNode[] | undefined)?.[0];
  const isTyped = node.type === 'NewExpression' && /Array$/.test(String((node.callee as AnyNode).name));
  return (isTyped && list?.type === 'ArrayExpression') || childrenOf(node).some(iteratesAtLoad);
}

function jerryscriptCode(unit: Unit, bag: Bag, texts: Set<string>): void {
  const { uses } = unit.scopes;
  const lined = linedStatements(unit);
  const isRegister = (node: AnyNode): boolean => {
    const variable = uses.get(node)?.variable;
    return variable !== null && variable !== undefined && variable.scope.kind !== 'global' && !variable.captured;
  };
  const literal = (node: AnyNode, parent: AnyNode, literals: Set<string>): void => {
    if (node.type === 'Identifier') {
      const name = node.name as string;
      const isLabel =
        /^(Break|Continue|Labeled)/.test(parent.type) || (isFunction(parent) && parent.type !== 'FunctionDeclaration');
      if (isLabel || isRegister(node)) return;
      literals.add(name);
      texts.add(name);
    } else if (node.type === 'Literal') {
      if (node.regex) {
        addTo(bag, 'regexp');
        addTo(bag, 'regexp.character', (node.regex as unknown as { pattern: string }).pattern.length);
      } else if (typeof node.value === 'string') {
        literals.add(node.value);
        texts.add(node.value);
      } else if (typeof node.value === 'number') {
        // Whole numbers up to 256 stand in the byte code itself.
        if (!Number.isInteger(node.value) || Math.abs(node.value) > 256) literals.add(String(node.value));
        if (!Number.isInteger(node.value) || Math.abs(node.value) >= 2 ** 27) addTo(bag, 'bytes', jerryGranule);
      }
    } else if (node.type === 'TemplateElement') {
      const text = (node.value as { cooked: string }).cooked;
      literals.add(text);
      texts.add(text);
    }
  };
  const visit = (node: AnyNode, parent: AnyNode, literals: Set<string>, inFunction: boolean): void => {
    let own = literals;
    if (isFunction(node)) {
      addTo(bag, inFunction ? 'function.inner' : 'function');
      if (node.type === 'ArrowFunctionExpression') addTo(bag, 'function.arrow');
      if (parent.type === 'VariableDeclarator' || parent.type === 'MethodDefinition') addTo(bag, 'function.named');
      own = new Set();
    }
    const inside = inFunction || isFunction(node);
    if (inside) {
      literal(node, parent, own);
      addTo(bag, `code.${codeOf(node, parent)}`);
      if (lined.has(node)) addTo(bag, 'line');
    } else if (node.type === 'ClassBody' || node.type === 'MethodDefinition') {
      addTo(bag, node.type);
      if (node.type === 'MethodDefinition') texts.add(((node.key as AnyNode).name as string) ?? '');
    }
    for (const child of childrenOf(node)) visit(child, node, own, inside);
    if (own !== literals) addTo(bag, 'literal', own.size);
  };
  const root = unit.program as unknown as AnyNode;
  visit(root, root, new Set(), false);
}

/** What a node becomes in byte code. */
function codeOf(node: AnyNode, parent: AnyNode): string {
  switch (node.type) {
    case 'Identifier':
    case 'Literal':
    case 'ThisExpression':
      return 'leaf';
    case 'BinaryExpression':
    case 'UnaryExpression':
    case 'LogicalExpression':
    case 'UpdateExpression':
      return node.type;
    case 'AssignmentExpression':
      return node.operator === '=' ? 'assign' : 'assign.compound';
    case 'MemberExpression':
      return parent.type === 'CallExpression' && parent.callee === node ? 'member.call' : 'member';
    case 'VariableDeclarator':
      return node.init ? 'assign' : 'none';
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
    case 'BlockStatement':
    case 'ExpressionStatement':
    case 'VariableDeclaration':
    case 'EmptyStatement':
    case 'Property':
    case 'TemplateElement':
      return 'none';
    case 'CallExpression':
    case 'NewExpression':
      return 'call';
    case 'IfStatement':
      return node.alternate ? 'if.else' : 'if';
    case 'ForStatement':
    case 'WhileStatement':
    case 'DoWhileStatement':
      return 'loop';
    default:
      return node.type;
  }
}
