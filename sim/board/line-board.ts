/**
 * A board as a host sees it, however it is simulated: a line, time that passes by events, and the power.
 * `VirtualBoard` models the firmware; `Rp2040Board` executes a real one.
 */
import type { Board } from '../../boards/board.ts';
import type { Line } from './line.ts';

export interface LineBoard {
  readonly board: Board;
  readonly line: Line;
  /** The board's time: of the last event that was run, or that was advanced to. */
  readonly nowNs: number;
  /** When the next thing happens; null when nothing will until the host acts. */
  nextEventNs(): number | null;
  /** Runs what is due until `atNs`, and stands there. */
  advanceTo(atNs: number): void;
  /** Runs the next event. False when there is none. */
  step(): boolean;
  /** Bytes from the host; they arrive at the line's pace. */
  receive(bytes: Uint8Array): void;
  /** The one receiver of the board's bytes. */
  onTransmit(receiver: (bytes: Uint8Array) => void): void;
  /** Called when the host's port vanishes: with the cable, and with the power of a USB board. */
  onPortLost(portLost: () => void): void;
  /** A host opens the port (raises DTR, connects). */
  attach(): void;
  detach(): void;
  /** Takes the power away and gives it back: RAM is gone, flash stays. A USB port goes with it. */
  powerCycle(): void;
}
