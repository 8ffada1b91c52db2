/**
 * Where memory is held that no global variable leads to: variables that closures keep, and locals of functions that
 * run. The instrumentation puts readers there, so that what is live can be counted when an engine would collect.
 *
 *     function f() { var rows = []; return function () { return rows; } }
 *  -> function f() { const ǂs1 = ǂE((i) => rows, 1); var rows = []; return ǂF(function () { return rows; }, [ǂs1]) }
 *     var text = a.join('')                    ->     try { ǂp((i) => text, 1); ... } finally { ǂq() }
 *
 * What a call's variables take is counted once, however many closures share them: ǂs1 stands for that call. Variables of
 * blocks and of functions without a body in braces have no such place, and are read through each closure.
 *
 * Locals of inner blocks are not read, nor those that, as far as the text shows, only ever hold numbers.
 */
import type { Program } from 'acorn';
import { type AnyNode, childrenOf, isFunction } from './ast.ts';
import type { Guesses } from './guesses.ts';
import { marker } from './marker.ts';
import type { Scope, ScopeMap } from './scopes.ts';

/** Builtin methods that make something. */
const makers = new Set([
  ...[
    'slice',
    'concat',
    'map',
    'filter',
    'split',
    'join',
    'subarray',
    'substring',
    'substr',
    'repeat',
    'keys',
    'values',
  ],
  ...['entries', 'parse', 'stringify', 'from', 'of', 'assign', 'create', 'bind', 'splice', 'replace', 'padStart'],
]);
const deepest = 4;

export class Holders {
  readonly #scopes: ScopeMap;
  readonly #guesses: Guesses;
  /** Numbers of the functions whose calls' variables are read in one place. */
  readonly #shared = new Map<Scope, number>();
  /** What each function of the program returns, by its name. */
  readonly #returned = new Map<string, AnyNode[]>();

  constructor(program: Program, scopes: ScopeMap, guesses: Guesses) {
    this.#scopes = scopes;
    this.#guesses = guesses;
    this.#collectReturns(program as unknown as AnyNode, null);
    for (const [node, scope] of scopes.scopes) {
      const { body } = node as unknown as AnyNode;
      const hasBraces = (body as AnyNode | undefined)?.type === 'BlockStatement';
      if (scope.kind === 'function' && hasBraces && kept(scope).length > 0) this.#shared.set(scope, this.#shared.size);
    }
  }

  /** Declares what stands for a call of the function and reads its captured variables; empty where there are none. */
  environment(fn: AnyNode): string {
    const scope = this.#scopes.scopes.get(fn);
    const number = scope && this.#shared.get(scope);
    return number === undefined ? '' : `const ${marker}s${number}=${marker}E(${reader(kept(scope!))});`;
  }

  /** What a closure made here keeps: the calls that it shares, then a reader of the rest. Null where it keeps nothing. */
  closureReader(fn: AnyNode): string | null {
    const names = new Set<string>();
    const calls: string[] = [];
    let scope: Scope | null = this.#scopes.scopes.get(fn)?.parent ?? null;
    for (; scope && scope.kind !== 'global'; scope = scope.parent) {
      const number = this.#shared.get(scope);
      if (number === undefined) for (const name of kept(scope)) names.add(name);
      else calls.push(`${marker}s${number}`);
    }
    const own = reader([...names]);
    return own === null && calls.length === 0 ? null : `[${calls}]${own === null ? '' : `,${own}`}`;
  }

  /** The reader of a function's own variables that may hold memory; null where none does. */
  localReader(fn: AnyNode): string | null {
    if (fn.generator || fn.async || (fn.body as AnyNode).type !== 'BlockStatement') return null;
    const scope = this.#scopes.scopes.get(fn);
    // Functions declared here would be a block's in there; what they keep is read through them.
    const declares = ((fn.body as AnyNode).body as AnyNode[]).some(({ type }) => type === 'FunctionDeclaration');
    if (!scope || declares) return null;
    const names = new Set<string>();
    const visit = (node: AnyNode): void => {
      if (isFunction(node)) return;
      const [target, value] =
        node.type === 'VariableDeclarator'
          ? [node.id as AnyNode, node.init as AnyNode | null]
          : node.type === 'AssignmentExpression'
            ? [node.left as AnyNode, node.right as AnyNode]
            : [null, null];
      if (target?.type === 'Identifier' && value && this.#makes(value, 0)) {
        const variable = scope.variables.get(target.name as string);
        if (variable && variable.kind !== 'param') names.add(variable.name);
      }
      for (const child of childrenOf(node)) visit(child);
    };
    visit(fn.body as AnyNode);
    return reader([...names]);
  }

  /** An expression whose value takes memory, as far as its text shows. */
  #makes(node: AnyNode, depth: number): boolean {
    switch (node.type) {
      case 'NewExpression':
      case 'ArrayExpression':
      case 'ObjectExpression':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        return true;
      case 'LogicalExpression':
        return this.#makes(node.left as AnyNode, depth) || this.#makes(node.right as AnyNode, depth);
      case 'ConditionalExpression':
        return this.#makes(node.consequent as AnyNode, depth) || this.#makes(node.alternate as AnyNode, depth);
      case 'CallExpression': {
        const callee = node.callee as AnyNode;
        const name = (callee.type === 'MemberExpression' ? (callee.property as AnyNode).name : callee.name) as string;
        if (callee.type === 'MemberExpression' && makers.has(name)) return true;
        return depth < deepest && (this.#returned.get(name) ?? []).some((value) => this.#makes(value, depth + 1));
      }
      default:
        return this.#guesses.isText(node) && node.type !== 'Literal';
    }
  }

  #collectReturns(node: AnyNode, name: string | null): void {
    let inner = name;
    if (isFunction(node)) inner = ((node as unknown as AnyNode).id as AnyNode | null)?.name as string | null;
    else if (node.type === 'VariableDeclarator') inner = ((node.id as AnyNode).name as string) ?? null;
    else if (node.type === 'Property' || node.type === 'MethodDefinition')
      inner = ((node.key as AnyNode).name as string) ?? null;
    const own = isFunction(node) && inner === null ? name : inner;
    if (node.type === 'ReturnStatement' && node.argument && name !== null)
      this.#returned.set(name, [...(this.#returned.get(name) ?? []), node.argument as AnyNode]);
    for (const child of childrenOf(node)) this.#collectReturns(child, own ?? name);
  }
}

/** Variables of a scope that closures may keep. Functions declared there are known by their code. */
function kept(scope: Scope): string[] {
  return [...scope.variables.values()]
    .filter(({ captured, kind }) => captured && kind !== 'function')
    .map(({ name }) => name);
}

/** A function of the place in the list, and how many there are. */
function reader(names: readonly string[]): string | null {
  if (names.length === 0) return null;
  const choices = names.map((name, at) => (at === names.length - 1 ? name : `${marker}i===${at}?${name}:`)).join('');
  return `(${marker}i)=>${choices},${names.length}`;
}
