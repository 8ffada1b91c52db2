/**
 * Whether an Espruino board's Storage takes a file, asked before anything is replaced (F2 of flasher.ts).
 *
 *   | header, file | header, replaced file (trash) | header, file | free ... |
 *
 * A new file goes to the free end. Where that is too short the board compacts first, but only if the file with its
 * header is less than the free end and the content of the trash together: the headers of the trash do not count, so a
 * Storage full of small replaced files refuses what it could hold. It is compacted by command then, which keeps all files.
 * Reference: Espruino src/jsflash.c, _jsfCreateFile and jsfGetStorageStats.
 */
import { exitCodes, Problem } from '../../boards/problem.ts';
import { type EspruinoConsole, UploadBroken } from './espruino-console.ts';

const headerBytes = 32;
const alignmentBytes = 4;
/** Erasing and writing all pages of a large Storage. */
const compactWithinMs = 30_000;
const storage = 'require("Storage")';

interface Room {
  freeBytes: number;
  trashBytes: number;
  /** -1 where the board does not count it: there may be some. */
  trashCount: number;
  /** Of the file that is replaced. */
  presentBytes: number;
}

/** A Problem when a file of `sizeBytes` in place of `name` cannot be stored. May compact the Storage. */
export async function checkRoom(board: EspruinoConsole, name: string, sizeBytes: number): Promise<void> {
  let room = await ask(board, name);
  if (room === null || takes(room, sizeBytes)) return;
  if (room.trashCount !== 0) {
    await board.ask(`(function(s){if(s.compact)s.compact();return 1})(${storage})`, compactWithinMs);
    room = await ask(board, name);
    if (room === null || takes(room, sizeBytes)) return;
  }
  throw new Problem(
    exitCodes.tooBig,
    'the program does not fit the Storage of the board',
    [
      `program ${sizeBytes} bytes`,
      `room ${Math.max(0, room.freeBytes + room.presentBytes - headerBytes)} bytes, what ${name} takes now included`,
    ],
    `Erase files that are not needed (${storage}.list() names them), or make the program smaller.`,
  );
}

function takes({ freeBytes, trashBytes, trashCount, presentBytes }: Room, sizeBytes: number): boolean {
  const neededBytes = aligned(sizeBytes) + headerBytes;
  // Each file of the trash may be padded by up to 3 bytes, which are not known.
  const contentBytes =
    Math.max(0, trashBytes - Math.max(0, trashCount) * (headerBytes + alignmentBytes - 1)) + presentBytes;
  return neededBytes <= freeBytes || neededBytes < freeBytes + contentBytes;
}

const aligned = (bytes: number): number => Math.ceil(bytes / alignmentBytes) * alignmentBytes;

/** What the board says of its Storage; null where it cannot say. */
async function ask(board: EspruinoConsole, name: string): Promise<Room | null> {
  const numbers = await board.askAgain(
    `(function(s,g){g=s.getStats?s.getStats():{trashCount:-1};return [s.getFree?s.getFree():-1,0|g.trashBytes,0|g.trashCount,(s.read("${name}")||"").length]})(${storage})`,
  );
  if (!Array.isArray(numbers) || numbers.length !== 4) throw new UploadBroken('the answer about free room is damaged');
  const [freeBytes, trashBytes, trashCount, presentBytes] = numbers as [number, number, number, number];
  return freeBytes < 0 ? null : { freeBytes, trashBytes, trashCount, presentBytes };
}
