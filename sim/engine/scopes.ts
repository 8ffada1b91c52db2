/**
 * Which variable each identifier of a program means, and where the engines keep it: an object of the global scope, an
 * object that a function call makes, a block's. Both engines search such objects linearly, so the place in the list
 * costs.
 *
 * Invariant: every Identifier that reads or writes a variable has an entry in `uses`; where it names no variable of the
 * program (a builtin, an undeclared global) its variable is null.
 */
import type { Identifier, Node, Pattern, Program } from 'acorn';
import { type AnyNode, childrenOf, isFunction, namesOf } from './ast.ts';

export type VariableKind = 'var' | 'let' | 'const' | 'function' | 'param' | 'class' | 'catch';

export interface Variable {
  name: string;
  kind: VariableKind;
  scope: Scope;
  /** Its place among the variables of its scope, in order of appearance. */
  index: number;
  /** Where its declaration stands in the text. */
  at: number;
  /** A function inside the one that declares it uses it. */
  captured: boolean;
}

export interface Scope {
  kind: 'global' | 'function' | 'block';
  node: Node;
  parent: Scope | null;
  variables: Map<string, Variable>;
}

export interface Use {
  variable: Variable | null;
  from: Scope;
}

export interface ScopeMap {
  global: Scope;
  /** The scope that a node opens. */
  scopes: Map<Node, Scope>;
  uses: Map<Node, Use>;
}

const blocks = new Set([
  'BlockStatement',
  'ForStatement',
  'ForInStatement',
  'ForOfStatement',
  'SwitchStatement',
  'CatchClause',
]);

/** Names that an identifier only spells: keys, labels, properties after a dot. */
function spellsOnly(node: Node, parent: AnyNode): boolean {
  switch (parent.type) {
    case 'MemberExpression':
      return parent.property === node && !parent.computed;
    case 'Property':
    case 'MethodDefinition':
    case 'PropertyDefinition':
      return parent.key === node && !parent.computed && !parent.shorthand;
    case 'LabeledStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
      return true;
    default:
      return isFunction(parent) && (parent as AnyNode).id === node;
  }
}

/** `known`: the global variables that earlier programs of the session declared, oldest first. */
export function analyseScopes(program: Program, known: readonly string[] = []): ScopeMap {
  const scopes = new Map<Node, Scope>();
  const uses = new Map<Node, Use>();
  const global: Scope = { kind: 'global', node: program, parent: null, variables: new Map() };
  scopes.set(program, global);

  const declare = (scope: Scope, name: string, kind: VariableKind, at: number) => {
    if (!scope.variables.has(name))
      scope.variables.set(name, { name, kind, scope, index: scope.variables.size, at, captured: false });
  };
  for (const name of known) declare(global, name, 'var', -1);

  const functionScope = (scope: Scope): Scope => {
    let at = scope;
    while (at.kind === 'block' && at.parent) at = at.parent;
    return at;
  };

  const declareAll = (node: AnyNode, parent: AnyNode | null, scope: Scope): void => {
    let inner = scope;
    if (isFunction(node)) {
      if (node.type === 'FunctionDeclaration' && node.id) declare(scope, node.id.name, 'function', node.start);
      inner = { kind: 'function', node, parent: scope, variables: new Map() };
      if (node.type !== 'FunctionDeclaration' && node.id) declare(inner, node.id.name, 'function', node.start);
      for (const param of node.params) for (const id of namesOf(param)) declare(inner, id.name, 'param', id.start);
      scopes.set(node, inner);
    } else if (
      blocks.has(node.type) &&
      !(node.type === 'BlockStatement' && parent && (isFunction(parent) || parent.type === 'CatchClause'))
    ) {
      inner = { kind: 'block', node, parent: scope, variables: new Map() };
      scopes.set(node, inner);
    }
    if (node.type === 'VariableDeclaration') {
      const kind = node.kind as 'var' | 'let' | 'const';
      const target = kind === 'var' ? functionScope(scope) : scope;
      for (const declarator of node.declarations as { id: Pattern }[])
        for (const id of namesOf(declarator.id)) declare(target, id.name, kind, id.start);
    } else if (node.type === 'ClassDeclaration' && node.id) {
      declare(scope, (node.id as Identifier).name, 'class', node.start);
    } else if (node.type === 'CatchClause') {
      for (const id of namesOf(node.param as Pattern | null)) declare(inner, id.name, 'catch', id.start);
    }
    for (const child of childrenOf(node)) declareAll(child, node, inner);
  };

  const resolveAll = (node: AnyNode, parent: AnyNode | null, scope: Scope): void => {
    const inner = scopes.get(node) ?? scope;
    if (node.type === 'Identifier' && parent && !spellsOnly(node, parent)) {
      let crossed = false;
      let variable: Variable | null = null;
      for (let at: Scope | null = inner; at && !variable; at = at.parent) {
        variable = at.variables.get(node.name as string) ?? null;
        if (!variable && at.kind === 'function') crossed = true;
      }
      if (variable && crossed && variable.scope.kind !== 'global') variable.captured = true;
      uses.set(node, { variable, from: inner });
    }
    for (const child of childrenOf(node)) resolveAll(child, node, inner);
  };

  const root = program as unknown as AnyNode;
  for (const child of childrenOf(root)) declareAll(child, root, global);
  for (const child of childrenOf(root)) resolveAll(child, root, global);
  return { global, scopes, uses };
}
