/** Takes a recording apart as its bytes come (docs/recordings.md). Imports no Node; memory is one record. */
import {
  decodeRecord,
  KIND_HEADER,
  MAGIC,
  MOST_RECORD_BYTES,
  RECORD_HEAD_BYTES,
  RECORD_TAIL_BYTES,
  type RecordingHeader,
} from '../../recording/format.ts';

export interface RecordingRecord {
  kind: number;
  payload: Uint8Array;
  /** Of the record in the file, and of what follows it. */
  position: number;
  next: number;
}

/** Pieces are asked for in this size. */
export const PIECE_BYTES = 1 << 18;

/** Records in order from `position` on, as far as they are sound; `at` moves on as the bytes do. */
export class RecordReader {
  #pending = new Uint8Array(0);
  #position: number;
  /** What follows is no record: the file is cut or damaged here. */
  isBroken = false;

  constructor(position: number) {
    this.#position = position;
  }

  /** Where the next bytes are to be read. */
  get wanted(): number {
    return this.#position + this.#pending.length;
  }

  /** Bytes that came after the last whole record. */
  get pendingBytes(): number {
    return this.#pending.length;
  }

  *push(bytes: Uint8Array): Generator<RecordingRecord> {
    let data = bytes;
    if (this.#pending.length > 0) {
      data = new Uint8Array(this.#pending.length + bytes.length);
      data.set(this.#pending);
      data.set(bytes, this.#pending.length);
    }
    let at = 0;
    while (data.length - at >= RECORD_HEAD_BYTES && !this.isBroken) {
      const length = new DataView(data.buffer, data.byteOffset + at).getUint32(0, true);
      const whole = RECORD_HEAD_BYTES + length + RECORD_TAIL_BYTES;
      if (length > MOST_RECORD_BYTES) this.isBroken = true;
      if (this.isBroken || data.length - at < whole) break;
      const record = data.subarray(at, at + whole);
      const payload = decodeRecord(record);
      if (payload === null) {
        this.isBroken = true;
        break;
      }
      const position = this.#position + at;
      at += whole;
      yield { kind: record[4]!, payload, position, next: position + whole };
    }
    this.#pending = data.slice(at);
    this.#position += at;
  }
}

/** True when these are the first bytes of a recording. */
export function isRecording(bytes: Uint8Array): boolean {
  return new TextDecoder().decode(bytes.subarray(0, MAGIC.length)) === MAGIC;
}

/** A header that is sound as far as this page needs it; null when it is none. */
export function headerOf(record: RecordingRecord): RecordingHeader | null {
  if (record.kind !== KIND_HEADER) return null;
  try {
    const header = JSON.parse(new TextDecoder().decode(record.payload)) as RecordingHeader;
    return header.version === 1 && typeof header.source === 'string' ? header : null;
  } catch {
    return null;
  }
}
