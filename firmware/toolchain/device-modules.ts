/**
 * Where the bundler finds the device code: 'heapglass' and the modules that differ from bundle to bundle, by their
 * paths in firmware/src.
 *
 *   'heapglass'               index.ts
 *   bound-policy.ts           the one policy of this bundle, in place of Node's table of all
 *   native-batch.ts           with native code, its own batches
 *   copy.ts                   the engine's own memory move, where it has one
 *   fill.ts                   a loop, where the engine has no `fill` or a slow one
 *   telemetry/observer.ts     the recorder, when there is telemetry (else the empty functions, which vanish)
 *   telemetry/moves.ts        the log of moves, when there is telemetry and the policy moves blocks
 *   telemetry/pump.ts         nothing, when there is none
 *   telemetry/has-records.ts  that there are none, with counters alone
 *   regions/region-policy.ts  the policy of this bundle, when heaps have regions
 *   regions/as-policy.ts      a word, when heaps have regions: their functions are the bound policy itself
 *   regions/report.ts         nothing, when heaps have one arena
 *   safety/create.ts          safety.ts itself, when heaps have one arena
 *   require("Storage")        a module of the board: left as it is
 */
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { Plugin } from 'esbuild';
import type { Board } from '../../boards/board.ts';
import { packageRoot } from '../../boards/root.ts';
import { type PolicyName, policies } from '../src/policies/index.ts';

export const deviceFolder = join(packageRoot, 'firmware', 'src');
const recorder = join(deviceFolder, 'telemetry', 'recorder.ts');
const moveLog = join(deviceFolder, 'telemetry', 'move-log.ts');

/** Modules written here rather than read from a file; maps and site tables name them with this prefix. */
export const virtualNamespace = 'heapglass-device';

interface DeviceKind {
  /** The program's heaps are heaps of regions. */
  regions: boolean;
  /** The recorder writes records: of each operation, or of some. */
  records: boolean;
  /** The text of native-policy.ts's module; null where the policy is interpreted. */
  native: string | null;
}

export function deviceModules(
  policy: PolicyName,
  telemetry: boolean,
  board: Board,
  { regions, records, native }: DeviceKind,
): Plugin {
  const modules: Record<string, string> = regions
    ? regionModules(policy)
    : {
        'bound-policy.ts': native ?? boundPolicy(policy),
        'safety/create.ts': safetyOfOneArena,
        'regions/report.ts': noRegionReport,
      };
  if (native !== null)
    modules['native-batch.ts'] = "export { freeMany, mallocMany, usableMany } from './bound-policy.ts';\n";
  if (!records) modules['telemetry/has-records.ts'] = 'export const HAS_RECORDS = 0;\n';
  if (!telemetry) modules['telemetry/pump.ts'] = noTelemetry;
  const move = engineMove(board);
  if (move !== undefined) modules['copy.ts'] = move;
  if (board.engine === 'espruino') modules['fill.ts'] = board.features.modernSyntax ? shortFillByLoop : fillByLoop;
  const insteadOf: Record<string, string> = {};
  if (telemetry) insteadOf['telemetry/observer.ts'] = recorder;
  if (telemetry && movesBlocks(policy)) insteadOf['telemetry/moves.ts'] = moveLog;
  return {
    name: 'heapglass device code',
    setup(build) {
      build.onResolve({ filter: /^heapglass$/ }, () => ({ path: join(deviceFolder, 'index.ts'), sideEffects: false }));
      build.onResolve({ filter: /^\..*\.ts$/ }, ({ importer, namespace, path, resolveDir }) => {
        if (!isDeviceCode(importer) && namespace !== virtualNamespace) return undefined;
        const name = relative(deviceFolder, resolve(resolveDir, path)).replaceAll(sep, '/');
        if (Object.hasOwn(modules, name)) return { path: name, namespace: virtualNamespace, sideEffects: false };
        return Object.hasOwn(insteadOf, name) ? { path: insteadOf[name]! } : undefined;
      });
      build.onResolve({ filter: /^[^./]/ }, ({ kind, path }) =>
        kind === 'require-call' ? { path, external: true } : undefined,
      );
      build.onLoad({ filter: /.*/, namespace: virtualNamespace }, ({ path }) => ({
        contents: modules[path]!,
        resolveDir: dirname(join(deviceFolder, path)),
        loader: 'ts',
      }));
    },
  };
}

/** A handle is not a place: asked for one that is no multiple of 8, only a policy that moves blocks says another. */
export const movesBlocks = (policy: PolicyName): boolean => policies[policy].locate(1) !== 1;

const isDeviceCode = (path: string): boolean => path.startsWith(deviceFolder);

const noTelemetry = `export function startTelemetry(heap) { return 0; }
export function poll() {}
export function mark(id) {}
`;

const noRegionReport = `export const tellsRegions = false;
export function startRegionReport(heap, now) {}
export function askForRegions(now) {}
export function regionsDueMs(due) { return due; }
export function putRegions(out, from, limit, now) { return from; }
`;

const safetyOfOneArena = "export { createSafeHeap } from './safety.ts';\n";

/**
 * Espruino's `fill` looks at every element and sets those in range (src/jswrap_array.c jswrap_array_fill), 17 of them
 * in the time of a loop's one.
 */
const shortFillByLoop = `export function fillBytes(u8, from, to, value) {
  if (to - from << 4 > u8.length) u8.fill(value, from, to);
  else for (let at = from; at < to; at++) u8[at] = value;
}
`;

/** Boards built SAVE_ON_FLASH have no `fill`. */
const fillByLoop = `export function fillBytes(u8, from, to, value) { for (let at = from; at < to; at++) u8[at] = value; }
`;

/** Nothing is left to bind or to look up: the functions are the policy's own. */
function boundPolicy(policy: PolicyName): string {
  return `export * from './policies/${policy}.ts';
export function bindPolicy(policy) { return 0; }
export function policyNamed(name) { return 1; }
export function select(offset) { return offset; }
`;
}

/** The heap's policy is the regions, and theirs is the policy that was chosen. */
function regionModules(policy: PolicyName): Record<string, string> {
  const fixedEnd = policies[policy].moveEnd ? '' : 'export function moveEnd(from, to) { return from; }\n';
  return {
    'bound-policy.ts': `export * from './regions/regions.ts';
export function bindPolicy(policy) { return 0; }
export function policyNamed(name) { return 1; }
`,
    'regions/region-policy.ts': `export * from '../policies/${policy}.ts';
export function bindRegionPolicy(policy) { return 0; }
${fixedEnd}`,
    'regions/as-policy.ts': 'export const regionsPolicy = 1;\n',
  };
}

/**
 * A move of n bytes by the engine: like memmove on JerryScript, and on Espruino 1000 instructions a byte in place of
 * 4000 in a loop over words. Both mind the direction when the ranges overlap (Espruino: jswrap_arraybufferview_set).
 */
function engineMove(board: Board): string | undefined {
  const move =
    board.engine === 'kaluma'
      ? 'u8.copyWithin(to, from, from + bytes)'
      : board.features.modernSyntax
        ? 'u8.set(u8.subarray(from, from + bytes), to)'
        : undefined;
  return move && `import { u8 } from './arena.ts';\nexport function moveBytes(to, from, bytes) { ${move}; }\n`;
}
