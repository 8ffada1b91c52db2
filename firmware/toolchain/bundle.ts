/**
 * From a user's program to the text that is flashed.
 *
 *   1  bundle    imports resolved; 'heapglass' is the device code, with one policy and one level of telemetry in it
 *   2  inline    small functions of the device code, in place of their calls (inline.ts)
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
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';

import { type BuildFailure, type BuildOptions, build, type Loader, type TransformOptions, transform } from 'esbuild';
import type { Board } from '../../boards/board.ts';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { packageRoot } from '../../boards/root.ts';
import { defaultPolicyName, type PolicyName, policyId } from '../src/policies/index.ts';
import { ENGINE_ESPRUINO, ENGINE_KALUMA } from '../src/port.ts';
import { LEVEL_COUNTERS, LEVEL_EVENTS, LEVEL_OFF, LEVEL_SAMPLED } from '../wire/format.ts';
import { deviceFolder, deviceModules, movesBlocks, virtualNamespace } from './device-modules.ts';
import type { Cpu } from './native/compile.ts';
import { type NativePolicy, nativePolicy } from './native-policy.ts';
import { inlineFunctions } from './passes/inline.ts';
import { inlineSequences } from './passes/inline-sequences.ts';
import { devicePrefix, followed, runPasses, type Stage } from './passes/pass.ts';
import { heapFacts } from './program-facts.ts';
import { programModules } from './program-modules.ts';
import { rewrite, type Site } from './rewrite.ts';
import { type RawSourceMap, SourceMap } from './source-map.ts';
import { speedPasses } from './speed.ts';

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

/** Whether a source is the user's: not the device code, not the bundler's own. */
const isProgram = (source: string | undefined): boolean => source !== undefined && !source.startsWith(devicePrefix);

/**
 * New syntax that the bundler can write in older words. Neither engine has the first two; boards built SAVE_ON_FLASH
 * also lack arrow functions and template literals (and methods and shorthand properties: see rewrite.ts). What cannot
 * be rewritten is left for subset.ts to refuse.
 */
function loweredSyntax(board: Board): Record<string, boolean> {
  const lowered: Record<string, boolean> = { 'optional-chain': false, 'logical-assignment': false };
  if (board.engine === 'espruino') lowered['exponent-operator'] = false;
  if (!board.features.modernSyntax) {
    lowered.arrow = false;
    lowered['template-literal'] = false;
  }
  return lowered;
}

