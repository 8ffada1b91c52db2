/**
 * A routine's control-flow graph, rebuilt from its machine code alone by decoding the bytes: a node an instruction, with
 * what it and the ways on from it cost. And its natural loops, with the bounds that were annotated.
 */
import type { Compiled } from './compile.ts';
import { disassemble } from './disassemble.ts';
import { instructionCycles } from './instruction-cycles.ts';
import type { LoopBound } from './ir.ts';
import type { Timing } from './timing.ts';

export interface Edge {
  readonly to: Node;
  readonly cycles: number;
}

export interface Node {
  /** Code offset. */
  readonly start: number;
  cycles: number;
  edges: Edge[];
  /** The routine whose code a BL or a tail call runs, by its offset. */
  callee: number | null;
  /** Ends the routine. */
  leaves: boolean;
}

export interface Loop {
  readonly head: Node;
  /** Ends of the back edges. */
  readonly tails: readonly Node[];
  readonly body: ReadonlySet<Node>;
  readonly bound: LoopBound | null;
}

export interface Graph {
  readonly entry: Node;
  /** In reverse postorder from the entry. */
  readonly order: readonly Node[];
  /** Inner loops first. */
  readonly loops: readonly Loop[];
}

/** The graph of the routine at `entry`. A branch to another routine is a tail call. */
export function graphOf(compiled: Compiled, timing: Timing, entry: number): Graph {
  const { code, loopBounds } = compiled.layout;
  const routines = new Set(compiled.routines.map(({ offset }) => offset));
  const nodes = new Map<number, Node>();
  const work: number[] = [];
  const at = (address: number): Node => {
    let node = nodes.get(address);
    if (!node) {
      node = { start: address, cycles: 0, edges: [], callee: null, leaves: false };
      nodes.set(address, node);
      work.push(address);
    }
    return node;
  };
  at(entry);
  for (let address = work.pop(); address !== undefined; address = work.pop()) {
    const node = at(address);
    const { text, sizeBytes, target } = disassemble(code, address);
    const h = code[address]! | (code[address + 1]! << 8);
    const { least, most } = instructionCycles(h, timing);
    const op = text.split(' ')[0]!;
    const follow = (to: number, cycles: number): void => void node.edges.push({ to: at(to), cycles });
    if (op === 'bl' || (op === 'b' && target !== entry && routines.has(target!))) {
      node.callee = target;
      node.cycles = most;
      if (op === 'bl') follow(address + sizeBytes, 0);
      else node.leaves = true;
    } else if (op === 'b') follow(target!, most);
    else if (h >> 12 === 0xd) {
      follow(target!, most);
      follow(address + sizeBytes, least);
    } else {
      node.cycles = most;
      if (op === 'bx' || text.endsWith('pc}')) node.leaves = true;
      else follow(address + sizeBytes, 0);
    }
  }
  const order = postorder(at(entry)).reverse();
  return { entry: at(entry), order, loops: loopsOf(order, loopBounds) };
}

function loopsOf(order: readonly Node[], bounds: ReadonlyMap<number, LoopBound>): Loop[] {
  const position = new Map(order.map((node, i) => [node, i]));
  const heads = new Map<Node, Node[]>();
  const preds = new Map<Node, Node[]>();
  for (const node of order) {
    for (const { to } of node.edges) {
      preds.set(to, [...(preds.get(to) ?? []), node]);
      if (position.get(to)! <= position.get(node)!) heads.set(to, [...(heads.get(to) ?? []), node]);
    }
  }
  const loops = [...heads].map(([head, tails]) => ({ head, tails, body: bodyOf(head, tails, preds) }));
  loops.sort((a, b) => a.body.size - b.body.size);
  return loops.map((loop) => {
    const inner = loops.filter(({ head }) => head !== loop.head && loop.body.has(head)).map(({ head }) => head.start);
    return { ...loop, bound: boundOf(loop.body, bounds, new Set(inner)) };
  });
}

function postorder(entry: Node): Node[] {
  const order: Node[] = [];
  const seen = new Set([entry]);
  const stack: { node: Node; next: number }[] = [{ node: entry, next: 0 }];
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    const edge = top.node.edges[top.next++];
    if (!edge) {
      order.push(top.node);
      stack.pop();
    } else if (!seen.has(edge.to)) {
      seen.add(edge.to);
      stack.push({ node: edge.to, next: 0 });
    }
  }
  return order;
}

/** The natural loop of the back edges from `tails` to `head`. */
function bodyOf(head: Node, tails: readonly Node[], preds: ReadonlyMap<Node, Node[]>): Set<Node> {
  const body = new Set([head]);
  const work = [...tails];
  for (let node = work.pop(); node; node = work.pop()) {
    if (body.has(node)) continue;
    body.add(node);
    work.push(...(preds.get(node) ?? []));
  }
  return body;
}

/** The annotation on an instruction of the loop that is not the head of a loop inside it. */
function boundOf(
  body: ReadonlySet<Node>,
  bounds: ReadonlyMap<number, LoopBound>,
  inner: ReadonlySet<number>,
): LoopBound | null {
  for (const node of body) {
    const bound = bounds.get(node.start);
    if (bound && !inner.has(node.start)) return bound;
  }
  return null;
}
