/** The bundler's own shortening: statements, then names and spaces, in words that the board's engine has. */
import { type TransformOptions, transform } from 'esbuild';
import type { Board } from '../../boards/board.ts';
import type { Bundle, BundleOptions } from './bundle.ts';
import type { Stage } from './passes/pass.ts';
import { type RawSourceMap, SourceMap } from './source-map.ts';

/**
 * New syntax that the bundler can write in older words. Neither engine has the first two; boards built SAVE_ON_FLASH
 * also lack arrow functions and template literals (and methods and shorthand properties: see rewrite.ts). What cannot
 * be rewritten is left for subset.ts to refuse.
 */
export function loweredSyntax(board: Board): Record<string, boolean> {
  const lowered: Record<string, boolean> = { 'optional-chain': false, 'logical-assignment': false };
  if (board.engine === 'espruino') lowered['exponent-operator'] = false;
  if (!board.features.modernSyntax) {
    lowered.arrow = false;
    lowered['template-literal'] = false;
  }
  return lowered;
}

const transformSettings: TransformOptions = {
  loader: 'js',
  charset: 'utf8',
  legalComments: 'none',
  sourcemap: 'external',
  sourcesContent: false,
};

/** What a constant decides is decided: before functions are inlined into branches that never run. */
export function settle(code: string, { board }: BundleOptions, constants: Record<string, number>): Promise<Stage> {
  const define = Object.fromEntries(Object.entries(constants).map(([name, value]) => [name, String(value)]));
  return transformed(code, board, {
    ...transformSettings,
    define,
    minifySyntax: true,
    format: 'esm',
    treeShaking: true,
  });
}

/** Shorter statements, nothing that is not used, and the names as they are. */
export function shorten(code: string, { board, minify = true }: BundleOptions): Promise<Stage> {
  return transformed(code, board, { ...transformSettings, minifySyntax: minify, format: 'esm', treeShaking: true });
}

/** One-letter names and no spaces; a script is shortened as well, and keeps its top-level names. */
export function minify(code: string, { board, minify = true }: BundleOptions, kind: Bundle['kind']): Promise<Stage> {
  return transformed(code, board, {
    ...transformSettings,
    minifyWhitespace: minify,
    minifyIdentifiers: minify,
    minifySyntax: minify && kind === 'script',
    // Names of the top level are the module's own on Espruino; on Kaluma they lie in the closure.
    ...(kind === 'module' && board.engine === 'espruino' && { format: 'esm' }),
  });
}

async function transformed(code: string, board: Board, options: TransformOptions): Promise<Stage> {
  const settings = { ...options, supported: loweredSyntax(board) };
  // Shorthand properties must not come back. The minifier then also refuses classes and computed keys, but without
  // their place in the user's source: those are let through here, and refused by subset.ts.
  const older = { ...settings, supported: { ...settings.supported, 'object-extensions': false } };
  const result = board.features.modernSyntax
    ? await transform(code, settings)
    : await transform(code, older).catch(() => transform(code, settings));
  return { code: result.code, map: new SourceMap(JSON.parse(result.map) as RawSourceMap) };
}
