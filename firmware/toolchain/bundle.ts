/**
 * From a user's program to the text that is flashed.
 *
 *   1  bundle    imports resolved; 'heapglass' is the device code, with one policy and one level of telemetry in it
 *   2  inline    functions of the device code, in place of their calls (passes/inline.ts, inline-sequences.ts)
 *   3  rewrite   call sites numbered, constants inlined, unused methods dropped (rewrite.ts)
 *   4  shorten   shorter statements, and nothing that is not used
 *   5  speed     what costs the engine less, in the engine's form (speed.ts): statements at top level on Espruino, where
 *                depth costs a look-up a level; one closure on Kaluma, where a global is searched for linearly
 *   6  minify    one-letter names, no spaces
 *
 * A program without imports and exports is a plain script: it is minified only, and its top-level names stay global.
 * The result depends on the sources and options alone. Its source map leads back to the user's files.
 */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type { Board } from '../../boards/board.ts';
import type { PolicyName } from '../src/policies/index.ts';
import { type Built, bundleModules, isProgram } from './bundle-modules.ts';
import { minify, settle, shorten } from './minify.ts';
import type { Cpu } from './native/compile.ts';
import { inlineFunctions } from './passes/inline.ts';
import { inlineSequences } from './passes/inline-sequences.ts';
import { followed, runPasses, type Stage } from './passes/pass.ts';
import { rewrite, type Site } from './rewrite.ts';
import type { RawSourceMap } from './source-map.ts';
import { speedPasses } from './speed.ts';

export { checkSyntax } from './program-text.ts';
export type { Site } from './rewrite.ts';

/** One operation in 16 is told at `sampled`, totals alone at `counters`. */
export type TelemetryLevel = 'events' | 'sampled' | 'counters' | 'off';

export interface BundleOptions {
  /** Path of the program, .js or .ts. */
  entry: string;
  /** The program's text, when it is not the file's (a program made by a tool). Imports resolve from the entry's folder. */
  source?: string;
  board: Board;
  /** The policy to use; without it the one that the program names as a literal, else the default. */
  policy?: PolicyName;
  telemetry?: TelemetryLevel;
  /** The policy as machine code (native-policy.ts); a Problem where the board or the policy has none. */
  native?: boolean;
  /** Heap methods to keep although the program does not name them, for use at the prompt. */
  keepMethods?: readonly string[] | 'all';
  /** Off: readable names and layout, for looking at. */
  minify?: boolean;
}

export interface Bundle {
  /** What is flashed. */
  code: string;
  /** Tells bundles apart: sent in every hello, so that a monitor finds the site table. Not 0, below 2^27. */
  id: number;
  /** From `code` to the user's files, whose paths are relative to the entry's folder. */
  map: RawSourceMap;
  /** Length of `code` in UTF-8. */
  bytes: number;
  sites: Site[];
  policy: PolicyName;
  /** A script keeps its top-level names global. */
  kind: 'module' | 'script';
  /** Whether the program imports 'heapglass'. */
  usesHeap: boolean;
  /** Bytes of the arenas it takes; null for one whose size is computed while it runs. */
  arenasBytes: (number | null)[];
  /** Every file of the user's that it was made of, those of which nothing is left included; absolute. */
  files: string[];
  /** The processor that the policy was compiled for, and the bytes of its code; null where it is interpreted. */
  native: { cpu: Cpu; blobBytes: number } | null;
  /** Bytes of each heap beside which lies a table of blocks (createSafeHeap). */
  safeHeapsBytes: (number | null)[];
}

/** Bundles a program for a board. A Problem with file and line when the program cannot be read or resolved. */
export async function bundle(options: BundleOptions): Promise<Bundle> {
  const entry = resolve(options.entry);
  const level = options.telemetry ?? 'events';
  const built = await bundleModules(options, entry, level);
  const settled = built.kind === 'module' ? await settledModules(built, options) : built;
  const id = bundleId(settled.code);
  const inlined = built.kind === 'module' ? inlineSequences(inlineFunctions(settled), options.board.engine) : settled;
  const rewritten = rewrite(inlined.code, {
    origin: inlined.map,
    isProgram,
    withSites: level !== 'off' && built.usesHeap,
    placeholders: { HEAPGLASS_BUNDLE_ID: id },
    constantCharacters: options.board.engine === 'espruino' ? espruinoConstantCharacters : Number.POSITIVE_INFINITY,
    keepMethods: options.keepMethods ?? [],
    script: built.kind === 'script',
    methodsAsFunctions: !options.board.features.modernSyntax,
  });
  let stage = followed(inlined, rewritten);
  if (built.kind === 'module') {
    const shortened = await shorten(stage.code, options);
    stage = runPasses(followed(stage, shortened), speedPasses[options.board.engine]);
  }
  const minified = await minify(stage.code, options, built.kind);
  stage = followed(stage, minified);
  return {
    code: stage.code,
    id,
    map: stage.map.raw,
    bytes: Buffer.byteLength(stage.code),
    sites: rewritten.sites,
    policy: built.policy,
    kind: built.kind,
    usesHeap: built.usesHeap,
    arenasBytes: built.arenasBytes,
    files: built.files,
    native: built.native,
    safeHeapsBytes: built.safeHeapsBytes,
  };
}

/** Without what the number of heaps decides, and without the bundler's comments, which name folders of this machine. */
async function settledModules(built: Built, options: BundleOptions): Promise<Stage> {
  return followed(built, await settle(built.code, options, { HEAPGLASS_ONLY_HEAP: built.isOnlyHeap ? 1 : 0 }));
}

function bundleId(code: string): number {
  return createHash('sha256').update(code).digest().readUInt32BE() & 0x7ffffff || 1;
}

/** On Espruino a number is read from text each time: a longer one is no cheaper than a one-letter name, and larger. */
const espruinoConstantCharacters = 4;
