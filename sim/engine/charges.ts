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

  constructor(model: CostModel, firstBlock: number | null) {
    this.#model = model;
    this.#firstBlock = firstBlock;
  }

  open(node: Node): Block {
    const block: Block = { bag: new Map(), node };
    this.blocks.push(block);
    return block;
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
    const number = this.numberOf(block);
    return number === null ? text : `${marker}b[${number}]++,${text}`;
  }

  insertStatement(at: number, block: Block, checked: boolean): void {
    // `void`: a charge is no value of the program's.
    this.insertions.add(at, () => `void(${this.textOf(block, checked)});`);
  }

  /** After the directives of a function's body, which must stay first. */
  insertAtStart(body: readonly AnyNode[], bodyStart: number, block: Block, checked: boolean, readers: string): void {
    let at = bodyStart;
    for (const statement of body) {
      if (typeof statement.directive !== 'string') break;
      at = statement.end;
    }
    // A directive without its semicolon would otherwise become part of the charge.
    this.insertions.add(at, () => `${at === bodyStart ? '' : ';'}void(${this.textOf(block, checked)});${readers}`);
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

/** Adds all of one bag to another. */
export function addAll(from: Bag, to: Bag, times = 1): void {
  for (const [feature, count] of from) to.set(feature, (to.get(feature) ?? 0) + count * times);
}
