/**
 * The recording file: an append-only sequence of records, each with its length and checksum.
 *
 *   file     "HEAPGLAS" record record ...
 *   record   length u32 | kind u8 | payload[length] | crc u16 over kind and payload     (little endian)
 *
 *   HEADER      JSON: what was recorded. The first record.
 *   LINE        f64 host milliseconds, then the line's bytes as they came: frames, text and noise
 *   CHECKPOINT  f64 board milliseconds, f64 operations, then deflated JSON: decoder and heap model after all LINE
 *               records before it
 *   INDEX       JSON: where the checkpoints are. The last record of a file that was closed.
 *   MARK        JSON: a moment that who watched named. It lies behind the LINE records that came before it.
 *   SITES       JSON: source lines of a bundle's call sites, once the board has said which bundle it runs
 *
 * Invariants
 *   F1  every record that is whole is used; what follows the first one that is not is a cut, and is said
 *   F2  a reader needs nothing behind the record it reads: a file can be read while it is written
 *   F3  checkpoint + the LINE records after it = the state from the beginning
 */
import { crc16 } from '../../firmware/wire/frame.ts';

export const MAGIC = 'HEAPGLAS';

export const KIND_HEADER = 1;
export const KIND_LINE = 2;
export const KIND_CHECKPOINT = 3;
export const KIND_INDEX = 4;
export const KIND_MARK = 5;
export const KIND_SITES = 6;

export const RECORD_HEAD_BYTES = 5;
export const RECORD_TAIL_BYTES = 2;
/** A longer record is damage: batches and checkpoints of the largest model are below it. */
export const MOST_RECORD_BYTES = 1 << 26;

export interface RecordingHeader {
  version: 1;
  /** ISO 8601, from the host's clock. */
  startedAt: string;
  /** The transport's name. */
  source: string;
  board?: string;
  program?: string;
  /** Source line of each call site, by its number. */
  sites?: Record<string, string>;
}

export interface RecordedMark {
  /** The host's clock. */
  hostMs: number;
  /** The board's clock, as of the last frame before it. */
  atMs: number;
  text: string;
}

export interface RecordedSites {
  /** As the board's hello says it. */
  bundleId: number;
  program: string;
  /** Source line of each call site, by its number. */
  sites: Record<string, string>;
}

/** A mark's text is cut here, when it is written and when it is read. */
export const LONGEST_MARK = 200;

export interface CheckpointPlace {
  /** Of the record in the file. */
  position: number;
  atMs: number;
  operations: number;
}

/** A scrub decodes at most this many operations and a batch: some tens of milliseconds. */
const CHECKPOINT_OPERATIONS = 8192;
/** A checkpoint of a large heap is large: it is worth this many operations a live block. */
const OPERATIONS_PER_BLOCK = 16;

/** So many operations lie between two checkpoints of a heap. */
export const checkpointOperations = (liveBlocks: number): number =>
  Math.max(CHECKPOINT_OPERATIONS, OPERATIONS_PER_BLOCK * liveBlocks);

export function encodeRecord(kind: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RECORD_HEAD_BYTES + payload.length + RECORD_TAIL_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length, true);
  bytes[4] = kind;
  bytes.set(payload, RECORD_HEAD_BYTES);
  view.setUint16(bytes.length - RECORD_TAIL_BYTES, crc16(bytes, 4, bytes.length - RECORD_TAIL_BYTES, 0), true);
  return bytes;
}

/** The payload of a whole record (head and tail included), or null when its checksum does not hold. */
export function decodeRecord(bytes: Uint8Array): Uint8Array | null {
  const end = bytes.length - RECORD_TAIL_BYTES;
  const crc = bytes[end]! | (bytes[end + 1]! << 8);
  return crc16(bytes, 4, end, 0) === crc ? bytes.subarray(RECORD_HEAD_BYTES, end) : null;
}
