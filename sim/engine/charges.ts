/**
 * The charges of one program text: blocks of text that run as a whole, and the text that lowers the counters by what a
 * block costs. A block's price is summed when the text is put together, so its bag may fill until then.
 */
import type { Node } from 'acorn';
import type { AnyNode } from './ast.ts';
import { type Bag, priceOf } from './features.ts';
import { Insertions } from './insertions.ts';
import { marker } from './marker.ts';
import type { Block, CostModel } from './model.ts';

export class Charges {
  readonly insertions = new Insertions();
  readonly blocks: Block[] = [];
  readonly #model: CostModel;
  /** The number of this text's first block among all that are counted apart; null where none are. */
  readonly #firstBlock: number | null;
  /** Whether what each place and each call takes is told apart (profile.ts). */
  readonly countsCalls: boolean;

  constructor(model: CostModel, firstBlock: number | null, countsCalls: boolean) {
    this.#model = model;
    this.#firstBlock = firstBlock;
    this.countsCalls = countsCalls;
  }

  open(node: Node): Block {
    const block = this.part(node);
    this.blocks.push(block);
    return block;
  }

  /** What is summed apart to be added to blocks. */
  part(node: Node): Block {
    return { bag: new Map(), node, ...(this.countsCalls && { parts: new Map() }) };
  }

  priceOf(block: Block): number {
    return Math.round(priceOf(block.bag, this.#model.prices));
  }

  /** Its number for counting apart; null where blocks are not. */
  numberOf(block: Block): number | null {
    return this.#firstBlock === null ? null : this.#firstBlock + this.blocks.indexOf(block);
  }

  /** The text that charges a block, as an expression. `checked`: it also ends a run that is over. */
  textOf(block: Block, checked: boolean): string {
    // A checked charge is never nothing: the counter must reach its end.
    const price = Math.max(checked ? 1 : -Infinity, this.priceOf(block));
    const bytes = Math.round(priceOf(block.bag, this.#model.allocations));
    let text = checked ? `(${marker}k-=${price})<0&&${marker}o()` : `${marker}k-=${price}`;
    if (bytes > 0) text = `(${marker}m-=${bytes})<0&&${marker}c(${bytes}),${text}`;
    block.price = price;
    return `${this.#countOf(block, '+', ',')}${text}`;
  }

  /** Statements that charge a block ahead of its time, and those that give it back. */
  aheadOf(block: Block): { charge: string; giveBack: string } {
    const price = this.priceOf(block);
    block.price = price;
    return {
      charge: `${this.#countOf(block, '+', ';')}${marker}k-=${price};`,
      giveBack: `${this.#countOf(block, '-', ';')}${marker}k+=${price};`,
    };
  }

  /** The text that counts a block apart, followed by `end`; nothing where blocks are not. */
  #countOf(block: Block, sign: '+' | '-', end: string): string {
    const number = this.numberOf(block);
    if (number === null) return '';
    const count = `${marker}b[${number}]${sign}${sign}${end}`;
    if (!this.countsCalls) return count;
    return `${count}${marker}self[${marker}in]${sign}=${block.price}${end}${sign === '+' ? `${marker}at=${number}${end}` : ''}`;
  }

  insertStatement(at: number, block: Block, checked: boolean): void {
    // `void`: a charge is no value of the program's.
    this.insertions.add(at, () => `void(${this.textOf(block, checked)});`);
  }

  /** After the directives of a function's body, which must stay first: `before`, the block's charge, `after`. */
  insertAtStart(
    body: readonly AnyNode[],
    bodyStart: number,
    { block, before, after }: { block: Block; before: string; after: string },
  ): void {
    let at = bodyStart;
    for (const statement of body) {
      if (typeof statement.directive !== 'string') break;
      at = statement.end;
    }
    // A directive without its semicolon would otherwise become part of the charge.
    const end = at === bodyStart ? '' : ';';
    this.insertions.add(at, () => `${end}${before}void(${this.textOf(block, true)});${after}`);
  }

  /** Puts text around a node. */
  wrap(node: Node, before: string, inside: () => void): void {
    this.insertions.add(node.start, before);
    inside();
    this.insertions.add(node.end, ')');
  }

  /** An expression that runs only sometimes: charged when it does. */
  wrapCharge(node: Node, block: Block, inside: () => void, checked = false): void {
    this.insertions.add(node.start, () => `(${this.textOf(block, checked)},`);
    inside();
    this.insertions.add(node.end, ')');
  }
}

/** Adds what was summed apart to a block. */
export function addBlock(from: Block, to: Block): void {
  addAll(from.bag, to.bag);
  for (const [start, part] of from.parts ?? []) {
    const known = to.parts?.get(start) ?? new Map();
    addAll(part, known);
    to.parts?.set(start, known);
  }
}

/** Adds all of one bag to another. */
export function addAll(from: Bag, to: Bag, times = 1): void {
  for (const [feature, count] of from) to.set(feature, (to.get(feature) ?? 0) + count * times);
}
