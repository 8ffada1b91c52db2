/** Puts a program on a board's flash as if it had been flashed before: what the uploads leave, without the upload. */
import type { Board } from '../../boards/board.ts';
import { exitCodes, Problem } from '../../boards/problem.ts';
import type { FlashMemory } from './flash-memory.ts';
import { programAreaOffset } from './kaluma/program-area.ts';

const storageHeaderBytes = 32;
const bootFile = '.bootcde';

/** The board starts it at its next power-up. A Problem when it does not fit. */
export function preload(board: Board, { bytes }: FlashMemory, program: string): void {
  const text = new TextEncoder().encode(program);
  if (board.engine === 'kaluma') {
    checkFits(board, text.length + 1, board.programAreaBytes ?? 0);
    bytes.fill(0xff, programAreaOffset, programAreaOffset + (board.programAreaBytes ?? 0));
    bytes.set(text, programAreaOffset);
    bytes[programAreaOffset + text.length] = 0;
    return;
  }
  checkFits(board, text.length + storageHeaderBytes, bytes.length);
  bytes.fill(0xff);
  const header = new Uint8Array(storageHeaderBytes);
  new DataView(header.buffer).setUint32(0, text.length, true);
  header.set(new TextEncoder().encode(bootFile), 4);
  bytes.set(header);
  bytes.set(text, storageHeaderBytes);
}

function checkFits({ id }: Board, neededBytes: number, availableBytes: number): void {
  if (neededBytes <= availableBytes) return;
  throw new Problem(
    exitCodes.tooBig,
    `the program does not fit ${id}`,
    [`it needs ${neededBytes} bytes of flash`, `the board has ${availableBytes} for it`],
    'Choose a board with more flash, or make the program smaller.',
  );
}
