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

/** What the run must find out: prices of these are charged by the helpers that the instrumentation calls. */
export interface DynamicFeatures {
  /** A computed member is used on an object of each kind, to read, write, or both. */
  element: (kind: 'typed' | 'array' | 'string' | 'object', use: 'get' | 'set' | 'update') => string;
  /** For each element that a search through an array passes; null where elements are found at once. */
  elementStep: string | null;
  /** `.length` of each kind. */
  length: (kind: 'typed' | 'array' | 'string' | 'object') => string;
  /** A number outside the range that the engine keeps in a word came out of arithmetic, or goes into a bit operation. */
  wideResult: string;
  wideOperand: string;
  /** The largest magnitude that is not wide. */
  wordMax: number;
  /** Concatenation: once, and for each character of the result. */
  concat: string;
  concatCharacter: string;
  /** `new` of a builtin: a typed array (and each byte), a view of an existing buffer, anything else. */
  newTyped: string;
  newTypedByte: string;
  newView: string;
  newOther: string;
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
  costs(unit: Unit): UnitCosts;
}

/** A charge in the instrumented text: priced when the program runs, counted when prices are fitted. */
export interface Block {
  bag: Bag;
  node: Node;
}
