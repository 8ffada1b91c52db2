/**
 * How often each name of a bundle is looked up, guessed from the text: what a loop repeats counts eight times, what a
 * branch may skip half, and a function as often as those who call it. The calls of the heap (malloc, free, realloc) are
 * what a program does all the time; everything else of the device code is rare.
 *
 * Only the order of the figures matters: it decides which names an engine finds first (layout.ts).
 */
import type { AnyNode, Program } from 'acorn';
import { childrenOf, isFunction } from '../nodes.ts';

export interface Hotness {
  /** Look-ups of a name by the functions that do not declare it; 0 for what is not mentioned. */
  ofName(name: string): number;
  /** Runs of a function for each operation of the heap. */
  ofFunction(fn: AnyNode): number;
  /** Look-ups of a name in one run of a function. */
  inFunction(fn: AnyNode, name: string): number;
}

/** Operations of a heap in a typical program, by the name of the function or method that does them. */
const roots: Readonly<Record<string, number>> = { malloc: 1, free: 1, realloc: 0.5, calloc: 0.1, memalign: 0.1 };
const programFunction = 0.3;
const rareFunction = 0.01;
const loopFactor = 8;
const branchFactor = 0.5;
/** Calls through so many functions are followed. */
const callDepth = 8;
/** Functions that call each other in a circle: no figure grows beyond this. */
const most = 1e6;

interface FunctionFacts {
  node: AnyNode;
  /** What calls it without being seen: a root's figure. */
  own: number;
  /** Names mentioned, with the runs of each mention for one run of the function. */
  mentions: Map<string, number>;
  calls: Map<string, number>;
  weight: number;
}

/** Guesses for the bundler's output. `isDevice` tells the device code's functions from the program's. */
export function hotnessOf(program: Program, isDevice: (node: AnyNode) => boolean): Hotness {
  const facts: FunctionFacts[] = [];
  const byName = new Map<string, FunctionFacts[]>();
  const factsOf = new Map<AnyNode, FunctionFacts>();

  const open = (node: AnyNode, name: string | undefined): FunctionFacts => {
    const root = name === undefined || !isDevice(node) ? undefined : roots[name.replace(/\d+$/, '')];
    const own = root ?? (node.type === 'Program' || isDevice(node) ? rareFunction : programFunction);
    const opened = { node, own, mentions: new Map(), calls: new Map(), weight: own };
    facts.push(opened);
    factsOf.set(node, opened);
    if (name !== undefined) byName.set(name, [...(byName.get(name) ?? []), opened]);
    return opened;
  };

  const visit = (node: AnyNode, inside: FunctionFacts, runs: number, name?: string): void => {
    if (isFunction(node)) {
      const opened = open(node, node.id?.name ?? name);
      for (const child of childrenOf(node)) if (child !== node.id) visit(child, opened, 1);
      return;
    }
    const add = (to: Map<string, number>, key: string): void => void to.set(key, (to.get(key) ?? 0) + runs);
    const into = (child: AnyNode | null | undefined, factor: number, named?: string): void => {
      if (child) visit(child, inside, runs * factor, named);
    };
    switch (node.type) {
      case 'Identifier':
        add(inside.mentions, node.name);
        return;
      case 'CallExpression':
        if (node.callee.type === 'Identifier') add(inside.calls, node.callee.name);
        break;
      case 'MemberExpression':
        into(node.object, 1);
        if (node.computed) into(node.property, 1);
        return;
      case 'Property':
        if (node.computed) into(node.key, 1);
        into(node.value, 1, node.key.type === 'Identifier' ? node.key.name : undefined);
        return;
      case 'VariableDeclarator':
        into(node.init, 1, node.id.type === 'Identifier' ? node.id.name : undefined);
        return;
      case 'ForStatement':
        into(node.init, 1);
        for (const child of [node.test, node.update, node.body]) into(child, loopFactor);
        return;
      case 'WhileStatement':
      case 'DoWhileStatement':
        for (const child of [node.test, node.body]) into(child, loopFactor);
        return;
      case 'IfStatement':
      case 'ConditionalExpression':
        into(node.test, 1);
        for (const child of [node.consequent, node.alternate]) into(child, branchFactor);
        return;
      case 'LogicalExpression':
        into(node.left, 1);
        into(node.right, branchFactor);
        return;
      default:
    }
    for (const child of childrenOf(node)) into(child, 1);
  };
  const top = open(program, undefined);
  for (const child of childrenOf(program)) visit(child, top, 1);

  for (let round = 0; round < callDepth; round++) {
    const called = new Map<FunctionFacts, number>();
    for (const caller of facts)
      for (const [name, runs] of caller.calls)
        for (const callee of byName.get(name) ?? [])
          called.set(callee, (called.get(callee) ?? 0) + runs * caller.weight);
    for (const fn of facts) fn.weight = Math.min(most, fn.own + (called.get(fn) ?? 0));
  }

  const names = new Map<string, number>();
  for (const { mentions, weight } of facts)
    for (const [name, runs] of mentions) names.set(name, (names.get(name) ?? 0) + runs * weight);
  return {
    ofName: (name) => names.get(name) ?? 0,
    ofFunction: (fn) => factsOf.get(fn)?.weight ?? 0,
    inFunction: (fn, name) => factsOf.get(fn)?.mentions.get(name) ?? 0,
  };
}
