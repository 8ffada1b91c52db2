/**
 * Boards that execute a user's real firmware image in rp2040js: loads the optional package and the files, and says what
 * is missing and where it is to be had.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Board } from '../../boards/board.ts';
import { cannotRead, exitCodes, Problem } from '../../boards/problem.ts';
import { nsPerMs } from '../../sim/board/time.ts';
import { patchRom, romBytes } from '../../sim/rp2040/boot-rom.ts';
import type { Rp2040Constructor } from '../../sim/rp2040/chip.ts';
import { parseImage, whereImagesAre } from '../../sim/rp2040/image.ts';
import { Rp2040Board, type Rp2040BoardOptions } from '../../sim/rp2040/rp2040-board.ts';

export interface WholeSystem {
  /** A UF2 or BIN file. */
  imagePath: string | undefined;
  /** A real boot ROM; ours if not given. */
  bootromPath?: string | undefined;
  /** Virtual time that it has been on for when its port can be opened. */
  bootMs?: number;
}

/** Until then the image has enumerated, mounted its file system and printed what nobody hears. */
const defaultBootMs = 300;
const chip = 'RP2040';

/** The image on `board`, powered up and booted. A Problem for what is missing or wrong. */
export async function bootImage(
  board: Board,
  { imagePath, bootromPath, bootMs = defaultBootMs }: WholeSystem,
  options: Rp2040BoardOptions = {},
): Promise<Rp2040Board> {
  if (board.chip !== chip) {
    throw new Problem(
      exitCodes.unsupported,
      `rp2040js cannot be ${board.id}`,
      [`${board.id} has ${board.chip}; rp2040js is an RP2040 with one core`],
      'Take --board kaluma-pico, or leave --engine out for the model of any board.',
    );
  }
  if (imagePath === undefined) {
    throw new Problem(
      exitCodes.missing,
      'no firmware image was given',
      ['rp2040js executes a real Kaluma, which Heapglass does not bring'],
      `${whereImagesAre} Then: --image FILE.`,
    );
  }
  const flash = parseImage(basename(imagePath), readInput(imagePath, whereImagesAre), board.flashBytes ?? 0);
  const rom = bootromPath === undefined ? undefined : readRom(bootromPath);
  const whole = new Rp2040Board({ board, create: await loadRp2040(), flash, ...(rom && { rom }) }, options);
  whole.advanceTo(bootMs * nsPerMs);
  return whole;
}

const whereRomsAre =
  'Leave --bootrom out: Heapglass has the functions itself. The real one is at https://github.com/raspberrypi/pico-bootrom-rp2040/releases (b1.bin or b2.bin).';

function readRom(path: string): Uint32Array {
  const rom = patchRom(readInput(path, whereRomsAre));
  if (rom !== null) return rom;
  throw new Problem(
    exitCodes.badInput,
    `${basename(path)} is no boot ROM of an RP2040`,
    [`a boot ROM has ${romBytes} bytes and "Mu" at 0x10`],
    whereRomsAre,
  );
}

function readInput(path: string, advice: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw cannotRead(path, error, advice);
  }
}

async function loadRp2040(): Promise<Rp2040Constructor> {
  try {
    return (await import('rp2040js')).RP2040;
  } catch (error) {
    throw new Problem(
      exitCodes.missing,
      'rp2040js is not installed',
      ['it is an optional part of Heapglass', (error as Error).message.split('\n')[0] ?? ''],
      'Run `npm install rp2040js` where Heapglass is installed.',
    );
  }
}
