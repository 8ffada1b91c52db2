/** Which board of the data an identity or a USB device is. */
import { type Board, boardIds, loadBoard } from '../../boards/board.ts';
import type { PortInfo } from '../transport/serial.ts';
import type { Identity } from './flasher.ts';

/** The board that calls itself so: Espruino's ids are its names in lower case, Kaluma's have a prefix. */
export function boardOfIdentity({ engine, board }: Identity): Board | null {
  const id = (engine === 'kaluma' ? `kaluma-${board}` : board).toLowerCase();
  return boardIds().includes(id) ? loadBoard(id) : null;
}

/** A port, and why it may be a board; `boards` is empty when nothing speaks for it. */
export interface FoundPort extends PortInfo {
  boards: string[];
  why: string;
}

/** USB-to-serial chips: a board may be behind one, and only its prompt can say so. */
const adapters: Readonly<Record<string, string>> = {
  '0403': 'FTDI',
  '10c4': 'Silicon Labs CP210x',
  '1a86': 'WCH CH34x',
  '067b': 'Prolific PL2303',
  '0d28': 'Arm DAPLink (micro:bit)',
};

/** Says of each port whether it looks like a board, and by what. */
export function judgePorts(ports: readonly PortInfo[]): FoundPort[] {
  const known = boardIds().map(loadBoard);
  return ports.map((port) => {
    const vendorId = port.vendorId?.toLowerCase().padStart(4, '0');
    const productId = port.productId?.toLowerCase().padStart(4, '0');
    if (vendorId === undefined) return { ...port, boards: [], why: 'no USB device' };
    const boards = known
      .filter(({ usb }) => usb && hex(usb.vendorId) === vendorId && hex(usb.productId) === productId)
      .map(({ id }) => id);
    const id = `${vendorId}:${productId}`;
    if (boards.length > 0) return { ...port, boards, why: `USB ${id}` };
    const adapter = adapters[vendorId];
    return adapter
      ? { ...port, boards: [], why: `USB ${id}, ${adapter}: a board may be behind it` }
      : { ...port, boards: [], why: `USB ${id} is no board that is known` };
  });
}

/** Whether a board may be on the port: by its ids, or behind an adapter. */
export const mayBeBoard = ({ boards, why }: FoundPort): boolean => boards.length > 0 || /may be/.test(why);

const hex = (id: number): string => id.toString(16).padStart(4, '0');
