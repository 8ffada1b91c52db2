/** Which builtins a program uses that its board's engine lacks (builtins.ts), and what to write instead. */
import type { AnyNode } from 'acorn';
import type { Board } from '../../boards/board.ts';
import * as builtins from './builtins.ts';

export interface BuiltinUse {
  node: AnyNode;
  what: string;
  instead: string;
}

export interface Missing {
  globals: ReadonlySet<string>;
  methods: ReadonlySet<string>;
  /** Whether `object.name` is absent although `object` is a builtin that is there. */
  lacksStatic: (object: string, name: string) => boolean;
}

/** What a board's engine lacks. */
export function missingBuiltins(board: Board): Missing {
  const within = (table: Readonly<Record<string, readonly string[]>>, object: string): readonly string[] =>
    Object.hasOwn(table, object) ? table[object]! : [];
  if (board.engine === 'kaluma')
    return {
      globals: new Set(builtins.kalumaLacksGlobals),
      methods: new Set(builtins.kalumaLacksMethods),
      lacksStatic: (object, name) => within(builtins.kalumaLacksStatics, object).includes(name),
    };
  const small = !board.features.modernSyntax;
  return {
    globals: new Set([...builtins.espruinoLacksGlobals, ...(small ? builtins.espruinoSmallLacksGlobals : [])]),
    methods: new Set([...builtins.espruinoLacksMethods, ...(small ? builtins.espruinoSmallLacksMethods : [])]),
    lacksStatic: (object, name) =>
      (Object.hasOwn(builtins.espruinoStatics, object) && !within(builtins.espruinoStatics, object).includes(name)) ||
      (small && within(builtins.espruinoSmallLacksStatics, object).includes(name)) ||
      (/Array$/.test(object) && ['BYTES_PER_ELEMENT', 'from', 'of'].includes(name)),
  };
}

const insteadOf = (name: string): string =>
  Object.hasOwn(builtins.instead, name) ? builtins.instead[name]! : 'code of your own for it';

/** What a node uses of it, if that is not the program's own: `declared` and `defined` are its names and its properties. */
export function builtinUses(
  node: AnyNode,
  ancestors: readonly AnyNode[],
  missing: Missing,
  declared: ReadonlySet<string>,
  defined: ReadonlySet<string>,
): BuiltinUse[] {
  if (node.type === 'Identifier') {
    if (!missing.globals.has(node.name) || declared.has(node.name)) return [];
    const parent = ancestors.at(-2);
    if (parent?.type === 'UnaryExpression' && parent.operator === 'typeof') return [];
    return [{ node, what: node.name, instead: insteadOf(node.name) }];
  }
  if (node.type !== 'MemberExpression' || node.computed || node.property.type !== 'Identifier') return [];
  const { name } = node.property;
  const { object } = node;
  if (object.type === 'Identifier' && !declared.has(object.name) && missing.lacksStatic(object.name, name))
    return [{ node, what: `${object.name}.${name}`, instead: insteadOf(name) }];
  const parent = ancestors.at(-2);
  const called = parent?.type === 'CallExpression' && parent.callee === node;
  if (called && missing.methods.has(name) && !defined.has(name))
    return [{ node: node.property, what: `.${name}()`, instead: insteadOf(name) }];
  return [];
}
