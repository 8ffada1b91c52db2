/**
 * Comma-separated values, RFC 4180: the figures after each frame with events. Every field is a number or true/false, so
 * nothing that a board sends can be taken for a formula.
 */
import { HeapModel } from '../model/heap-model.ts';
import type { Recording } from '../recording/reader.ts';

const COLUMNS = [
  'at_ms',
  'operations',
  'live_bytes',
  'live_blocks',
  'peak_live_bytes',
  'free_bytes',
  'free_blocks',
  'largest_free_bytes',
  'external_fragmentation',
  'internal_fragmentation',
  'failures',
  'misuses',
  'lost_frames',
  'exact',
  'marks',
  'engine_used_bytes',
  'engine_total_bytes',
];

class CsvRows extends HeapModel {
  lostFrames = 0;
  /** Set so far, by the program and by who watched. */
  marks = 0;
  readonly #write: (text: string) => void;

  constructor(write: (text: string) => void) {
    super();
    this.#write = write;
  }

  mark(): void {
    this.marks++;
  }

  userMark(): void {
    this.marks++;
  }

  override lost(frames: number, records: number | null): void {
    super.lost(frames, records);
    this.lostFrames += frames;
  }

  override eventsEnd(): void {
    super.eventsEnd();
    const m = this.metrics();
    const row = [
      m.atMs,
      this.operations,
      m.liveBytes,
      m.liveBlocks,
      m.peakLiveBytes,
      m.freeBytes,
      m.freeBlocks,
      m.largestFreeBytes,
      m.externalFragmentation.toFixed(4),
      m.internalFragmentation.toFixed(4),
      this.failures,
      this.misuses,
      this.lostFrames,
      m.exact,
      this.marks,
      this.engineHeap.figures()?.usedBytes ?? '',
      this.engineHeap.figures()?.totalBytes ?? '',
    ];
    this.#write(`${row.join(',')}\r\n`);
  }
}

export function exportCsv(recording: Recording, write: (text: string) => void): void {
  write(`${COLUMNS.join(',')}\r\n`);
  recording.play(new CsvRows(write));
}
