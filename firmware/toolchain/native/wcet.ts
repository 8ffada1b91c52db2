/**
 * A bound on the cycles of each routine, from the machine code alone: its control-flow graph (flow-graph.ts), loops taken
 * as often as their annotation says, and the longest way through (Li, Malik: "Performance analysis of embedded software
 * using implicit path enumeration", 1995, for acyclic code with loop bounds).
 *
 * The back edges of a loop are removed after the longest way round was added to its head `count` times, inner loops
 * first. What is not a natural loop, has no annotation, or an indirect branch, has no bound. That no loop runs more often
 * than annotated is asserted in the tests, by counting on the core.
 */
import type { Compiled } from './compile.ts';
import { graphOf, type Node } from './flow-graph.ts';
import type { Timing } from './timing.ts';

export type WorstCase = { readonly cycles: number } | { readonly unbounded: string };

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
  const offset = compiled.routines.find((routine) => routine.name === name)!.offset;
  const { entry, order, loops } = graphOf(compiled, timing, offset);
  for (const node of order) {
    if (node.callee === null) continue;
    const called = callee(node.callee);
    if (called === null) return { unbounded: `a call into code at ${node.callee}` };
    if ('unbounded' in called) return called;
    node.cycles += called.cycles;
  }
  const position = new Map(order.map((node, i) => [node, i]));
  for (const { head, tails, body, bound } of loops) {
    const place = placeOf(compiled, head.start);
    if (bound === null) return { unbounded: `the loop at ${place} has no bound` };
    const count = typeof bound.count === 'number' ? bound.count : counts[bound.count];
    if (count === undefined) {
      return { unbounded: `the loop at ${place} runs at most "${bound.count}" times, which is not given` };
    }
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
  const longest = longestFrom(entry, new Set(order), position);
  let cycles = 0;
  for (const [node, sum] of longest) if (node.leaves) cycles = Math.max(cycles, sum);
  return { cycles };
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
