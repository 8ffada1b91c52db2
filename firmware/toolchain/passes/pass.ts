/**
 * A pass: from a text to a text that does the same, with a map that leads back to where each piece came from.
 *
 * Passes run one after another, each on the syntax tree of what the last one wrote. They may rely on the bundler: in its
 * output no inner name hides a top-level one.
 */
import { type AnyNode, type Program, parse } from 'acorn';
import MagicString from 'magic-string';
import { SourceMap } from '../source-map.ts';

/** A text, and the map from it to the files it was made of. */
export interface Stage {
  code: string;
  map: SourceMap;
}

/** What a pass works on. */
export interface Unit {
  program: Program;
  /** Edits go here. */
  text: MagicString;
  /** The device code's, not the program's own. */
  isDevice: (node: AnyNode) => boolean;
  /** The allocator's: while its functions run, every view of the arena stays what it was. */
  isAllocator: (node: AnyNode) => boolean;
}

/** Edits `text`; what it returns, if anything, is written in its place. */
export type Pass = (unit: Unit) => Pick<MagicString, 'toString' | 'generateDecodedMap'> | undefined;

/** What the passes call their input in the maps they make. */
export const bundleName = 'bundle.js';

/** How the paths of the device code begin in maps and site tables. */
export const devicePrefix = 'heapglass/';

/** Sources whose functions never bind another arena. */
const allocatorSources = /^heapglass\/src\/(policies\/.*|copy|bits)\.ts$/;

/** Runs the passes in their order. */
export function runPasses(stage: Stage, passes: readonly Pass[]): Stage {
  return passes.reduce(runPass, stage);
}

function runPass(stage: Stage, pass: Pass): Stage {
  const program = parse(stage.code, { ecmaVersion: 2022, sourceType: 'module', locations: true });
  const text = new MagicString(stage.code);
  const sourceOf = (node: AnyNode): string =>
    stage.map.trace(node.loc!.start.line - 1, node.loc!.start.column)?.source ?? '';
  const written =
    pass({
      program,
      text,
      isDevice: (node) => sourceOf(node).startsWith(devicePrefix),
      isAllocator: (node) => allocatorSources.test(sourceOf(node)),
    }) ?? text;
  if (written === text && !text.hasChanged()) return stage;
  const map = written.generateDecodedMap({ hires: 'boundary', includeContent: false, source: bundleName });
  return followed(stage, { code: written.toString(), map: new SourceMap(map) });
}

/** What `later` made of a stage, mapped to where the stage itself came from. */
export function followed(stage: Stage, later: Stage): Stage {
  return { code: later.code, map: stage.map.followedBy(later.map) };
}
