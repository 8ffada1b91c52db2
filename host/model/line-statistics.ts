/** What a decoder heard of a line, and what it knows that it did not hear. */

export interface LineStatistics {
  bytes: number;
  textBytes: number;
  frames: number;
  /** Records inside the frames heard: operations, failures, misuse, marks. */
  records: number;
  lostFrames: number;
  /** Records in the frames that were lost, as far as the frames after them say. */
  lostRecords: number;
  /** Operations that the board itself did not record: no room, or a lower level, as far as its event frames say. */
  unrecorded: number;
  damagedBytes: number;
  damagedRuns: number;
  /** Frames of a version or type that this decoder does not know. */
  unknownFrames: number;
  /** Sound frames with a body that makes no sense. */
  malformedFrames: number;
  duplicateFrames: number;
  restarts: number;
}

export const noStatistics = (): LineStatistics => ({
  bytes: 0,
  textBytes: 0,
  frames: 0,
  records: 0,
  lostFrames: 0,
  lostRecords: 0,
  unrecorded: 0,
  damagedBytes: 0,
  damagedRuns: 0,
  unknownFrames: 0,
  malformedFrames: 0,
  duplicateFrames: 0,
  restarts: 0,
});
