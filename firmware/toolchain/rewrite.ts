/**
 * The pass between bundling and minifying: what the bundler cannot do, done on the syntax tree.
 *
 *   call sites   p = heap.malloc(24)            =>  p = heap.malloc(24, 3)        3 is in the site table
 *   constants    u32[LIST_HEAD] = HEADER_BYTES  =>  u32[0] = 4                    a name costs a look-up on both engines
 *   comparisons  if (next !== 0)                =>  if (next)                     in the device code (comparisons.ts)
 *   methods      { malloc, memalign, ... }      =>  { malloc, ... }               those the program never names
 *   older words  { f(a) {} }                    =>  { f: function(a) {} }         where the engine has no methods
 *   require      __require("Storage")           =>  require("Storage")            the board's own modules
 *   exports      export { run }                 =>  global.run = run
 *
 * Relies on the bundler: within its output no inner name hides a top-level one.
 */
import { type AnyNode, type CallExpression, type Identifier, type Program, parse } from 'acorn';
import { ancestor, simple } from 'acorn-walk';
import MagicString from 'magic-string';
import { shortenComparisons } from './passes/comparisons.ts';
import { bundleName } from './passes/pass.ts';
import { dropUnusedViews } from './passes/unused-views.ts';
import { type Position, SourceMap } from './source-map.ts';

/** A place in the user's program that asks the heap for memory. Lines and columns start at 1. */
export interface Site {
  /** The number that travels on the wire; 0 is no site, so the first one is 1. */
  site: number;
  file: string;
  line: number;
  column: number;
  call: string;
}

export interface RewriteOptions {
  /** Where a position of the code came from; null for generated code. */
  origin: SourceMap;
  /** Whether a source file is the user's program (its calls get sites). */
  isProgram: (source: string) => boolean;
  /** Adds site numbers to the program's calls. */
  withSites: boolean;
  /** Longest number, in characters, that takes a constant's place. */
  constantCharacters: number;
  /** Names that stand for numbers which only the bundler's output determines. */
  placeholders: Readonly<Record<string, number>>;
  /** Heap methods to keep although the program does not name them; 'all' keeps every one. */
  keepMethods: readonly string[] | 'all';
  /** A program whose top-level names are its own to keep: only syntax is rewritten. */
  script: boolean;
  /** Writes methods as properties with functions, for engines without them. */
  methodsAsFunctions: boolean;
}

export interface Rewritten {
  code: string;
  map: SourceMap;
  sites: Site[];
}

/** Arguments of each call before the site. */
const argumentsBeforeSite: Readonly<Record<string, number>> = { malloc: 1, calloc: 2, realloc: 2, memalign: 2 };

export function rewrite(code: string, options: RewriteOptions): Rewritten {
  const sourceType = options.script ? 'script' : 'module';
  const program = parse(code, { ecmaVersion: 2022, sourceType, locations: true });
  const text = new MagicString(code);
  const originOf = (node: AnyNode): Position | null =>
    options.origin.trace(node.loc!.start.line - 1, node.loc!.start.column);
  const inProgram = (node: AnyNode): boolean => {
    const origin = originOf(node);
    return origin !== null && options.isProgram(origin.source);
  };
  if (options.methodsAsFunctions) lowerMethods(program, text);
  const sites = options.withSites ? addSites(program, text, originOf, options.isProgram) : [];
  if (!options.script) {
    restoreRequire(program, text);
    fillPlaceholders(program, text, options.placeholders);
    exportsToGlobals(program, text);
    inlineConstants(program, text, code, options.constantCharacters);
    dropUnusedViews(program, text);
    const sourceOf = (node: AnyNode): string => originOf(node)?.source ?? '';
    shortenComparisons(
      program,
      text,
      (node) => !options.isProgram(sourceOf(node)) && sourceOf(node) !== '',
      (node) => /\/policies\//.test(sourceOf(node)) && !options.isProgram(sourceOf(node)),
    );
    if (options.keepMethods !== 'all') dropMethods(program, text, inProgram, new Set(options.keepMethods));
  }
  const map = text.generateDecodedMap({ hires: 'boundary', includeContent: false, source: bundleName });
  return {
    code: text.toString(),
    map: new SourceMap(map),
    sites,
  };
}

/** The bundler's stand-in for `require` probes for things the engines lack; both have `require` itself. */
function restoreRequire(program: Program, text: MagicString): void {
  for (const statement of program.body) {
    if (statement.type !== 'VariableDeclaration' || statement.declarations.length !== 1) continue;
    const { id } = statement.declarations[0]!;
    if (id.type === 'Identifier' && id.name === '__require') text.remove(statement.start, statement.end);
  }
  simple(program, {
    Identifier(node) {
      if (node.name === '__require') text.update(node.start, node.end, 'require');
    },
  });
}

/** `{ f(a) {} }` => `{ f: function(a) {} }`. Methods that use `super` stay as they are, for subset.ts to refuse. */
function lowerMethods(program: Program, text: MagicString): void {
  simple(program, {
    Property(node) {
      if (node.method && !node.computed) text.appendLeft(node.key.end, ': function');
    },
  });
}

function fillPlaceholders(program: Program, text: MagicString, placeholders: Readonly<Record<string, number>>): void {
  simple(program, {
    Identifier(node) {
      if (Object.hasOwn(placeholders, node.name)) text.update(node.start, node.end, String(placeholders[node.name]));
    },
  });
}

/** What the entry module exports becomes global: the prompt and other programs can call it. */
function exportsToGlobals(program: Program, text: MagicString): void {
  for (const statement of program.body) {
    if (statement.type !== 'ExportNamedDeclaration') continue;
    const assignments = statement.specifiers.map((specifier) => {
      const local = specifier.local as Identifier;
      const exported = specifier.exported as Identifier;
      return `global.${exported.name} = ${local.name};`;
    });
    text.update(statement.start, statement.end, assignments.join('\n'));
  }
}

