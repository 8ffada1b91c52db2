/** The sender's side of YMODEM, as small as the tests need it: packets, nothing that waits. */
import { crc16 } from '../../sim/board/kaluma/ymodem.ts';

export function packet(sequence: number, data: Uint8Array, size: 128 | 1024 = 1024): Uint8Array {
  const padded = new Uint8Array(size);
  padded.set(data);
  const crc = crc16(padded);
  return Uint8Array.of(size === 128 ? 0x01 : 0x02, sequence & 0xff, ~sequence & 0xff, ...padded, crc >> 8, crc & 0xff);
}

export function header(name: string, size: string): Uint8Array {
  return packet(0, Buffer.from(`${name}\0${size} `, 'latin1'), 128);
}

export const endOfSession: Uint8Array = packet(0, new Uint8Array(0), 128);
export const eot: Uint8Array = Uint8Array.of(0x04);
