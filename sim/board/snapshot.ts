/**
 * Snapshot and restore of a virtual board: what was done to it from outside, and when. A board is deterministic (B1),
 * so doing it again gives the same board, its program's variables and pending bytes included; no part of the state has
 * to be named, so none can be forgotten. Restoring takes the time that the run took to simulate.
 *
 * A snapshot is plain data and survives JSON.
 */
import { exitCodes, Problem } from '../../boards/problem.ts';
import type { Faults } from './faults.ts';
import type { PinChange } from './pins.ts';
import type { Stimulus, VirtualBoard } from './virtual-board.ts';

export interface Snapshot {
  version: 1;
  boardId: string;
  seed: number;
  atNs: number;
  /** What the board was made with. */
  made: {
    program?: string;
    faults?: Faults;
    pins?: Readonly<Record<number, 0 | 1>>;
    pinChanges?: readonly PinChange[];
    console?: 'usb' | 'uart' | 'ble';
  };
  stimuli: (Omit<Stimulus, 'bytes'> & { bytes?: string })[];
}

/** The board as it is now. */
export function snapshot(board: VirtualBoard): Snapshot {
  const { faults, pins, pinChanges, program, console } = board.options as Snapshot['made'];
  return {
    version: 1,
    boardId: board.board.id,
    seed: board.seed,
    atNs: board.nowNs,
    made: {
      ...(program !== undefined && { program }),
      ...(faults && { faults }),
      ...(pins && { pins }),
      ...(pinChanges && { pinChanges }),
      ...(console && { console }),
    },
    stimuli: board.stimuli.map((stimulus) =>
      stimulus.kind === 'bytes'
        ? { atNs: stimulus.atNs, kind: stimulus.kind, bytes: Buffer.from(stimulus.bytes).toString('base64') }
        : { atNs: stimulus.atNs, kind: stimulus.kind },
    ),
  };
}

/** A board like the one that was shot, at that time. `make` makes it as `createVirtualBoard` does. */
export function restore(
  shot: Snapshot,
  make: (boardId: string, options: Snapshot['made'] & { seed: number }) => VirtualBoard,
): VirtualBoard {
  if (shot.version !== 1) {
    throw new Problem(
      exitCodes.badInput,
      'this is no snapshot of a board',
      [`its version is ${shot.version}`],
      'Make a new one.',
    );
  }
  const board = make(shot.boardId, { ...shot.made, seed: shot.seed });
  for (const stimulus of shot.stimuli) {
    board.advanceTo(stimulus.atNs);
    if (stimulus.kind === 'bytes') board.receive(new Uint8Array(Buffer.from(stimulus.bytes ?? '', 'base64')));
    else board[stimulus.kind]();
  }
  board.advanceTo(shot.atNs);
  return board;
}
