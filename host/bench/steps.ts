/**
 * Loop steps of each call of a policy, and which of its branches ran: the policy's text with a counter at the start of
 * every loop's body and a mark in every branch. The contents that realloc moves are not counted where `moveBytes` moves
 * them; loops that copy words themselves are.
 */
import { type Node, parse } from 'acorn';
import { full } from 'acorn-walk';
import MagicString from 'magic-string';
import type { PolicyName } from '../../firmware/src/policies/index.ts';
import type { Policy } from '../../firmware/src/policy.ts';
import { policyText } from './host-policy.ts';

export interface CountedPolicy {
  policy: Policy;
  bytes: Uint8Array;
  /** Loop steps since it was last set to 0. */
  counter: { steps: number };
  /** One byte a branch, 1 when it ran since it was last cleared. */
  marks: Uint8Array;
}

/** What a bound depends on. */
export interface BoundOf {
  arenaBytes: number;
  /** Live blocks before the call. */
  live: number;
  /** Bytes of the block that is resized, 0 for the other calls. */
  heldBytes: number;
}

type Bound = (of: BoundOf) => number;

/** The statement, as docs/allocators.md prints it, and the same as a number. */
export interface StepBound {
  text: string;
  malloc: Bound;
  free: Bound;
  realloc: Bound;
}

const none: Bound = () => 0;
const words = ({ heldBytes }: BoundOf): number => heldBytes >> 2;
/** Free blocks of a policy that joins them: one more than live ones. */
const free: Bound = ({ live }) => live + 1;
/** Loads of the table of starts: one for each 128 bytes of the arena. */
const tableLoads: Bound = ({ arenaBytes }) => (arenaBytes >> 7) + 1;
/** W of trie-fit. */
const width = ({ arenaBytes }: BoundOf): number => 32 - Math.clz32(arenaBytes >> 3);
/** Every 8 bytes may be a block of a policy that keeps freed blocks apart. */
const anyBlocks: Bound = ({ arenaBytes }) => arenaBytes >> 3;

const inList: StepBound = {
  text: 'F + 1 for malloc and free, 2 F + 2 and the words copied for realloc; F free blocks, at most L + 1',
  malloc: (of) => free(of) + 1,
  free: (of) => free(of) + 1,
  realloc: (of) => 2 * free(of) + 2 + words(of),
};

/** Loop steps that no call exceeds. L: live blocks; n: bytes of the arena; test/allocator/steps.test.ts holds them. */
export const stepBounds: Record<PolicyName, StepBound> = {
  'first-fit': inList,
  'next-fit': inList,
  'best-fit': inList,
  tlsf: {
    text: 'no loop in malloc and free; the words copied for realloc',
    malloc: none,
    free: none,
    realloc: words,
  },
  'trie-fit': {
    text: '10 W for malloc, 12 W for free, 22 W for realloc, and n / 128 each; W bits of n / 8',
    malloc: (of) => 10 * width(of) + tableLoads(of),
    free: (of) => 12 * width(of) + tableLoads(of),
    realloc: (of) => 22 * width(of) + tableLoads(of),
  },
  compact: {
    text: '4 H + n / 8 + n / 128 for malloc, H for free, twice malloc for realloc; H handles, at most the most live ever',
    malloc: (of) => 6 * anyBlocks(of) + tableLoads(of),
    free: (of) => anyBlocks(of) + tableLoads(of),
    realloc: (of) => 12 * anyBlocks(of) + tableLoads(of),
  },
  segregated: {
    text: '3 (lists + n / 8) for malloc, none for free, the words copied more for realloc; at most 201 lists',
    malloc: (of) => 3 * (201 + anyBlocks(of)),
    free: none,
    realloc: (of) => 3 * (201 + anyBlocks(of)) + words(of),
  },
  percore: {
    text: '3 n / 512 and n / 16 for malloc, n / 512 for free, their sum for realloc, and 64',
    malloc: ({ arenaBytes }) => 3 * (arenaBytes >> 9) + (arenaBytes >> 4) + 64,
    free: ({ arenaBytes }) => (arenaBytes >> 9) + 64,
    realloc: ({ arenaBytes }) => 4 * (arenaBytes >> 9) + (arenaBytes >> 4) + 64,
  },
  buddy: {
    text: '32 for malloc, 16 for free, 48 for realloc',
    malloc: () => 32,
    free: () => 16,
    realloc: () => 48,
  },
  slab: {
    text: '2 R + 16 for malloc, n / 256 for free and realloc besides; R free runs of pages, at most n / 512',
    malloc: ({ arenaBytes }) => 2 * ((arenaBytes >> 9) + 1) + 16 + (arenaBytes >> 8),
    free: ({ arenaBytes }) => (arenaBytes >> 8) + 16,
    realloc: ({ arenaBytes }) => 2 * ((arenaBytes >> 9) + 1) + 32 + 2 * (arenaBytes >> 8),
  },
};

interface Branching extends Node {
  test?: Node;
  consequent?: Node;
  alternate?: Node | null;
  body?: Node;
  left?: Node;
  right?: Node;
}

/** The text with `counter.steps++` in each loop, `marks[i] = 1` in each branch; and how many marks there are. */
function instrument(text: string): { text: string; markCount: number } {
  const edited = new MagicString(text);
  let markCount = 0;
  const enter = (body: Node, first: string): void => {
    edited.prependLeft(body.start, `{${first}`);
    edited.appendRight(body.end, '}');
  };
  full(parse(text, { ecmaVersion: 2022 }), (node) => {
    const { type, consequent, alternate, body } = node as Branching;
    if (type === 'IfStatement') {
      enter(consequent!, `marks[${markCount++}]=1;`);
      if (alternate) enter(alternate, `marks[${markCount++}]=1;`);
      else edited.appendRight(node.end, ` else marks[${markCount++}]=1;`);
    } else if (type === 'ConditionalExpression') {
      for (const side of [consequent!, alternate!]) {
        edited.prependLeft(side.start, `(marks[${markCount++}]=1,`);
        edited.appendRight(side.end, ')');
      }
    } else if (type === 'WhileStatement' || type === 'ForStatement' || type === 'DoWhileStatement') {
      enter(body!, `counter.steps++;marks[${markCount++}]=1;`);
    }
  });
  return { text: edited.toString(), markCount };
}

/** The policy over an arena of its own of `arenaBytes` bytes, not yet formatted. */
export async function countedPolicy(name: PolicyName, arenaBytes: number): Promise<CountedPolicy> {
  const { text, markCount } = instrument(await policyText(name));
  const counter = { steps: 0 };
  const marks = new Uint8Array(markCount);
  const arena = new ArrayBuffer(arenaBytes);
  const policy = new Function('arena', 'counter', 'marks', `${text}\nreturn policy;`)(arena, counter, marks) as Policy;
  return { policy, bytes: new Uint8Array(arena), counter, marks };
}
