/** What a bundled program says about its heaps in so many words: the policy it names, the arenas it takes. */
import { type AnyNode, type CallExpression, type Expression, type ObjectExpression, type Program, parse } from 'acorn';
import { ancestor, simple } from 'acorn-walk';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { isPolicyName, type PolicyName, policyNames } from '../src/policies/index.ts';

export interface HeapFacts {
  /** The policy named in `createHeap({ policy: '...' })`; undefined when none is. */
  policy: PolicyName | undefined;
  /** Bytes of each arena in the order of the text; null where the size is computed while the program runs. */
  arenasBytes: (number | null)[];
  /** There is one `createHeap`, and it runs once: outside of functions and loops. */
  isOnlyHeap: boolean;
  /** Its heaps are heaps of regions. */
  hasRegions: boolean;
  /** Bytes of each heap, all its regions, beside which safety keeps a table; none when the program uses no safety. */
  safeHeapsBytes: (number | null)[];
}

const plainHeap = /^createHeap\d*$/;
const regionHeap = /^createRegionHeap\d*$/;
const anyHeap = /^create(Region)?Heap\d*$/;

/** Reads the facts from the bundler's output. `inProgram` tells the user's code from the device's by position. */
export function heapFacts(code: string, inProgram: (line: number, column: number) => boolean): HeapFacts {
  const program = parse(code, { ecmaVersion: 2022, sourceType: 'module', locations: true });
  const constants = topLevelConstants(program);
  const names = new Set<string>();
  const arenasBytes: (number | null)[] = [];
  const heapsBytes: (number | null)[] = [];
  let mayRepeat = false;
  let heaps = 0;
  ancestor(program, {
    CallExpression(node, _, ancestors) {
      const isCreate = node.callee.type === 'Identifier' && anyHeap.test(node.callee.name);
      if (!isCreate || !inProgram(node.loc!.start.line - 1, node.loc!.start.column)) return;
      heaps++;
      mayRepeat ||= ancestors.some(({ type }) => /Function|^(For|While|DoWhile)|^Class/.test(type));
      const options = createHeapOptions(node);
      if (!options) {
        arenasBytes.push(null);
        heapsBytes.push(null);
        return;
      }
      const policy = propertyOf(options, 'policy');
      if (policy?.type === 'Literal') names.add(String(policy.value));
      const regions = propertyOf(options, 'regions');
      const memories = regions
        ? regionsBytes(regions, constants)
        : [{ bytes: bytesOf(options, constants), given: false }];
      arenasBytes.push(...memories.filter(({ given }) => !given).map(({ bytes }) => bytes));
      heapsBytes.push(memories.reduce<number | null>((sum, { bytes }) => added(sum, bytes), 0));
    },
  });
  const isOnlyHeap = heaps === 1 && !mayRepeat && mentionsIn(program, inProgram, anyHeap) === 1;
  const hasRegions = mentionsIn(program, inProgram, regionHeap) > 0;
  if (hasRegions && mentionsIn(program, inProgram, plainHeap) > 0)
    throw new Problem(
      exitCodes.badInput,
      'the program makes heaps of one arena and heaps of regions',
      ['it uses createHeap and createRegionHeap', 'a bundle holds one kind of heap'],
      'Make each heap with createRegionHeap: one region is a heap of one arena.',
    );
  const isSafe = mentionsIn(program, inProgram, /^createSafeHeap\d*$/) > 0;
  return { policy: onePolicy(names), arenasBytes, isOnlyHeap, hasRegions, safeHeapsBytes: isSafe ? heapsBytes : [] };
}

/** How often a function of the device code is mentioned by its user: another mention may be kept and called again. */
function mentionsIn(program: Program, inProgram: (line: number, column: number) => boolean, of: RegExp): number {
  let count = 0;
  simple(program, {
    Identifier({ name, loc }) {
      if (of.test(name) && inProgram(loc!.start.line - 1, loc!.start.column)) count++;
    },
  });
  return count;
}

/** What `bytes: ...` of an object says, null where it is computed while the program runs. */
function bytesOf(object: ObjectExpression, constants: ReadonlyMap<string, Expression>): number | null {
  const bytes = propertyOf(object, 'bytes');
  return bytes ? numberOf(bytes, constants) : null;
}

/** Bytes of each region, and whether its memory is given rather than taken from the engine. */
function regionsBytes(regions: AnyNode, constants: ReadonlyMap<string, Expression>): Memory[] {
  if (regions.type !== 'ArrayExpression') return [{ bytes: null, given: false }];
  return regions.elements.map((region) =>
    region?.type === 'ObjectExpression'
      ? { bytes: bytesOf(region, constants), given: propertyOf(region, 'buffer') !== undefined }
      : { bytes: null, given: false },
  );
}

interface Memory {
  bytes: number | null;
  given: boolean;
}

const added = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a + b);

/** The options of `createHeap({ ... })`. */
function createHeapOptions(node: CallExpression): ObjectExpression | undefined {
  const [options] = node.arguments;
  return options?.type === 'ObjectExpression' ? options : undefined;
}

function propertyOf(object: ObjectExpression, key: string): AnyNode | undefined {
  for (const property of object.properties)
    if (property.type === 'Property' && property.key.type === 'Identifier' && property.key.name === key)
      return property.value;
  return undefined;
}

/** Variables of the top level that begin with an expression: read only where they are constants in fact. */
function topLevelConstants(program: Program): Map<string, Expression> {
  const constants = new Map<string, Expression>();
  for (const statement of program.body) {
    if (statement.type !== 'VariableDeclaration') continue;
    for (const { id, init } of statement.declarations)
      if (id.type === 'Identifier' && init) constants.set(id.name, init);
  }
  const forget = (node: AnyNode): void => {
    if (node.type === 'Identifier') constants.delete(node.name);
  };
  simple(program, {
    AssignmentExpression: ({ left }) => forget(left),
    UpdateExpression: ({ argument }) => forget(argument),
  });
  return constants;
}

function numberOf(node: AnyNode, constants: ReadonlyMap<string, Expression>): number | null {
  if (node.type === 'Literal') return typeof node.value === 'number' ? node.value : null;
  if (node.type === 'Identifier') {
    const value = constants.get(node.name);
    return value ? numberOf(value, constants) : null;
  }
  if (node.type !== 'BinaryExpression') return null;
  const left = numberOf(node.left, constants);
  const right = numberOf(node.right, constants);
  if (left === null || right === null) return null;
  if (node.operator === '*') return left * right;
  if (node.operator === '+') return left + right;
  if (node.operator === '-') return left - right;
  return node.operator === '<<' ? left << right : null;
}

function onePolicy(names: ReadonlySet<string>): PolicyName | undefined {
  if (names.size > 1)
    throw new Problem(
      exitCodes.badInput,
      'the program names more than one policy',
      [`it names ${[...names].sort().join(', ')}`, 'a bundle holds one policy, for all of its heaps'],
      'Use one of them in every createHeap, or name it with --policy.',
    );
  const [name] = names;
  if (name === undefined) return undefined;
  if (!isPolicyName(name))
    throw new Problem(
      exitCodes.badInput,
      `the program asks for a policy "${name}", which is not there`,
      [],
      `The policies are ${policyNames.join(', ')}.`,
    );
  return name;
}
