/**
 * The first step of a bundle: the program's modules and the device code as one text, with what the program says of its
 * heaps. Two runs of the bundler where the program names another policy than the first had.
 */
import { existsSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { type BuildFailure, type BuildOptions, build, transform } from 'esbuild';
import type { Board } from '../../boards/board.ts';
import { Problem } from '../../boards/problem.ts';
import { packageRoot } from '../../boards/root.ts';
import { defaultPolicyName, type PolicyName, policyId } from '../src/policies/index.ts';
import { ENGINE_ESPRUINO, ENGINE_KALUMA } from '../src/port.ts';
import { LEVEL_COUNTERS, LEVEL_EVENTS, LEVEL_OFF, LEVEL_SAMPLED } from '../wire/format.ts';
import type { Bundle, BundleOptions, TelemetryLevel } from './bundle.ts';
import { bundleProblem, cannotBundle, checkParses, placed } from './bundle-problem.ts';
import { deviceFolder, deviceModules, movesBlocks, virtualNamespace } from './device-modules.ts';
import { loweredSyntax } from './minify.ts';
import { type NativePolicy, nativePolicy } from './native-policy.ts';
import { devicePrefix, type Stage } from './passes/pass.ts';
import { heapFacts } from './program-facts.ts';
import { programModules } from './program-modules.ts';
import { loaderOf, readProgram } from './program-text.ts';
import { type RawSourceMap, SourceMap } from './source-map.ts';

/** Whether a source is the user's: not the device code, not the bundler's own. */
export const isProgram = (source: string | undefined): boolean =>
  source !== undefined && !source.startsWith(devicePrefix);

export interface Built {
  code: string;
  map: SourceMap;
  policy: PolicyName;
  kind: Bundle['kind'];
  usesHeap: boolean;
  arenasBytes: (number | null)[];
  files: string[];
  native: Bundle['native'];
  isOnlyHeap: boolean;
  safeHeapsBytes: (number | null)[];
}

export async function bundleModules(options: BundleOptions, entry: string, level: TelemetryLevel): Promise<Built> {
  let policy = options.policy ?? defaultPolicyName;
  // Before the bundler, which says of another encoding only that it did not expect it.
  if (options.source === undefined) await readProgram(entry);
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
  checkParses(result, 'module', entry);
  const { map } = result;
  const facts = heapFacts(result.code, (line, column) => isProgram(map.trace(line, column)?.source));
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
): Promise<{ code: string; map: SourceMap; inputs: Inputs; native: NativePolicy | null }> {
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
      deviceModules(policy, level !== 'off', board, {
        regions,
        records: level === 'events' || level === 'sampled',
        native: native?.module ?? null,
      }),
      programModules,
    ],
  };
  try {
    const { outputFiles, metafile, warnings } = await build(settings);
    const undefinedNames = warnings.filter(({ id }) => id === 'import-is-undefined');
    if (undefinedNames.length > 0) throw cannotBundle(entry, undefinedNames.map(placed));
    const text = (end: string): string => outputFiles!.find(({ path }) => path.endsWith(end))!.text;
    const map = JSON.parse(text('.map')) as RawSourceMap;
    map.sources = map.sources.map((path) => nameOf(path ?? '', root));
    return { code: withoutHashbang(text('.js')), map: new SourceMap(map), inputs: metafile!.inputs, native };
  } catch (error) {
    throw error instanceof Problem ? error : bundleProblem(error as BuildFailure, entry);
  }
}

/** The line for a shell is none of JavaScript's older versions; its end stays, so that lines keep their numbers. */
const withoutHashbang = (code: string): string => code.replace(/^#!.*/, '');

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
async function scriptOf(options: BundleOptions, entry: string): Promise<Stage> {
  try {
    const source = options.source ?? (await readProgram(entry));
    const { code, map } = await transform(source, {
      loader: loaderOf(entry),
      sourcefile: basename(entry),
      sourcemap: 'external',
      sourcesContent: false,
      charset: 'utf8',
      legalComments: 'none',
      supported: loweredSyntax(options.board),
    });
    const stage = { code: withoutHashbang(code), map: new SourceMap(JSON.parse(map) as RawSourceMap) };
    checkParses(stage, 'script', entry);
    return stage;
  } catch (error) {
    throw error instanceof Problem ? error : bundleProblem(error as BuildFailure, entry);
  }
}

/** Paths as people know them: their own relative to the program's folder, the device code under `heapglass/`. */
function nameOf(source: string, root: string): string {
  if (source.startsWith(`${virtualNamespace}:`)) return `${devicePrefix}${source.slice(virtualNamespace.length + 1)}`;
  const path = resolve(root, source);
  const inFirmware = relative(join(packageRoot, 'firmware'), path);
  return inFirmware.startsWith('..') ? relative(root, path) : `${devicePrefix}${inFirmware}`;
}
