/**
 * The seam between the instrumentation, which knows JavaScript's control flow, and an engine's cost model, which knows
 * what its engine does for each construct. A model only fills bags; prices are data (`costs/`).
 */
import type { Node, Program } from 'acorn';
import type { AnyNode } from './ast.ts';
import type { Bag, Prices } from './features.ts';
import type { ScopeMap } from './scopes.ts';

/** One program text, parsed and analysed. */
export interface Unit {
  source: string;
  program: Program;
  scopes: ScopeMap;
  /** Global names of the session before this text, oldest first. */
  known: readonly string[];
}

/** How an engine keeps values, as far as the helpers that look at them must know it (prelude.ts). */
export interface DynamicFeatures {
  /** An array's elements are searched one by one; else they are found at once. */
  searchesArrays: boolean;
  /** Text is a chain of pieces that a character is searched in; else it is found at once. */
  searchesText: boolean;
  /** Which properties of an object are passed before one is found. */
  passes: 'older' | 'newer';
  /** The largest magnitude that the engine keeps in a word. */
  wordMax: number;
}

/** Why an engine stops at a construct that it does not know. */
export interface Refusal {
  name: string;
  message: string;
}

/** Fills bags for one Unit. */
export interface UnitCosts {
  /** Work of executing `node` itself, children not included. `parent` is the node around it. */
  own(node: AnyNode, parent: AnyNode | null, bag: Bag): void;
  /** Each call of a function, before its body. */
  entry(fn: AnyNode, bag: Bag): void;
  /** Each iteration of a loop, besides its parts. */
  iteration(loop: AnyNode, bag: Bag): void;
  /** `node` is passed over and not executed. */
  skip(node: AnyNode, bag: Bag): void;
  /** The rest of the text that a return, break, continue or throw passes over. */
  leave(node: AnyNode, path: readonly AnyNode[], bag: Bag): void;
}

export interface CostModel {
  readonly engine: 'espruino' | 'jerryscript';
  readonly dynamic: DynamicFeatures;
  readonly prices: Prices;
  /** True when passing over text costs: only then are such places charged. */
  readonly skips: boolean;
  /** Bytes or variables of garbage-collected memory that a feature takes; drives collections. */
  readonly allocations: Prices;
  /** Throws a SyntaxError, as the parser does, where the engine does not take a text at all. */
  checkText(source: string): void;
  /** Why the engine stops when it reaches a statement; null where it executes it. */
  refusal(statement: AnyNode): Refusal | null;
  costs(unit: Unit): UnitCosts;
}

/** A charge in the instrumented text: priced when the program runs, counted when prices are fitted. */
export interface Block {
  bag: Bag;
  node: Node;
  /** Units that each time it runs is charged; known once the text is put together. */
  price?: number;
  /** What the expressions in it do each, by their offsets; only where places are told apart. */
  parts?: Map<number, Bag>;
}
