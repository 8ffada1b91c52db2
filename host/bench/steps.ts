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
  /** Bytes of the block that is freed or resized, 0 for malloc. */
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
/** F: free blocks of a policy that joins them are one more than live ones at most; listed ones have 16 bytes. */
const listed: Bound = ({ live, arenaBytes }) => Math.min(live + 1, arenaBytes >> 4);
/** Words of the table of starts between a block's start and the next. */
const tableLoads: Bound = ({ heldBytes }) => (heldBytes >> 7) + 1;
/** W of trie-fit. */
const width = ({ arenaBytes }: BoundOf): number => 32 - Math.clz32(arenaBytes >> 3);
/** percore: two scans of all pages, one of the states in those that are for blocks, and the lists' heads. */
const pages = ({ arenaBytes }: BoundOf): number => arenaBytes >> 9;
const blockPages = (of: BoundOf): number => pages(of) - ((pages(of) * 35 + 735) >> 9);
const scans: Bound = (of) => 33 * blockPages(of) + 2 * pages(of) + 46;
/** Free runs of slab's pages, no two of which are neighbours. */
const runs: Bound = ({ arenaBytes }) => ((arenaBytes >> 8) + 1) >> 1;
/**
 * compact: seven times its handles. A new handle is made while a quarter of them and 8 are free at most, the others have
 * 8 bytes or more each, and every one 2: 8 (3/4 H - 8) + 2 H <= n.
 */
const tables: Bound = ({ arenaBytes }) => 7 * ((arenaBytes >> 3) + 8) + 8;
/** Lists of segregated: one a granule up to 65, then eight an octave. */
const lists = ({ arenaBytes }: BoundOf): number => {
  const granules = arenaBytes >> 3;
  const octave = 31 - Math.clz32(granules);
  return granules < 66 ? granules : 8 * octave + (granules >> (octave - 3)) + 10;
};
/** Two searches through lists, each with the blocks of one list of 528 bytes or more; between them one walk over all. */
const joinAndSearch: Bound = (of) => 3 * lists(of) + (of.arenaBytes >> 3) + 2 * (Math.floor(of.arenaBytes / 528) + 1);

const inList: StepBound = {
  text: 'F; F; 2 F and the words copied. F free blocks: at most L + 1 and n / 16',
  malloc: listed,
  free: listed,
  realloc: (of) => 2 * listed(of) + words(of),
};

/**
 * Loop steps that no call exceeds, for malloc; free; realloc. L: live blocks; n: bytes of the arena; h: bytes of the block
 * that is freed or resized. This is the one place where they are stated as numbers; test/allocator/steps.test.ts holds
 * every call to them, and each policy's comment derives its own.
 */
export const stepBounds: Record<PolicyName, StepBound> = {
  'first-fit': inList,
  'next-fit': inList,
  'best-fit': inList,
  tlsf: {
    text: 'no loop; no loop; the words copied',
    malloc: none,
    free: none,
    realloc: words,
  },
  'trie-fit': {
    text: '8 W + 10; 6 W + h / 128 + 11; 14 W + h / 128 + 21. W: bits of n / 8; a tree damaged from outside is made anew',
    malloc: (of) => 8 * width(of) + 10,
    free: (of) => 6 * width(of) + 10 + tableLoads(of),
    realloc: (of) => 14 * width(of) + 20 + tableLoads(of),
  },
  compact: {
    text: '7 H + 8; no loop; 7 H + 8. H handles: at most n / 8 + 8; without pins',
    malloc: tables,
    free: none,
    realloc: tables,
  },
  segregated: {
    text: '3 lists + n / 8 + n / 264 + 2; no loop; as malloc and the words copied. 106 lists in 16 KB, at most 201',
    malloc: joinAndSearch,
    free: none,
    realloc: (of) => joinAndSearch(of) + words(of),
  },
  percore: {
    text: '33 P + n / 256 + 46; h / 512; 34 P + n / 256 + 46. P pages of 512 bytes above the tables, each with 32 objects at most',
    malloc: scans,
    free: ({ heldBytes }) => heldBytes >> 9,
    realloc: (of) => scans(of) + blockPages(of),
  },
  buddy: {
    text: '30; 15; 45; n / 16 + 32 more for malloc and realloc after a write past a payload',
    malloc: () => 30,
    free: () => 15,
    realloc: () => 45,
  },
  slab: {
    text: '2 R + 16; no loop; as malloc. R free runs of pages: at most n / 512 + 1',
    malloc: (of) => 2 * runs(of) + 16,
    free: none,
    realloc: (of) => 2 * runs(of) + 16,
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