/** Bundles a program for a board. A Problem with file and line when the program cannot be read or resolved. */
export async function bundle(options: BundleOptions): Promise<Bundle> {
  const entry = resolve(options.entry);
  const level = options.telemetry ?? 'events';
  const built = await bundleModules(options, entry, level);
  const id = bundleId(built.code);
  const inlined =
    built.kind === 'module'
      ? inlineSequences(
          inlineFunctions(built.code, built.map, (source) => !isProgram(source)),
          options.board.engine,
        )
      : built;
  const rewritten = rewrite(inlined.code, {
    origin: new SourceMap(inlined.map),
    isProgram,
    withSites: level !== 'off' && built.usesHeap,
    placeholders: { HEAPGLASS_BUNDLE_ID: id, HEAPGLASS_ONLY_HEAP: built.isOnlyHeap ? 1 : 0 },
    constantCharacters: options.board.engine === 'espruino' ? espruinoConstantCharacters : Number.POSITIVE_INFINITY,
    keepMethods: options.keepMethods ?? [],
    script: built.kind === 'script',
    methodsAsFunctions: !options.board.features.modernSyntax,
  });
  let stage = followed(inlined, rewritten.code, rewritten.map);
  if (built.kind === 'module') {
    const shortened = await shorten(stage.code, options);
    stage = runPasses(followed(stage, shortened.code, shortened.map), speedPasses[options.board.engine]);
  }
  const minified = await minify(stage.code, options, built.kind);
  stage = followed(stage, minified.code, minified.map);
  return {
    code: stage.code,
    id,
    map: stage.map,
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

/** A Problem with file and line when the program does not parse: what is wrong with it whatever the board. */
export async function checkSyntax(entry: string): Promise<void> {
  try {
    const loader = loaderOf(entry);
    await transform(await readFile(entry, 'utf8'), { loader, sourcefile: basename(entry), logLevel: 'silent' });
  } catch (error) {
    throw asProblem(error as BuildFailure, entry);
  }
}

function bundleId(code: string): number {
  return createHash('sha256').update(code).digest().readUInt32BE() & 0x7ffffff || 1;
}

const transformSettings: TransformOptions = {
  loader: 'js',
  charset: 'utf8',
  legalComments: 'none',
  sourcemap: 'external',
  sourcesContent: false,
};

/** Shorter statements, nothing that is not used, and the names as they are. */
function shorten(code: string, { board, minify = true }: BundleOptions): Promise<Stage> {
  return transformed(code, board, { ...transformSettings, minifySyntax: minify, format: 'esm', treeShaking: true });
}

/** One-letter names and no spaces; a script is shortened as well, and keeps its top-level names. */
function minify(code: string, { board, minify = true }: BundleOptions, kind: Bundle['kind']): Promise<Stage> {
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
  return { code: result.code, map: JSON.parse(result.map) as RawSourceMap };
}

/** On Espruino a number is read from text each time: a longer one is no cheaper than a one-letter name, and larger. */
const espruinoConstantCharacters = 4;

interface Built {
  code: string;
  map: RawSourceMap;
  policy: PolicyName;
  kind: Bundle['kind'];
  usesHeap: boolean;
  arenasBytes: (number | null)[];
  files: string[];
  native: Bundle['native'];
  isOnlyHeap: boolean;
  safeHeapsBytes: (number | null)[];
}

async function bundleModules(options: BundleOptions, entry: string, level: TelemetryLevel): Promise<Built> {
  let policy = options.policy ?? defaultPolicyName;
  let result = await buildWith(options, entry, policy, level, false);
  const { inputs } = result;
  const program = inputs[basename(entry)];
  const usesHeap = Object.keys(inputs).some((path) => resolve(dirname(entry), path) === join(deviceFolder, 'heap.ts'));
  // Paths of other kinds are names of plugins.
  const files = Object.keys(inputs)
    .map((path) => resolve(dirname(entry), path))
    .filter((path) => existsSync(path) && !path.startsWith(deviceFolder));
  if (program?.format !== 'esm' && !program?.imports.some(({ external }) => !external))
    return {
      ...(await scriptOf(options, entry)),
      policy,
      kind: 'script',
      usesHeap,
      arenasBytes: [],
      files,
      native: null,
      isOnlyHeap: false,
      safeHeapsBytes: [],
    };
  const origin = new SourceMap(result.map);
  const facts = heapFacts(result.code, (line, column) => isProgram(origin.trace(line, column)?.source));
  const named = options.policy ?? facts.policy ?? policy;
  if (named !== policy || facts.hasRegions) {
    policy = named;
    result = await buildWith(options, entry, policy, level, facts.hasRegions);
  }
  const { arenasBytes, isOnlyHeap, safeHeapsBytes } = facts;
  const native = usesHeap && result.native ? { cpu: result.native.cpu, blobBytes: result.native.blobBytes } : null;
  return {
    code: result.code,
    map: result.map,
    policy,
    kind: 'module',
    usesHeap,
    arenasBytes,
    native,
    files,
    isOnlyHeap,
    safeHeapsBytes,
  };
}

type Inputs = Record<string, { format?: 'cjs' | 'esm'; imports: { external?: boolean }[] }>;

async function buildWith(
  options: BundleOptions,
  entry: string,
  policy: PolicyName,
  level: TelemetryLevel,
  regions: boolean,
): Promise<{ code: string; map: RawSourceMap; inputs: Inputs; native: NativePolicy | null }> {
  const { board, source } = options;
  // Regions are not compiled.
  const native = options.native && !regions ? nativePolicy(policy, board) : null;
  const root = dirname(entry);
  const program = { contents: source ?? '', resolveDir: root, sourcefile: basename(entry), loader: loaderOf(entry) };
  const settings: BuildOptions = {
    ...(source === undefined ? { entryPoints: [entry] } : { stdin: program }),
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    outfile: join(root, 'bundle.js'),
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    charset: 'utf8',
    legalComments: 'none',
    sourcemap: 'external',
    sourcesContent: false,
    minifySyntax: true,
    logLevel: 'silent',
    supported: loweredSyntax(board),
    // Machine code does not tell what it moves.
    define: constants(board, policy, native && movesBlocks(policy) && level !== 'off' ? 'counters' : level),
    plugins: [
      deviceModules(policy, level !== 'off', board, { regions, native: native?.module ?? null }),
      programModules,
    ],
  };
  try {
    const { outputFiles, metafile } = await build(settings);
    const text = (end: string): string => outputFiles!.find(({ path }) => path.endsWith(end))!.text;
    const map = JSON.parse(text('.map')) as RawSourceMap;
    map.sources = map.sources.map((path) => nameOf(path ?? '', root));
    return { code: text('.js'), map, inputs: metafile!.inputs, native };
  } catch (error) {
    throw asProblem(error as BuildFailure, entry);
  }
}

/** What the device code knows as constants; those of an absent telemetry are not looked at. */
function constants(board: Board, policy: PolicyName, level: TelemetryLevel): Record<string, string> {
  const { kind, bytesPerSecond, outputBufferBytes } = board.console;
  // A USB line takes a few frames' worth as fast as it is given; a serial port takes its buffer.
  const usbBurstBytes = Math.floor((bytesPerSecond * usbBurstMs) / 1000);
  const burstBytes = kind === 'uart' ? outputBufferBytes : Math.max(outputBufferBytes ?? 0, usbBurstBytes);
  const values = {
    HEAPGLASS_ENGINE: board.engine === 'espruino' ? ENGINE_ESPRUINO : ENGINE_KALUMA,
    HEAPGLASS_LEVEL: levelNumbers[level],
    HEAPGLASS_POLICY_ID: policyId(policy),
    HEAPGLASS_CLOCK_KHZ: Math.round(board.clockHz / 1000),
    HEAPGLASS_LINE_BYTES_PER_SECOND: bytesPerSecond,
    HEAPGLASS_LINE_BURST_BYTES: burstBytes ?? leastBurstBytes,
  };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

const levelNumbers: Record<TelemetryLevel, number> = {
  events: LEVEL_EVENTS,
  sampled: LEVEL_SAMPLED,
  counters: LEVEL_COUNTERS,
  off: LEVEL_OFF,
};
const usbBurstMs = 4;
/** The smallest transmit buffer of any board. */
const leastBurstBytes = 32;

/** A plain script as JavaScript, with all its names. */
async function scriptOf(options: BundleOptions, entry: string): Promise<{ code: string; map: RawSourceMap }> {
  try {
    const source = options.source ?? (await readFile(entry, 'utf8'));
    const { code, map } = await transform(source, {
      loader: loaderOf(entry),
      sourcefile: basename(entry),
      sourcemap: 'external',
      sourcesContent: false,
      charset: 'utf8',
      legalComments: 'none',
      supported: loweredSyntax(options.board),
    });
    return { code, map: JSON.parse(map) as RawSourceMap };
  } catch (error) {
    throw asProblem(error as BuildFailure, entry);
  }
}

/** Paths as people know them: their own relative to the program's folder, the device code under `heapglass/`. */
function nameOf(source: string, root: string): string {
  if (source.startsWith(`${virtualNamespace}:`)) return `${devicePrefix}${source.slice(virtualNamespace.length + 1)}`;
  const path = resolve(root, source);
  const inFirmware = relative(join(packageRoot, 'firmware'), path);
  return inFirmware.startsWith('..') ? relative(root, path) : `${devicePrefix}${inFirmware}`;
}

const loaderOf = (path: string): Loader => (path.endsWith('.ts') ? 'ts' : 'js');

function asProblem(error: BuildFailure, entry: string): Problem {
  if (!Array.isArray(error.errors)) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : message;
    return new Problem(exitCodes.badInput, `cannot read ${entry}`, [why], 'Give the path of a .js or .ts program.');
  }
  const facts = error.errors.map(({ text, location }) =>
    location ? `${location.file}:${location.line}:${location.column + 1}: ${text}` : text,
  );
  return new Problem(
    exitCodes.badInput,
    `cannot bundle ${entry}`,
    facts,
    'Mend the program. Modules of the board itself are taken with require("name").',
  );
}
