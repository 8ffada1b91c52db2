/** `rp2040js:IMAGE[,bootrom=FILE]`: a real firmware image in this process as a Transport. See host/sim/whole-system.ts. */
import { loadBoard } from '../../boards/board.ts';
import { parseFaults } from '../../sim/board/faults.ts';
import type { Rp2040Board } from '../../sim/rp2040/rp2040-board.ts';
import { bootImage } from '../sim/whole-system.ts';
import { openBoard, type SimTransport } from './sim.ts';

const boardId = 'kaluma-pico';

/** Boots the image and opens its line. Rejects with a Problem: no image, not one for this chip, rp2040js missing. */
export async function openImage(
  spec: string,
  { seed, faults }: { seed?: number; faults?: string } = {},
): Promise<SimTransport<Rp2040Board>> {
  const [, imagePath = '', bootromPath] = /^(.*?)(?:,bootrom=(.*))?$/.exec(spec) ?? [];
  const board = await bootImage(
    loadBoard(boardId),
    { imagePath: imagePath === '' ? undefined : imagePath, bootromPath },
    { ...(seed !== undefined && { seed }), ...(faults !== undefined && { faults: parseFaults(faults) }) },
  );
  return openBoard(board, { name: `rp2040js:${imagePath}` });
}
