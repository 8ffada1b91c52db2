/**
 * Whether a bundle and its arenas fit the engine's memory, said before anything is flashed: neither engine says it
 * afterwards (Espruino prints OUT OF MEMORY and goes on; JerryScript stops the board).
 *
 * A static estimate from measured sizes, on the safe side. The cost model of a virtual board counts more finely.
 *
 * Espruino, in variables: a flashed program stays in flash, and each of its functions takes five (two for its name, one
 * each for parameter list, code reference and scope) and one a parameter; a program in RAM holds the text of its
 * functions besides. A function inside another takes one more for its scopes; each variable that a function keeps for
 * inner ones takes one; a property of an object with methods one, and one for each 12 characters of its name beyond four.
 * A flat array of n bytes takes 3 + ceil(n / bytes of a variable). Sixteen programs, loaded from memory outside its
 * heap by an ARM build of Espruino 2v29, took 0.81 to 0.99 of that.
 * Kaluma, in bytes: 110 for a function of 32 characters (50 of them, 1.6 KB of source, added 5.5 KB), taken as 80 and
 * 1.4 a character, which two minified programs measured there need; a closure 64; an array of n bytes 48 + n, a view 32.
 */
import type { Board } from '../../boards/board.ts';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { blockTableBytes } from '../src/safety/block-table.ts';
import type { Bundle } from './bundle.ts';
import { shapeOf } from './bundle-shape.ts';

export interface MemoryEstimate {
  /** What the figures count. */
  unit: 'variables' | 'bytes';
  /** What the engine has in all. */
  total: number;
  /** In use before the program: measured on Kaluma, assumed on Espruino. */
  system: number;
  code: number;
  arenas: number;
  /** total - system - code - arenas; negative when it does not fit. */
  left: number;
  /** What must be left for the program's own values, calls and timers. */
  margin: number;
  /** Arenas whose size the program computes: not counted. */
  unknownArenas: number;
}

export interface EstimateOptions {
  /** The program is sent to RAM, not to flash (Espruino); always so on a board without Storage. */
  inRam?: boolean;
}

/** Part of the engine's memory that must be left: calls, temporaries and the telemetry's timer live there. */
const marginFraction = 0.1;

const espruino = {
  /** An assumption: what a board without a program has in use (its REPL, its pins, the history). */
  systemVariables: 60,
  functionVariables: 5,
  parameterVariables: 1,
  /** An inner function's list of scopes; a variable that is kept for one; a property of what they make. */
  scopeVariables: 1,
  keptVariables: 1,
  propertyVariables: 1,
  /** A name of up to four characters, and its value. */
  globalVariables: 2,
  flatArrayVariables: 3,
  /** Views of an arena: three of the bound arena, three of the heap, one variable each and their names. */
  viewsVariables: 12,
  /** The arrays of a table of blocks and of its fault log: 16, each with its name and view. */
  tableVariables: 16 * 5,
};

const kaluma = {
  functionBytes: 80,
  characterBytes: 1.4,
  closureBytes: 64,
  globalBytes: 16,
  arrayBytes: 48,
  viewBytes: 32,
  views: 6,
  /** Arrays of a safe heap: the table's ten, the log's two, the post-mortem's two, the accounts and the quarantine. */
  tableArrays: 16,
};

