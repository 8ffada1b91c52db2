/**
 * A policy whose every load and store is watched: its text with a check at each index into the arena and a count at each
 * round of a loop. What lies outside the arena is counted and not done; a call that goes round too often is ended.
 */
import { type Node, parse } from 'acorn';
import { full } from 'acorn-walk';
import MagicString from 'magic-string';
import type { PolicyName } from '../../../firmware/src/policies/index.ts';
import type { Policy } from '../../../firmware/src/policy.ts';
import { policyText } from '../../../host/bench/host-policy.ts';

export class Hang extends Error {}

export type Words = 'Uint32Array' | 'Int32Array';

export interface GuardedPolicy {
  policy: Policy;
  bytes: Uint8Array;
  /** Since it was last cleared. `steps` above `mostSteps` throws a Hang. */
  watch: { loadsOutside: number; storesOutside: number; steps: number; mostSteps: number };
}

interface Accessing extends Node {
  object?: Node & { name?: string };
  property?: Node;
  computed?: boolean;
  left?: Node;
  argument?: Node;
  body?: Node;
}

const views = new Set(['u8', 'u16', 'u32']);

function instrument(text: string): string {
  const edited = new MagicString(text);
  const stored = new Set<Node>();
  const program = parse(text, { ecmaVersion: 2022 });
  full(program, (node) => {
    const { type, left, argument } = node as Accessing;
    if (type === 'AssignmentExpression') stored.add(left!);
    if (type === 'UpdateExpression') stored.add(argument!);
  });
  full(program, (node) => {
    const { type, object, property, computed, body } = node as Accessing;
    if (type === 'MemberExpression' && views.has(object?.name ?? '')) {
      if (computed) {
        edited.appendRight(property!.start, `guard.${stored.has(node) ? 'store' : 'load'}(${object!.name},`);
        edited.prependLeft(property!.end, ')');
      } else {
        // moveBytes of the host: u8.copyWithin(to, from, from + bytes)
        edited.overwrite(node.start, node.end, 'guard.copy');
      }
    } else if (type === 'WhileStatement' || type === 'ForStatement' || type === 'DoWhileStatement') {
      edited.prependLeft(body!.start, '{guard.step();');
      edited.appendRight(body!.end, '}');
    }
  });
  return edited.toString();
}

/**
 * The policy over an arena of its own of `arenaBytes` bytes, not yet formatted. Words from 2^31 on are as JavaScript has
 * them on a board, or below 0 as machine code compares them.
 */
export async function guardedPolicy(name: PolicyName, arenaBytes: number, words: Words): Promise<GuardedPolicy> {
  const arena = new ArrayBuffer(arenaBytes);
  const bytes = new Uint8Array(arena);
  const watch = { loadsOutside: 0, storesOutside: 0, steps: 0, mostSteps: Number.POSITIVE_INFINITY };
  const isInside = (index: number, length: number): boolean => index >= 0 && index < length;
  const guard = {
    load(view: Uint8Array, index: number): number {
      if (isInside(index, view.length)) return index;
      watch.loadsOutside++;
      return view.length;
    },
    store(view: Uint8Array, index: number): number {
      if (isInside(index, view.length)) return index;
      watch.storesOutside++;
      return view.length;
    },
    step(): void {
      if (++watch.steps > watch.mostSteps) throw new Hang(`${name}: more than ${watch.mostSteps} rounds in a call`);
    },
    copy(to: number, from: number, end: number): void {
      if (!(to >= 0 && from >= 0 && end >= from && to + end - from <= arenaBytes)) watch.storesOutside++;
      else bytes.copyWithin(to, from, end);
    },
  };
  const text = instrument(await policyText(name)).replace(/new U?[Ii]nt32Array/, `new ${words}`);
  const policy = new Function('arena', 'guard', `${text}\nreturn policy;`)(arena, guard) as Policy;
  return { policy, bytes, watch };
}
