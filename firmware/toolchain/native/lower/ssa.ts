/**
 * The routine under construction: values appended to a current block, blocks joined by jumps and branches, and variables
 * turned into values while walking the tree (Braun et al.: "Simple and efficient construction of static single assignment
 * form", 2013).
 */
import { foldConstants, holds } from '../fold.ts';
import {
  type Block,
  type Condition,
  newBlock,
  newValue,
  type Op,
  type Routine,
  removeTrivialPhi,
  resolve,
  type Terminator,
  type Value,
} from '../ir.ts';

export interface Variable {
  readonly name: string;
  readonly constant: boolean;
}

export class SsaBuilder {
  readonly routine: Routine;
  /** Where values are appended; null after a return, until a reachable block begins. */
  block: Block | null;
  private readonly definitions = new Map<Variable, Map<Block, Value>>();
  private readonly sealed = new Set<Block>();
  private readonly openPhis = new Map<Block, Map<Variable, Value>>();

  constructor(routine: Routine) {
    this.routine = routine;
    this.block = newBlock(routine);
    this.seal(this.block);
  }

  /** Appends a value to the current block. */
  append(op: Op, args: Value[], imm: number, at: number): Value {
    const value = newValue(this.routine, this.block!, op, args, imm, at);
    this.block!.values.push(value);
    return value;
  }

  constant(imm: number, at: number): Value {
    return this.append('const', [], imm | 0, at);
  }

  /** a op b, folded where both are known. */
  operate(op: Op, left: Value, right: Value, at: number): Value {
    const a = resolve(left);
    const b = resolve(right);
    if (a.op === 'const' && b.op === 'const') return this.constant(foldConstants(op, a.imm, b.imm)!, at);
    return this.append(op, [a, b], 0, at);
  }

  write(variable: Variable, value: Value, block: Block = this.block!): void {
    let perBlock = this.definitions.get(variable);
    if (!perBlock) {
      perBlock = new Map();
      this.definitions.set(variable, perBlock);
    }
    perBlock.set(block, value);
  }

  /** What a variable holds at the end of `block` so far. */
  read(variable: Variable, block: Block, at: number): Value {
    const known = this.definitions.get(variable)?.get(block);
    if (known) return resolve(known);
    let value: Value;
    if (!this.sealed.has(block)) {
      value = this.phi(block, at);
      let open = this.openPhis.get(block);
      if (!open) {
        open = new Map();
        this.openPhis.set(block, open);
      }
      open.set(variable, value);
    } else if (block.preds.length === 1) {
      value = this.read(variable, block.preds[0]!, at);
    } else {
      const phi = this.phi(block, at);
      this.write(variable, phi, block);
      value = this.completePhi(variable, phi);
    }
    this.write(variable, value, block);
    return resolve(value);
  }

  private phi(block: Block, at: number): Value {
    const phi = newValue(this.routine, block, 'phi', [], 0, at);
    block.values.unshift(phi);
    return phi;
  }

  private completePhi(variable: Variable, phi: Value): Value {
    phi.args = phi.block.preds.map((pred) => this.read(variable, pred, phi.at));
    return removeTrivialPhi(phi);
  }

  /** All predecessors of `block` are known. */
  seal(block: Block): void {
    this.sealed.add(block);
    for (const [variable, phi] of this.openPhis.get(block) ?? []) this.completePhi(variable, phi);
    this.openPhis.delete(block);
  }

  terminate(term: Terminator): void {
    const block = this.block!;
    block.term = term;
    if (term.kind === 'jump') term.to.preds.push(block);
    if (term.kind === 'branch') {
      term.yes.preds.push(block);
      term.no.preds.push(block);
    }
    this.block = null;
  }

  jump(to: Block, at: number): void {
    if (this.block) this.terminate({ kind: 'jump', to, at });
  }

  /** Ends the current block with a test, or a jump where its outcome is known. */
  branch(cond: Condition, left: Value, right: Value, yes: Block, no: Block, at: number): void {
    const a = resolve(left);
    const b = resolve(right);
    if (a.op === 'const' && b.op === 'const') {
      this.terminate({ kind: 'jump', to: holds(cond, a.imm, b.imm) ? yes : no, at });
      return;
    }
    this.terminate({ kind: 'branch', cond, a, b, yes, no, at });
  }

  enter(block: Block): void {
    this.block = block;
  }

  /** Starts a block all of whose predecessors are known; unreachable when there are none. */
  begin(block: Block): void {
    this.seal(block);
    this.block = block.preds.length > 0 ? block : null;
  }

  newBlock(): Block {
    return newBlock(this.routine);
  }
}
