/**
 * What every flasher does, and what it reports while it does it. Imports no Node: the browser flashes with the same code.
 *
 * Invariants
 *   F1  success is reported only after what the board stores was compared with what was sent: length and content.
 *   F2  what a board would refuse, truncate or half-store is refused before anything on the board is erased.
 *   F3  every failure is a Problem that names its cause and says what the board holds now.
 */
import { exitCodes, Problem } from '../../boards/problem.ts';

export type Phase = 'connect' | 'backup' | 'erase' | 'upload' | 'verify' | 'start';

export interface Progress {
  phase: Phase;
  doneBytes: number;
  /** 0 while a phase has no measure. */
  totalBytes: number;
  /** Of this phase so far, on the transport's clock. */
  bytesPerSecond: number;
  /** Milliseconds that this phase still takes at that rate; null while it cannot be said. */
  remainingMs: number | null;
  /** What happened, when it is worth a line of its own: a restart, a wait. */
  note: string | null;
}

/** What answers on a line. */
export interface Identity {
  engine: 'espruino' | 'kaluma';
  /** `2v29`, `1.2.1`; empty when the board did not say. */
  version: string;
  /** The board as it calls itself: `PUCKJS`, `pico`; empty when it did not say. */
  board: string;
}

export interface FlashOptions {
  onProgress?: (progress: Progress) => void;
  /** Stops at the next safe point: the board is left at its prompt. */
  signal?: AbortSignal;
  /** Is given what a program sends while the rest of it is still on its way to RAM. */
  onOutput?: (bytes: Uint8Array) => void;
  /** Uploads of the whole program that are tried before the line is given up. */
  attempts?: number;
}

export interface Flashed {
  storedBytes: number;
  /** Whole uploads that it took: 1 on a sound line. */
  attempts: number;
  /** Packets, chunks or lines that were sent again. */
  resent: number;
  uploadMs: number;
  bytesPerSecond: number;
  /** False where the board cannot be asked what it holds (RAM). */
  isVerified: boolean;
}

export interface Started {
  /** What showed that the program runs: its first telemetry frame, or the prompt that came back. */
  proof: 'frame' | 'prompt';
  /** What the program printed meanwhile, without telemetry. */
  text: string;
  /** The engine's own words when the program failed while starting. */
  error: string | null;
  /** Time from the start command to the proof. */
  elapsedMs: number;
}

export interface StartOptions {
  /**
   * Is given every chunk that the started program sends, once and in order; true once they held a telemetry frame.
   * Without it the prompt is the proof.
   */
  isFrame?: (bytes: Uint8Array) => boolean;
  /** False where a frame may come and the prompt does as well: the program is not known. */
  needsFrame?: boolean;
  timeoutMs?: number;
  /** Ends the wait. */
  signal?: AbortSignal;
}

export interface Flasher {
  readonly identity: Identity;
  /** The program the board stores; empty when there is none. */
  read(options?: FlashOptions): Promise<Uint8Array>;
  /** Stores the program (F1, F2). It does not run yet. */
  upload(program: Uint8Array, options?: FlashOptions): Promise<Flashed>;
  erase(): Promise<void>;
  start(options?: StartOptions): Promise<Started>;
}

/** Reports the progress of one phase with its rate and remaining time. */
export function phaseProgress(
  phase: Phase,
  totalBytes: number,
  nowMs: () => number,
  report: ((progress: Progress) => void) | undefined,
): (doneBytes: number, note?: string) => void {
  const startMs = nowMs();
  return (doneBytes, note) => {
    const elapsedMs = nowMs() - startMs;
    const bytesPerSecond = elapsedMs > 0 ? (doneBytes * 1000) / elapsedMs : 0;
    const remainingMs = bytesPerSecond > 0 ? ((totalBytes - doneBytes) * 1000) / bytesPerSecond : null;
    report?.({ phase, doneBytes, totalBytes, bytesPerSecond, remainingMs, note: note ?? null });
  };
}

/**
 * Refuses what no board can hold (F2): nothing at all, a NUL byte, more than `capacityBytes`.
 * Everything else, CRLF and non-ASCII included, is stored byte for byte.
 */
export function checkProgram(program: Uint8Array, capacityBytes: number, place: string): void {
  if (program.length === 0) {
    throw new Problem(
      exitCodes.badInput,
      'the program is empty',
      ['0 bytes: Espruino refuses to make the file, Kaluma would accept it and store nothing'],
      'To remove the program from the board use --erase.',
    );
  }
  const nulAt = program.indexOf(0);
  if (nulAt >= 0) {
    let line = 1;
    for (let at = 0; at < nulAt; at++) if (program[at] === 10) line++;
    throw new Problem(
      exitCodes.badInput,
      'the program holds a NUL byte',
      [
        `at byte ${nulAt}, line ${line}`,
        'both engines take it as the end of the program and would run what is before it',
      ],
      'Write it as \\0 or \\x00 inside a string.',
    );
  }
  if (program.length > capacityBytes) {
    throw new Problem(
      exitCodes.tooBig,
      `the program does not fit ${place}`,
      [`program ${program.length} bytes`, `room ${capacityBytes} bytes`, 'nothing was erased'],
      'Flash a minified bundle, or leave out parts of the program.',
    );
  }
}

export function throwIfAborted(signal: AbortSignal | undefined, facts: readonly string[] = []): void {
  if (signal?.aborted) throw interrupted(facts);
}

/** Ctrl-C; `facts` say what the board holds then. */
export function interrupted(facts: readonly string[]): Problem {
  const advice = 'Run the command again: it starts over. `heapglass flash --erase` leaves no program on the board.';
  return new Problem(exitCodes.interrupted, 'interrupted', facts, advice);
}

/** What the board holds when the wait for a started program was interrupted. */
export const startedFacts = ['the program is on the board and verified, and was started; whether it runs was not seen'];

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, at) => byte === b[at]);
