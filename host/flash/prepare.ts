/** From a program's path to the bytes that are flashed: bundled, checked against the engine, the memory and the room. */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Board } from '../../boards/board.ts';
import { cannotRead } from '../../boards/problem.ts';
import type { PolicyName } from '../../firmware/src/policies/index.ts';
import {
  type Bundle,
  type BundleOptions,
  bundle,
  checkSyntax,
  type TelemetryLevel,
} from '../../firmware/toolchain/bundle.ts';
import { estimateMemory, type MemoryEstimate } from '../../firmware/toolchain/estimate.ts';
import { whyNotNative } from '../../firmware/toolchain/native-policy.ts';
import { checkSubset, findingText, subsetProblem } from '../../firmware/toolchain/subset.ts';
import { sizeProblem, withWhatFits } from '../../firmware/toolchain/what-fits.ts';
import { cannotWrite } from '../output-file.ts';
import { checkProgram } from './flasher.ts';

export interface PrepareOptions {
  policy?: PolicyName;
  telemetry?: TelemetryLevel;
  inRam?: boolean;
  /** The policy as machine code; interpreted, with a warning, where that cannot be. */
  native?: boolean;
}

export interface Prepared {
  code: Uint8Array;
  /** Null for bytes that are flashed as they are. */
  bundle: Bundle | null;
  memory: MemoryEstimate | null;
  /** What works otherwise than it looks, each with its place in the source. */
  warnings: string[];
}

/** Refuses what is wrong with a program whatever the board: not there, a folder, empty, a syntax error. */
export async function checkSource(path: string): Promise<void> {
  if (readBytes(path).length === 0) checkProgram(new Uint8Array(0), 0, 'any board');
  await checkSyntax(path);
}

/** Bundles and checks a program. Rejects with a Problem before anything is sent to a board. */
export async function prepareProgram(path: string, board: Board, options: PrepareOptions): Promise<Prepared> {
  readBytes(path);
  const { policy, telemetry, inRam = false } = options;
  const warnings: string[] = [];
  const settings = { entry: path, board, ...(policy && { policy }), ...(telemetry && { telemetry }) };
  const built = options.native ? await bundleNative(settings, warnings) : await bundle(settings);
  const memory = estimateMemory(built, board, { inRam });
  const findings = checkSubset(built, board);
  const refused = subsetProblem(findings, board);
  if (refused) throw refused;
  const tooBig = sizeProblem(built, board, inRam);
  if (tooBig) throw await withWhatFits(tooBig, built, settings, inRam);
  const code = new TextEncoder().encode(built.code);
  checkProgram(code, Number.POSITIVE_INFINITY, board.name);
  warnings.push(...findings.filter(({ severity }) => severity !== 'error').map(findingText));
  return { code, bundle: built, memory, warnings };
}

/** With machine code; interpreted, and said so, where the board or the policy has none. */
async function bundleNative(settings: BundleOptions, warnings: string[]): Promise<Bundle> {
  const reason = whyNotNative(settings.board);
  if (reason !== null) {
    warnings.push(`the allocator is interpreted: ${reason}`);
    return bundle(settings);
  }
  const built = await bundle({ ...settings, native: true });
  if (built.native === null) {
    const reason = built.usesHeap ? 'heaps of regions are interpreted' : 'the program uses no heap';
    warnings.push(`--native changes nothing: ${reason}`);
  }
  return built;
}

/** Bytes to flash as they are: a backup. */
export function readBytes(path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    throw cannotRead(path, error, 'Give the path of a file.');
  }
}

/** A Problem when `path` cannot be written; nothing is written yet. */
export function checkWritable(path: string): void {
  try {
    const isThere = statSync(path, { throwIfNoEntry: false }) !== undefined;
    accessSync(isThere ? path : dirname(resolve(path)), constants.W_OK);
  } catch (error) {
    throw cannotWrite(path, error, 'Nothing was flashed. Check the path.');
  }
}