/** Estimates what a bundle takes of the engine's memory once it runs. Null for a board whose memory is not known. */
export function estimateMemory(
  bundle: Pick<Bundle, 'code' | 'arenasBytes' | 'safeHeapsBytes'> & { native?: Bundle['native'] },
  board: Board,
  options: EstimateOptions = {},
): MemoryEstimate | null {
  const shape = shapeOf(bundle.code);
  const inRam = options.inRam || !board.features.storage;
  const known = bundle.arenasBytes.filter((bytes) => bytes !== null);
  const tables = bundle.safeHeapsBytes.filter((bytes) => bytes !== null).map((bytes) => blockTableBytes(bytes & ~7));
  const unknownArenas = bundle.arenasBytes.length - known.length;
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  if (board.jsvars) {
    const { count: total, bytesEach } = board.jsvars;
    const functions = shape.functions.map(
      ({ parameters, characters }) =>
        espruino.functionVariables +
        parameters * espruino.parameterVariables +
        (inRam ? Math.ceil(characters / bytesEach) + 1 : 0),
    );
    // Machine code is a flat string.
    const nativeBytes = bundle.native ? bundle.native.blobBytes : 0;
    const native = nativeBytes === 0 ? 0 : espruino.flatArrayVariables + Math.ceil(nativeBytes / bytesEach);
    const made =
      shape.functions.filter(({ isInner }) => isInner).length * espruino.scopeVariables +
      shape.kept * espruino.keptVariables +
      sum(shape.properties.map((name) => espruino.propertyVariables + moreNameVariables(name, bytesEach)));
    const code = sum(functions) + shape.globals * espruino.globalVariables + made + native;
    const arenas = sum([
      ...known.map((bytes) => espruino.flatArrayVariables + Math.ceil(bytes / bytesEach) + espruino.viewsVariables),
      ...tables.map((bytes) => espruino.tableVariables + Math.ceil(bytes / bytesEach)),
    ]);
    return summed('variables', total, espruino.systemVariables, code, arenas, unknownArenas);
  }
  if (board.engineHeapBytes === null) return null;
  const functions = shape.functions.map(
    ({ characters, isInner }) =>
      kaluma.functionBytes + Math.ceil(characters * kaluma.characterBytes) + (isInner ? kaluma.closureBytes : 0),
  );
  const code = sum(functions) + shape.globals * kaluma.globalBytes;
  const arenas = sum([
    ...known.map((bytes) => kaluma.arrayBytes + Math.ceil(bytes / 8) * 8 + kaluma.views * kaluma.viewBytes),
    ...tables.map((bytes) => kaluma.tableArrays * (kaluma.arrayBytes + kaluma.viewBytes) + bytes),
  ]);
  return summed('bytes', board.engineHeapBytes, board.engineHeapUsedAtBootBytes ?? 0, code, arenas, unknownArenas);
}

/** Variables that a name takes besides its first: it has four characters, the others a variable less its link. */
function moreNameVariables(name: string, bytesEach: number): number {
  return Math.max(0, Math.ceil((name.length - 4) / (bytesEach - 1)));
}

function summed(
  unit: MemoryEstimate['unit'],
  total: number,
  system: number,
  code: number,
  arenas: number,
  unknownArenas: number,
): MemoryEstimate {
  const left = total - system - code - arenas;
  return { unit, total, system, code, arenas, left, margin: Math.ceil(total * marginFraction), unknownArenas };
}

/** The Problem that refuses to flash what leaves less than the margin; null when it fits. */
export function memoryProblem(estimate: MemoryEstimate, board: Board): Problem | null {
  const { unit, total, system, code, arenas, left, margin } = estimate;
  if (left >= margin) return null;
  return new Problem(
    exitCodes.tooBig,
    `the program does not fit the memory of ${board.id}`,
    [
      `of ${total} ${unit}, the engine itself takes ${system}, the program ${code}, its arenas ${arenas}`,
      `that leaves ${left}; ${margin} should be left (${marginFraction * 100} %)`,
    ],
    arenas > 0
      ? 'Make the arena smaller, or choose a larger board.'
      : 'Make the program smaller, or choose a larger board.',
  );
}

/** The Problem that refuses what is longer than the board's code area; null when it fits or the area is not known. */
export function codeAreaProblem(codeBytes: number, board: Board, usesHeap = true): Problem | null {
  const areaBytes = codeAreaBytes(board);
  if (areaBytes === null || codeBytes <= areaBytes) return null;
  return new Problem(
    exitCodes.tooBig,
    `the program is larger than the code area of ${board.id}`,
    [`it is ${codeBytes} bytes`, `the area holds ${areaBytes}`],
    usesHeap
      ? 'Nothing was sent to the board. Leave the telemetry out (--telemetry off), take a smaller policy, or a larger board.'
      : 'Nothing was sent to the board. Make the program smaller, or take a larger board.',
  );
}

/** A stored file's header (src/jsflash.h: size and 28 characters of name). */
const storageHeaderBytes = 32;

/** Bytes of source that the board can store: Storage without the file's header; Kaluma's area without its final NUL. */
export function codeAreaBytes({ savedCode, programAreaBytes }: Board): number | null {
  if (savedCode) return savedCode.pages * savedCode.pageBytes - storageHeaderBytes;
  return programAreaBytes === null ? null : programAreaBytes - 1;
}
