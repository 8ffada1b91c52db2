/**
 * Boards as data: reads boards/data, follows `inherits`, and gives each board with the source of every fact.
 *
 * A board's file overrides its parent fact by fact; objects (`console`, `features`) merge key by key. What no file of
 * the chain states is null: not known, or not there. References: the files themselves, `docs/boards.md`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { exitCodes, Problem } from './problem.ts';
import { packageRoot } from './root.ts';
import { type BoardFile, boardFileSchema, type Cpu, checkSources, type Facts, factPaths, sourceOf } from './schema.ts';

export type { Cpu } from './schema.ts';

export interface Board {
  id: string;
  name: string;
  engine: Facts['engine'];
  engineVersion: string;
  chip: string;
  cpu: Cpu;
  clockHz: number;
  ramBytes: number;
  /** Bytes of each bank with a bus port of its own, by name, in the order of their addresses; null where that is not known. */
  ramBanks: Readonly<Record<string, number>> | null;
  flashBytes: number | null;
  multiplierCycles: number | null;
  flashWaitStates: number | null;
  /** Cycles a miss of the flash cache costs, where code runs from external flash and it was modelled. */
  flashMissCycles: number | null;
  jsvars: { count: number; bytesEach: number } | null;
  engineHeapBytes: number | null;
  engineHeapUsedAtBootBytes: number | null;
  savedCode: { pages: number; pageBytes: number } | null;
  /** Pins of each port, in the order of their numbers, and names of single ones; null where they are numbers alone. */
  pins: { ports: Readonly<Record<string, number>>; named: Readonly<Record<string, string>> } | null;
  programAreaBytes: number | null;
  flash: { pageBytes: number | null; erasePageMs: number | null; eraseProgramAreaMs: number | null };
  flashMethod: Facts['flashMethod'];
  packetBytesMax: number | null;
  fileNameBytesMax: number | null;
  console: {
    kind: Facts['console']['kind'];
    device: string;
    baud: number | null;
    /** What the line carries: baud / 10 on a UART, a stated model elsewhere. */
    bytesPerSecond: number;
    inputBufferBytes: number;
    outputBufferBytes: number | null;
    lineBufferBytes: number | null;
    /** Bytes in the input buffer at which XOFF is sent, and at which XON follows; null without flow control. */
    xoffAtBytes: number | null;
    xonAtBytes: number | null;
  };
  usb: { vendorId: number; productId: number } | null;
  features: Facts['features'];
  /** Where each fact was read, by its dotted path in the board files. */
  sources: Readonly<Record<string, string>>;
}

const dataFolder = join(packageRoot, 'boards', 'data');

/** Parses one board file. `label` names it in the Problem that a malformed one gives. */
export function parseBoardFile(json: string, label: string): BoardFile {
  const wrong = (facts: string[]) =>
    new Problem(exitCodes.badInput, `${label} is not a board file`, facts, 'See docs/boards.md, "Adding a board".');
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw wrong([(error as Error).message]);
  }
  const result = v.safeParse(boardFileSchema, value);
  if (!result.success)
    throw wrong(result.issues.map((issue) => `${v.getDotPath(issue) ?? 'the file'}: ${issue.message}`));
  const unsourced = checkSources(result.output);
  if (unsourced.length > 0) throw wrong(unsourced);
  return result.output;
}

let loaded: Map<string, BoardFile> | undefined;

function files(): Map<string, BoardFile> {
  loaded ??= new Map(
    readdirSync(dataFolder)
      .filter((name) => name.endsWith('.json'))
      .sort()
      .map((name) => {
        const file = parseBoardFile(readFileSync(join(dataFolder, name), 'utf8'), `boards/data/${name}`);
        if (`${file.id}.json` !== name)
          throw new Problem(exitCodes.badInput, `boards/data/${name} has the id "${file.id}"`, [], 'Name it alike.');
        return [file.id, file];
      }),
  );
  return loaded;
}

/** The ids of all boards, sorted. */
export function boardIds(): string[] {
  return [...files().values()].filter((file) => !file.abstract).map((file) => file.id);
}

/** The board with this id, in any case. A Problem with near names when there is none. */
export function loadBoard(id: string): Board {
  const file = files().get(id.toLowerCase());
  if (!file || file.abstract) {
    const near = nearNames(id, boardIds());
    throw new Problem(
      exitCodes.usage,
      `there is no board "${id}"`,
      near.length > 0 ? [`near it: ${near.join(', ')}`] : [],
      'Run `heapglass boards` for all of them.',
    );
  }
  return resolveBoard(file, files());
}

