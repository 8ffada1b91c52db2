/**
 * The shape of a board file (boards/data/<id>.json) and of the source beside each fact.
 *
 * A file states only what differs from the one it `inherits`. Unknown keys are refused. `sources` names, for each fact
 * the same file states, where it was read: by its dotted path (`console.baud`) or by the object that holds it
 * (`savedCode`). `checkSources` enforces that this covers every fact and nothing else.
 */
import * as v from 'valibot';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const positive = v.pipe(v.number(), v.integer(), v.minValue(1));
const text = v.pipe(v.string(), v.minLength(1));

const consoleFacts = v.strictObject({
  kind: v.picklist(['usb', 'uart', 'ble']),
  /** Where it comes out, for people: `Serial1 (TX D28)`. */
  device: text,
  /** The rate a tool opens it with; paces the line only where `kind` is `uart`. */
  baud: positive,
  /** What the line carries where it is no UART: a model, not a promise. */
  bytesPerSecond: positive,
  inputBufferBytes: positive,
  outputBufferBytes: positive,
  /** Kaluma: the longest line its REPL takes. */
  lineBufferBytes: positive,
  /** Espruino: input buffer fill, in eighths, at which XOFF is sent. */
  xoffAtEighths: positive,
  /** Espruino: input buffer fill, in eighths, at which XON is sent again. */
  xonAtEighths: positive,
});

const features = v.strictObject({
  /** E.nativeCall. */
  nativeCall: v.boolean(),
  /** E.CRC32. */
  crc32: v.boolean(),
  dataView: v.boolean(),
  /** Binary packets on the console (Espruino 2v25 and later). */
  packets: v.boolean(),
  /** Packets may be heatshrink-compressed. */
  packetCompression: v.boolean(),
  /** let scoping, arrow functions, classes, template literals, getters, shorthand properties, promises, regular expressions. */
  modernSyntax: v.boolean(),
  /** require("Storage"): programs survive a power cycle. */
  storage: v.boolean(),
});

const cpus = [
  'cortex-m0',
  'cortex-m0plus',
  'cortex-m3',
  'cortex-m4',
  'cortex-m33',
  'xtensa-lx6',
  'xtensa-lx106',
] as const;

/** The facts of a board, each of them named in `sources`. */
const factsSchema = v.strictObject({
  engine: v.picklist(['espruino', 'kaluma']),
  engineVersion: text,
  chip: text,
  cpu: v.picklist(cpus),
  clockHz: positive,
  ramBytes: positive,
  /** Bytes of each bank of RAM on its own bus port, in the order of their addresses. */
  ramBanks: v.record(text, positive),
  flashBytes: positive,
  /** Cycles of a 32-bit multiply. */
  multiplierCycles: positive,
  /** Wait states of the internal flash at this clock. */
  flashWaitStates: count,
  /** Cycles that a miss of the flash cache costs, where code runs from external flash. */
  flashMissCycles: positive,
  /** Espruino: the variables that all of a program lives in. */
  jsvars: v.strictObject({ count: positive, bytesEach: positive }),
  /** Kaluma: JerryScript's heap. */
  engineHeapBytes: positive,
  /** Of it, in use after boot without a program. */
  engineHeapUsedAtBootBytes: count,
  /** Espruino: flash that Storage has. */
  savedCode: v.strictObject({ pages: positive, pageBytes: positive }),
  /** Espruino: how many pins each port has, in the order of their numbers (`D: 32` is D0 to D31), and what names one of them. */
  pins: v.strictObject({ ports: v.record(text, positive), named: v.record(text, text) }),
  /** Kaluma: flash that the program's text has. */
  programAreaBytes: positive,
  flash: v.strictObject({
    pageBytes: positive,
    /** To erase one page: the most a data sheet allows. */
    erasePageMs: v.pipe(v.number(), v.minValue(0)),
    /** Kaluma: to erase the whole program area, which it does before each upload. */
    eraseProgramAreaMs: positive,
  }),
  flashMethod: v.picklist(['espruino-packets', 'espruino-ram', 'kaluma-ymodem']),
  packetBytesMax: positive,
  fileNameBytesMax: positive,
  console: consoleFacts,
  usb: v.strictObject({ vendorId: count, productId: count }),
  features,
});

/** One file of boards/data: any part of the facts. */
export const boardFileSchema = v.strictObject({
  id: text,
  name: text,
  inherits: v.optional(text),
  /** Only inherited from; not a board that one can name. */
  abstract: v.optional(v.boolean()),
  sources: v.record(v.string(), text),
  ...v.partial(
    v.strictObject({
      ...factsSchema.entries,
      console: v.partial(consoleFacts),
      flash: v.partial(factsSchema.entries.flash),
      features: v.partial(features),
    }),
  ).entries,
});

export type Facts = v.InferOutput<typeof factsSchema>;
export type BoardFile = v.InferOutput<typeof boardFileSchema>;
export type Cpu = (typeof cpus)[number];

const notFacts = new Set(['id', 'name', 'inherits', 'abstract', 'sources']);

/** Dotted paths of every fact a file states: `clockHz`, `console.baud`. */
export function factPaths(file: BoardFile): string[] {
  return Object.entries(file).flatMap(([key, value]) => {
    if (notFacts.has(key) || value === undefined) return [];
    return typeof value === 'object' ? Object.keys(value).map((inner) => `${key}.${inner}`) : [key];
  });
}

/** The source that a file gives for one of its facts: its own, or that of the object it is in. */
export function sourceOf(file: BoardFile, path: string): string | undefined {
  return file.sources[path] ?? file.sources[path.split('.')[0]!];
}

/** What is wrong with a file's sources: facts without one, and sources of nothing. */
export function checkSources(file: BoardFile): string[] {
  const paths = factPaths(file);
  const unsourced = paths.filter((path) => sourceOf(file, path) === undefined);
  const idle = Object.keys(file.sources).filter(
    (source) => !paths.some((path) => path === source || path.startsWith(`${source}.`)),
  );
  return [
    ...unsourced.map((path) => `${path} has no source`),
    ...idle.map((path) => `sources.${path} is the source of nothing the file states`),
  ];
}