function heapCall(node: CallExpression): string | undefined {
  const { callee } = node;
  if (callee.type !== 'MemberExpression' || callee.computed || callee.property.type !== 'Identifier') return undefined;
  const { name } = callee.property;
  return Object.hasOwn(argumentsBeforeSite, name) ? name : undefined;
}

/** Numbers the sites in the order of the source, whatever order the modules were bundled in. A site the program passes itself stays. */
function addSites(
  program: Program,
  text: MagicString,
  originOf: (node: AnyNode) => Position | null,
  isProgram: (source: string) => boolean,
): Site[] {
  const found: { site: Site; insertAt: number }[] = [];
  simple(program, {
    CallExpression(node) {
      const call = heapCall(node);
      if (call === undefined || node.arguments.length !== argumentsBeforeSite[call]) return;
      if (node.arguments.some((argument) => argument.type === 'SpreadElement')) return;
      const origin = originOf(node);
      if (!origin || !isProgram(origin.source)) return;
      found.push({
        site: { site: 0, file: origin.source, line: origin.line + 1, column: origin.column + 1, call },
        insertAt: node.arguments.at(-1)!.end,
      });
    },
  });
  found.sort(({ site: a }, { site: b }) => compare(a.file, b.file) || a.line - b.line || a.column - b.column);
  for (const [index, { site, insertAt }] of found.entries()) {
    site.site = index + 1;
    text.appendLeft(insertAt, `, ${site.site}`);
  }
  return found.map(({ site }) => site);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Top-level variables that hold a short number and are never assigned again. */
function inlineConstants(program: Program, text: MagicString, code: string, maxCharacters: number): void {
  const constants = new Map<string, string>();
  const declarations = new Set<Identifier>();
  for (const statement of program.body) {
    if (statement.type !== 'VariableDeclaration') continue;
    for (const { id, init } of statement.declarations) {
      if (id.type !== 'Identifier' || init?.type !== 'Literal' || typeof init.value !== 'number') continue;
      const literal = code.slice(init.start, init.end);
      if (literal.length > maxCharacters) continue;
      constants.set(id.name, literal);
      declarations.add(id);
    }
  }
  const notConstant = (node: AnyNode | null | undefined): void => {
    if (node?.type === 'Identifier' && !declarations.has(node)) constants.delete(node.name);
  };
  // Any other binding or assignment of the same name: leave it alone.
  simple(program, {
    AssignmentExpression: (node) => notConstant(node.left),
    UpdateExpression: (node) => notConstant(node.argument),
    VariableDeclarator: (node) => notConstant(node.id),
    Function(node) {
      notConstant(node.id);
      for (const parameter of node.params) simple(parameter, { Pattern: notConstant });
    },
    Pattern: notConstant,
  });
  ancestor(program, {
    Identifier(node, _, ancestors) {
      const literal = constants.get(node.name);
      if (literal === undefined || declarations.has(node)) return;
      const parent = ancestors.at(-2);
      // `{ LIMIT }` stays as it is: a shorthand's text is both key and value.
      if (parent?.type === 'Property' && parent.shorthand) return;
      text.update(node.start, node.end, literal);
    },
  });
}

/** Every name that something in a node is looked up by: what follows a dot, and what the program writes down otherwise. */
function namesUsed(
  node: AnyNode,
  inProgram: (node: AnyNode) => boolean,
  visit: (name: string, at: AnyNode) => void,
): void {
  simple(node, {
    MemberExpression({ property }) {
      if (property.type === 'Identifier') visit(property.name, property);
    },
    Property(property) {
      if (property.key.type === 'Identifier' && inProgram(property)) visit(property.key.name, property);
    },
    Literal(literal) {
      if (typeof literal.value === 'string' && inProgram(literal)) visit(literal.value, literal);
    },
  });
}

/**
 * Takes what nothing looks up out of the objects that the device code makes, so that the minifier drops the code behind
 * it. Only objects with methods: a record of figures is for the program to print.
 */
function dropMethods(
  program: Program,
  text: MagicString,
  inProgram: (node: AnyNode) => boolean,
  keep: ReadonlySet<string>,
): void {
  const candidates: Candidate[] = [];
  simple(program, {
    ReturnStatement(node) {
      const object = node.argument;
      if (object?.type !== 'ObjectExpression' || inProgram(node)) return;
      const { properties } = object;
      if (!properties.some((property) => property.type === 'Property' && property.value.type === 'FunctionExpression'))
        return;
      properties.forEach((property, i) => {
        if (property.type !== 'Property' || property.key.type !== 'Identifier') return;
        const end = properties[i + 1]?.start ?? property.end;
        candidates.push({ key: property.key.name, start: property.start, end, names: new Set() });
      });
    },
  });
  // A name that only methods use which are dropped themselves does not keep another: `free: heap.free`.
  const used = new Set(keep);
  namesUsed(program, inProgram, (name, { start }) => {
    const within = candidates.findLast((candidate) => candidate.start <= start && start < candidate.end);
    (within ? within.names : used).add(name);
  });
  const left = new Set(candidates);
  for (let found = true; found; ) {
    found = false;
    for (const candidate of left)
      if (used.has(candidate.key)) {
        left.delete(candidate);
        for (const name of candidate.names) used.add(name);
        found = true;
      }
  }
  for (const { start, end } of left) text.remove(start, end);
}

/** A property of an object that the device code makes, with the names that its value uses. */
interface Candidate {
  key: string;
  start: number;
  end: number;
  names: Set<string>;
}