/** Follows `inherits` from `file` through `all`, and checks that a whole board results. */
export function resolveBoard(file: BoardFile, all: ReadonlyMap<string, BoardFile>): Board {
  const wrong = (problem: string, facts: string[] = []) =>
    new Problem(exitCodes.badInput, `board "${file.id}" ${problem}`, facts, 'See docs/boards.md, "Adding a board".');
  const chain: BoardFile[] = [];
  for (let next: BoardFile | undefined = file; next; ) {
    if (chain.includes(next)) throw wrong('inherits from itself', [chain.map(({ id }) => id).join(' -> ')]);
    chain.unshift(next);
    if (next.inherits === undefined) break;
    const parent = all.get(next.inherits);
    if (!parent) throw wrong(`inherits from "${next.inherits}", which is not there`);
    next = parent;
  }
  const facts: Record<string, unknown> = {};
  const sources: Record<string, string> = {};
  for (const link of chain) {
    for (const path of factPaths(link)) {
      const [key, inner] = path.split('.') as [keyof Facts, string?];
      if (inner === undefined) facts[key] = link[key];
      else facts[key] = { ...(facts[key] as object), [inner]: (link[key] as Record<string, unknown>)[inner] };
      sources[path] = sourceOf(link, path)!;
    }
  }
  const missing = required.filter((path) => !(path in sources));
  if (missing.length > 0)
    throw wrong(
      'is not whole',
      missing.map((path) => `${path} is missing`),
    );
  return toBoard(file, facts as Partial<Facts> & Pick<Facts, Required>, sources);
}

type Required =
  | 'engine'
  | 'engineVersion'
  | 'chip'
  | 'cpu'
  | 'clockHz'
  | 'ramBytes'
  | 'flashMethod'
  | 'console'
  | 'features';
const required = [
  ...['engine', 'engineVersion', 'chip', 'cpu', 'clockHz', 'ramBytes', 'flashMethod'],
  ...['console.kind', 'console.device', 'console.inputBufferBytes'],
  ...['nativeCall', 'crc32', 'dataView', 'packets', 'packetCompression', 'modernSyntax', 'storage'].map(
    (name) => `features.${name}`,
  ),
];

function toBoard(
  file: BoardFile,
  facts: Partial<Facts> & Pick<Facts, Required>,
  sources: Record<string, string>,
): Board {
  const line: Partial<Facts['console']> & Pick<Facts['console'], 'kind' | 'device' | 'inputBufferBytes'> =
    facts.console;
  const bytesPerSecond = line.kind === 'uart' && line.baud ? Math.floor(line.baud / 10) : line.bytesPerSecond;
  if (bytesPerSecond === undefined)
    throw new Problem(
      exitCodes.badInput,
      `board "${file.id}" does not say how fast its console is`,
      [],
      'State console.baud (uart) or console.bytesPerSecond (usb, ble).',
    );
  // Espruino compares against (size - 1) * eighths / 8 in integers (IOBUFFER_XOFF, IOBUFFER_XON).
  const eighths = (n: number | undefined) =>
    n === undefined ? null : Math.floor(((line.inputBufferBytes - 1) * n) / 8);
  const flash: Partial<Facts['flash']> = facts.flash ?? {};
  return {
    id: file.id,
    name: file.name,
    engine: facts.engine,
    engineVersion: facts.engineVersion,
    chip: facts.chip,
    cpu: facts.cpu,
    clockHz: facts.clockHz,
    ramBytes: facts.ramBytes,
    ramBanks: facts.ramBanks ?? null,
    flashBytes: facts.flashBytes ?? null,
    multiplierCycles: facts.multiplierCycles ?? null,
    flashWaitStates: facts.flashWaitStates ?? null,
    flashMissCycles: facts.flashMissCycles ?? null,
    jsvars: facts.jsvars ?? null,
    engineHeapBytes: facts.engineHeapBytes ?? null,
    engineHeapUsedAtBootBytes: facts.engineHeapUsedAtBootBytes ?? null,
    savedCode: facts.savedCode ?? null,
    pins: facts.pins ?? null,
    programAreaBytes: facts.programAreaBytes ?? null,
    flash: {
      pageBytes: flash.pageBytes ?? null,
      erasePageMs: flash.erasePageMs ?? null,
      eraseProgramAreaMs: flash.eraseProgramAreaMs ?? null,
    },
    flashMethod: facts.flashMethod,
    packetBytesMax: facts.packetBytesMax ?? null,
    fileNameBytesMax: facts.fileNameBytesMax ?? null,
    console: {
      kind: line.kind,
      device: line.device,
      baud: line.baud ?? null,
      bytesPerSecond,
      inputBufferBytes: line.inputBufferBytes,
      outputBufferBytes: line.outputBufferBytes ?? null,
      lineBufferBytes: line.lineBufferBytes ?? null,
      xoffAtBytes: eighths(line.xoffAtEighths),
      xonAtBytes: eighths(line.xonAtEighths),
    },
    usb: facts.usb ?? null,
    features: facts.features,
    sources,
  };
}

/** The names at most a third of `name`'s length of edits away, or that contain it: nearest first. */
export function nearNames(name: string, names: readonly string[]): string[] {
  const wanted = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  return names
    .map((candidate) => {
      const plain = candidate.toLowerCase().replace(/[^a-z0-9]/g, '');
      const contained = wanted.length >= 3 && (plain.includes(wanted) || wanted.includes(plain));
      return { candidate, distance: contained ? 1 : editDistance(wanted, plain) };
    })
    .filter(({ distance }) => distance <= Math.max(1, Math.floor(wanted.length / 3)))
    .sort((a, b) => a.distance - b.distance || a.candidate.localeCompare(b.candidate))
    .slice(0, 4)
    .map(({ candidate }) => candidate);
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length]!;
}
