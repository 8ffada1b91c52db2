/**
 * The seam between a virtual board and the firmware that runs on it: what the firmware is (a coroutine that yields
 * where the real one waits) and what it sees of its hardware.
 */
import type { Board } from '../../boards/board.ts';
import type { Engine } from '../engine/engine.ts';
import type { HostFunctions } from '../engine/sandbox.ts';
import type { FlashMemory } from './flash-memory.ts';
import type { PinChange } from './pins.ts';
import type { Random } from './random.ts';

export type { HostFunctions } from '../engine/sandbox.ts';

/** What the firmware waits for: a time (null: none), or bytes at its line, whichever is first. */
export interface Wait {
  untilNs: number | null;
  forInput: boolean;
}

export type Task<Result = void> = Generator<Wait, Result, void>;

export interface Firmware {
  /** From power-up on. When it returns the processor has stopped for good. */
  main(): Task;
  /** The line's interrupt: takes bytes at once, and says how many it had room for. */
  receive(bytes: Uint8Array): number;
  /** The engine that runs the program now; null where it has none. */
  readonly engine: Engine | null;
  /** True when the firmware has died as the real one does: silent until a power cycle. */
  readonly isDead: boolean;
}

export interface EngineLimits {
  /** Asked now and then while code runs: true ends the run as Ctrl-C does. */
  isInterrupted?: () => boolean;
  /** Core cycles after which a run counts as endless. */
  cycleBudget?: number;
}

/** Makes an engine for a board; called at each start of the interpreter, so that a reset gives a fresh heap. */
export type EngineFactory = (board: Board, functions: HostFunctions, limits?: EngineLimits) => Engine;

export interface Machine {
  readonly board: Board;
  readonly flash: FlashMemory;
  readonly random: Random;
  /** The processor's own time: runs ahead of the board's while it computes. */
  nowNs(): number;
  /** The processor is busy for this long without running JavaScript. */
  spend(ns: number): void;
  /** Writes to the line; the processor waits while the output buffer is full, at most `giveUpNs` without progress. */
  transmit(bytes: Uint8Array, giveUpNs?: number): void;
  /** Writes ahead of what is queued, from the line's interrupt: flow control. */
  transmitUrgently(bytes: Uint8Array): void;
  /** When all that was transmitted has left the board. */
  transmittedNs(): number;
  /** There is room again for bytes that `receive` refused. */
  takesInputAgain(): void;
  /** A host has the line open. */
  isAttached(): boolean;
  /** A pin's level now, 0 to 1, as the outside drives it; undefined where nothing does. */
  pin(number: number): number | undefined;
  /** All that the outside does to pins after power-up, in the order of their times. */
  readonly pinChanges: readonly PinChange[];
  /**
   * A run was computed ahead (`run.ts`): the processor can be reached from the time it began. What it has to say is said
   * until `stopRunning`, which leaves only what the output buffer holds.
   */
  keepRunning(): void;
  stopRunning(): void;
  /** The first time from `atNs` on at which the run that was computed last runs code, and does not wait in `spend`. */
  runsCodeNs(atNs: number): number;
  /** Makes an engine and lets its cycles drive the processor's time. */
  startEngine(functions: HostFunctions): Engine;
}

export type FirmwareFactory = (machine: Machine) => Firmware;
