/**
 * Reads an allocation trace: a recording of one program's malloc, realloc and free.
 *
 *   line 1   a JSON object; `name`, and if present `ops` and `peakLiveBytes`, are checked against what follows
 *   a ID SIZE     allocate SIZE bytes; ID is not live
 *   r ID SIZE     resize; an ID that is not live allocates
 *   f ID          free; ID is live
 *
 * A size of 0 is a request like any other. Numbers are decimal. Every line ends with a newline; the last one may
 * go without where the header's `ops` says that nothing is cut.
 * What is wrong is a Problem with the line's number: a trace is read wholly or not at all.
 */
import { readFileSync } from 'node:fs';
import { cannotRead, exitCodes, Problem } from '../../boards/problem.ts';

export const OP_ALLOCATE = 0;
export const OP_RESIZE = 1;
export const OP_FREE = 2;

export interface Trace {
  readonly name: string;
  /** The header as it was written: provenance, and the recorder's name for recorded traces. */
  readonly header: Readonly<Record<string, unknown>>;
  /** OP_ of each operation, in order. */
  readonly kinds: Uint8Array;
  /** Which block each operation means: ids renumbered 0, 1, 2 ... in order of first use. */
  readonly ids: Int32Array;
  /** Requested bytes of OP_ALLOCATE and OP_RESIZE, 0 for OP_FREE. */
  readonly sizes: Int32Array;
  /** Distinct ids; every element of `ids` is below it. */
  readonly idCount: number;
  /** Most requested bytes live at once. */
  readonly peakLiveBytes: number;
  readonly maxLiveBlocks: number;
}

/** 64 MB: the largest request that makes sense for a microcontroller's trace. An id may be any address. */
const MAX_REQUEST_BYTES = 1 << 26;

export function readTrace(path: string): Trace {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw cannotRead(`the trace ${path}`, error, 'Give the path of a trace file; the format is in docs/traces.md.');
  }
  return parseTrace(text, path);
}

/** Parses a trace's text; `source` names it in Problems. */
export function parseTrace(text: string, source: string): Trace {
  const wrong = (line: number, problem: string, ...facts: string[]): Problem =>
    new Problem(
      exitCodes.badInput,
      `${source}:${line}: ${problem}`,
      facts,
      'A trace is a JSON line, then lines `a ID SIZE`, `r ID SIZE`, `f ID`; docs/traces.md has the format.',
    );

  if (text === '') throw wrong(1, 'the file is empty');
  const lines = text.split('\n');
  const header = parseHeader(lines[0]!, wrong);
  if (lines.at(-1) === '') lines.pop();
  else if (header.ops !== lines.length - 1) {
    const isCut = 'the last line does not end with a newline: the file may have been cut';
    throw wrong(lines.length, isCut, "without that newline the header's `ops` must be the number of lines after it");
  }

  const count = lines.length - 1;
  const kinds = new Uint8Array(count);
  const ids = new Int32Array(count);
  const sizes = new Int32Array(count);
  const numbers = new Map<string, number>();
  const liveBytes = new Map<number, number>();
  let bytes = 0;
  let peakLiveBytes = 0;
  let maxLiveBlocks = 0;

  for (let i = 0; i < count; i++) {
    const line = lines[i + 1]!;
    const match = /^(?:([ar]) (\d{1,15}) (\d{1,15})|f (\d{1,15}))\r?$/.exec(line);
    if (!match) throw wrong(i + 2, 'this is not an operation', `it reads ${JSON.stringify(line.slice(0, 60))}`);
    const idText = match[2] ?? match[4]!;
    let id = numbers.get(idText);
    if (id === undefined) {
      id = numbers.size;
      numbers.set(idText, id);
    }
    const held = liveBytes.get(id);
    ids[i] = id;
    if (match[1] === undefined) {
      if (held === undefined) throw wrong(i + 2, `id ${idText} is freed but not live`);
      kinds[i] = OP_FREE;
      liveBytes.delete(id);
      bytes -= held;
      continue;
    }
    const size = Number(match[3]);
    if (size > MAX_REQUEST_BYTES) {
      throw wrong(i + 2, `a request of ${size} bytes`, `the most is ${MAX_REQUEST_BYTES}`);
    }
    if (match[1] === 'a' && held !== undefined) throw wrong(i + 2, `id ${idText} is allocated twice`);
    kinds[i] = match[1] === 'a' ? OP_ALLOCATE : OP_RESIZE;
    sizes[i] = size;
    liveBytes.set(id, size);
    bytes += size - (held ?? 0);
    peakLiveBytes = Math.max(peakLiveBytes, bytes);
    maxLiveBlocks = Math.max(maxLiveBlocks, liveBytes.size);
  }

  if (typeof header.ops === 'number' && header.ops !== count) {
    throw wrong(lines.length, `the header says ${header.ops} operations, the file has ${count}`);
  }
  if (typeof header.peakLiveBytes === 'number' && header.peakLiveBytes !== peakLiveBytes) {
    throw wrong(
      1,
      `the header says a peak of ${header.peakLiveBytes} live bytes, the operations give ${peakLiveBytes}`,
    );
  }
  const { name } = header;
  return { name, header, kinds, ids, sizes, idCount: numbers.size, peakLiveBytes, maxLiveBlocks };
}

function parseHeader(
  line: string,
  wrong: (line: number, problem: string, ...facts: string[]) => Problem,
): Record<string, unknown> & { name: string } {
  let header: unknown;
  try {
    header = JSON.parse(line);
  } catch {
    throw wrong(1, 'the header is not JSON', `it reads ${JSON.stringify(line.slice(0, 60))}`);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw wrong(1, 'the header is not a JSON object');
  }
  const { name } = header as { name?: unknown };
  if (typeof name !== 'string' || name === '') throw wrong(1, 'the header has no name');
  if (/\p{Cc}/u.test(name)) throw wrong(1, 'the name holds control characters');
  return header as Record<string, unknown> & { name: string };
}
