/**
 * The passes that make the device code cheaper to interpret, each for the engine whose costs it knows. They change no
 * result; test/toolchain/speed.test.ts holds each to that.
 *
 *   variables   let head = u16[0];      =>  var head = u16[0];           Espruino: a block's variables are a scope more,
 *                                                                        made at each run and searched at each look-up
 *   views       u16[a]; u16[b]; ...     =>  let view = u16; view[a]; ... Kaluma: a register instead of a search, in
 *                                                                        functions that look often enough
 *   layout      names in the order in which they are looked up (layout.ts)
 */
import { type AnyNode, type Program, parse } from 'acorn';
import { simple } from 'acorn-walk';
import MagicString from 'magic-string';
import { type Hotness, hotnessOf } from './hotness.ts';
import { bundleName, layOutClosure, layOutStatements } from './layout.ts';
import { childrenOf, type FunctionNode, isFunction } from './nodes.ts';
import { blockShadows } from './scopes.ts';
import type { RawSourceMap } from './source-map.ts';

export interface SpeedOptions {
  engine: 'espruino' | 'kaluma';
  /** Where a piece of code came from, by its place in the text: lines from 0. */
  sourceOf: (line: number, column: number) => string;
  /** Whether a source is the device code's. */
  isDevice: (source: string) => boolean;
}

/** Makes the bundler's output cheaper to run. Returns it in the engine's form: statements, or one closure. */
export function speedUp(code: string, options: SpeedOptions): { code: string; map: RawSourceMap } {
  const program = parse(code, { ecmaVersion: 2022, sourceType: 'module', locations: true });
  const text = new MagicString(code);
  const sourceOf = (node: AnyNode): string => options.sourceOf(node.loc!.start.line - 1, node.loc!.start.column);
  const isDevice = (node: AnyNode): boolean => options.isDevice(sourceOf(node));
  const hotness = hotnessOf(program, isDevice);
  let laidOut: Pick<MagicString, 'toString' | 'generateMap'> = text;
  if (options.engine === 'espruino') {
    functionVariables(program, text, isDevice);
    laidOut = layOutStatements(program, text, hotness, isDevice);
  } else {
    viewsInRegisters(program, text, hotness, (node) => isDevice(node) && isAllocatorSource(sourceOf(node)));
    layOutClosure(program, text, hotness, isDevice);
  }
  const map = laidOut.generateMap({ hires: 'boundary', includeContent: false, source: bundleName });
  return {
    code: laidOut.toString(),
    map: { version: 3, sources: map.sources, names: map.names, mappings: map.mappings },
  };
}

/** Sources whose functions never bind another arena: a view stays what it was while they run. */
const isAllocatorSource = (source: string): boolean => /\/src\/(policies\/.*|copy|bits)\.ts$/.test(source);

/**
 * `let` as `var`, where the two mean the same: a value is given at each run of the declaration, no enclosing block
 * declares the name too, and no inner function keeps it.
 */
function functionVariables(program: Program, text: MagicString, isDevice: (node: AnyNode) => boolean): void {
  const shadows = new Set(blockShadows(program));
  simple(program, {
    Function(node) {
      const fn = node as FunctionNode;
      if (!isDevice(fn) || containsFunction(fn.body)) return;
      simple(fn.body, {
        VariableDeclaration(declaration) {
          const { kind, declarations, start } = declaration;
          if (kind === 'var' || declarations.some(({ id, init }) => !init || shadows.has(id))) return;
          text.update(start, start + kind.length, 'var');
        },
      });
    },
  });
}

const containsFunction = (node: AnyNode): boolean =>
  childrenOf(node).some((child) => isFunction(child) || containsFunction(child));

/** Look-ups of a view in one run of a function that pay for a register: 137 cycles are saved for each, 450 spent. */
const lookUpsForRegister = 5;

/** Keeps views of the arena that a function looks up often in a variable of its own. */
function viewsInRegisters(
  program: Program,
  text: MagicString,
  hotness: Hotness,
  isAllocator: (node: AnyNode) => boolean,
): void {
  const views = viewNames(program);
  for (const fn of program.body) {
    if (fn.type !== 'FunctionDeclaration' || !isAllocator(fn) || containsFunction(fn.body)) continue;
    for (const view of views) {
      if (hotness.inFunction(fn, view) < lookUpsForRegister) continue;
      const name = `${view}InRegister`;
      text.appendLeft(fn.body.start + 1, `let ${name} = ${view};`);
      simple(fn.body, {
        Identifier(use) {
          if (use.name === view) text.update(use.start, use.end, name);
        },
      });
    }
  }
}

/** Variables of the top level that hold a view of the arena. */
function viewNames(program: Program): string[] {
  return program.body.flatMap((statement) =>
    statement.type !== 'VariableDeclaration'
      ? []
      : statement.declarations.flatMap(({ id, init }) =>
          id.type === 'Identifier' &&
          init?.type === 'NewExpression' &&
          init.callee.type === 'Identifier' &&
          /^Uint(8|16|32)Array$/.test(init.callee.name)
            ? [id.name]
            : [],
        ),
  );
}
