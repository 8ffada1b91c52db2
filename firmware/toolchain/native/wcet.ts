/**
 * A bound on the cycles of each routine, from the machine code alone: its control-flow graph is rebuilt by decoding the
 * bytes, loops are taken as often as their annotation says, and the longest way through is added up (Li, Malik:
 * "Performance analysis of embedded software using implicit path enumeration", 1995, for acyclic code with loop bounds).
 *
 * The back edges of a loop are removed after the longest way round was added to its head `count` times, inner loops
 * first. What is not a natural loop, has no annotation, or an indirect branch, has no bound.
 */
import type { Compiled } from './compile.ts';
import { disassemble } from './disassemble.ts';
import { instructionCycles } from './instruction-cycles.ts';
import type { Timing } from './timing.ts';

export type WorstCase = { readonly cycles: number } | { readonly unbounded: string };

interface Edge {
  readonly to: Node;
  readonly cycles: number;
}

interface Node {
  readonly start: number;
  cycles: number;
  edges: Edge[];
  /** Ends the routine. */
  leaves: boolean;
}

/** Bounds by routine name. `counts` gives the named loop bounds: { blocks: 100, lists: 90 }. */
export function worstCases(
  compiled: Compiled,
  timing: Timing,
  counts: Readonly<Record<string, number>>,
): Map<string, WorstCase> {
  const results = new Map<string, WorstCase>();
  const byOffset = new Map(compiled.routines.map((routine) => [routine.offset, routine.name]));
  const solve = (name: string): WorstCase => {
    const known = results.get(name);
    if (known) return known;
    const result = routineBound(compiled, timing, counts, name, (offset) => {
      const callee = byOffset.get(offset);
      return callee === undefined ? null : solve(callee);
    });
    results.set(name, result);
    return result;
  };
  for (const { name } of compiled.routines) solve(name);
  return results;
}

function routineBound(
  compiled: Compiled,
  timing: Timing,
  counts: Readonly<Record<string, number>>,
  name: string,
  callee: (offset: number) => WorstCase | null,
): WorstCase {
  const { code, loopBounds } = compiled.layout;
  const entry = compiled.routines.find((routine) => routine.name === name)!.offset;
  const nodes = new Map<number, Node>();
  const problems: string[] = [];

  // One node an instruction: blocks would only be fewer.
  const work = [entry];
  const at = (address: number): Node => {
    let node = nodes.get(address);
    if (!node) {
      node = { start: address, cycles: 0, edges: [], leaves: false };
      nodes.set(address, node);
      work.push(address);
    }
    return node;
  };
  at(entry);
  const seen = new Set<number>();
  for (let address = work.pop(); address !== undefined; address = work.pop()) {
    if (seen.has(address)) continue;
    seen.add(address);
    const node = at(address);
    const { text, sizeBytes, target } = disassemble(code, address);
    const h = code[address]! | (code[address + 1]! << 8);
    const { least, most } = instructionCycles(h, timing);
    const op = text.split(' ')[0]!;
    const follow = (to: number, cycles: number): void => void node.edges.push({ to: at(to), cycles });
    if (op === 'bl' || (op === 'b' && target !== entry && callee(target!) !== null)) {
      const called = callee(target!);
      if (called === null || 'unbounded' in called)
        problems.push(called === null ? `a call into code at ${target}` : called.unbounded);
      else node.cycles = most + called.cycles;
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
  if (problems.length > 0) return { unbounded: problems[0]! };

  const order = postorder(at(entry)).reverse();
  const position = new Map(order.map((node, i) => [node, i]));
  const heads = new Map<Node, Node[]>();
  for (const node of order) {
    for (const { to } of node.edges) {
      if (position.get(to)! > position.get(node)!) continue;
      heads.set(to, [...(heads.get(to) ?? []), node]);
    }
  }
  const preds = new Map<Node, Node[]>();
  for (const node of order) for (const { to } of node.edges) preds.set(to, [...(preds.get(to) ?? []), node]);
  const loops = [...heads].map(([head, tails]) => ({ head, tails, body: bodyOf(head, tails, preds) }));
  loops.sort((a, b) => a.body.size - b.body.size);
  for (const { head, tails, body } of loops) {
    const bound = boundOf(
      body,
      loopBounds,
      new Set(loops.filter((l) => l.head !== head && body.has(l.head)).map((l) => l.head.start)),
    );
    const place = placeOf(compiled, head.start);
    if (bound === null) return { unbounded: `the loop at ${place} has no bound` };
    const count = typeof bound === 'number' ? bound : counts[bound];
    if (count === undefined)
      return { unbounded: `the loop at ${place} runs at most "${bound}" times, which is not given` };
    // The longest way from the head round to it, the back edge included.
    const longest = longestFrom(head, body, position);
    let round = 0;
    for (const tail of tails) {
      for (const edge of tail.edges.filter(({ to }) => to === head)) {
        round = Math.max(round, (longest.get(tail) ?? 0) + edge.cycles);
      }
      tail.edges = tail.edges.filter(({ to }) => to !== head);
    }
    head.cycles += count * round;
  }
  const longest = longestFrom(at(entry), new Set(order), position);
  let cycles = 0;
  for (const [node, sum] of longest) if (node.leaves) cycles = Math.max(cycles, sum);
  return { cycles };
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
  bounds: Compiled['layout']['loopBounds'],
  inner: ReadonlySet<number>,
): number | string | null {
  for (const node of body) {
    const bound = bounds.get(node.start);
    if (bound && !inner.has(node.start)) return bound.count;
  }
  return null;
}

/** Longest sum of cycles from `from` to each node inside `within`, the nodes' own cycles included; back edges are not followed. */
function longestFrom(from: Node, within: ReadonlySet<Node>, position: ReadonlyMap<Node, number>): Map<Node, number> {
  const longest = new Map([[from, from.cycles]]);
  const nodes = [...within].sort((a, b) => position.get(a)! - position.get(b)!);
  for (const node of nodes) {
    const sum = longest.get(node);
    if (sum === undefined) continue;
    for (const { to, cycles } of node.edges) {
      if (!within.has(to) || position.get(to)! <= position.get(node)!) continue;
      longest.set(to, Math.max(longest.get(to) ?? 0, sum + cycles + to.cycles));
    }
  }
  return longest;
}

function placeOf(compiled: Compiled, address: number): string {
  const placed = compiled.layout.placed.find((p) => p.address === address);
  if (placed?.at == null) return `code offset ${address}`;
  const { file, line } = compiled.source.locate(placed.at);
  return `${file}:${line}`;
}
