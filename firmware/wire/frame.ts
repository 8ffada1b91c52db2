/**
 * Makes a frame: checksum and byte stuffing in one pass, because on a board each byte is interpreted JavaScript.
 *
 * Stuffing is COBS (Cheshire and Baker, "Consistent Overhead Byte Stuffing", 1999) over three reserved bytes instead of
 * one. A group is a code byte, `run` literal bytes, and the reserved byte that the code stands for:
 *
 *   index  3 * run + which   for run 0..83: `which` reserved byte follows (0: 00, 1: 11, 2: 13)
 *          252               84 literal bytes, and nothing follows
 *   code   the index-th byte value that is not itself reserved: 01..10, 12, 14..FF
 *
 *   before  41 00 42 13 43          after  04 41 | 06 42 | 04 43
 *
 * The last group's reserved byte is imaginary, as in COBS; the length in the body says where a frame ends. A frame
 * grows by one byte, and by one more for every 84 bytes that hold no reserved byte.
 *
 * The checksum is CRC-16/XMODEM (polynomial 0x1021, initial value 0, not reflected), computed without a table.
 */
import { DELIMITER, MAX_RUN_BYTES, XOFF, XON } from './format.ts';

/** CRC-16/XMODEM of bytes[from..to), continued from `crc`. */
export function crc16(bytes: Uint8Array, from: number, to: number, crc: number): number {
  let sum = crc;
  for (let i = from; i < to; i++) {
    let x = (sum >> 8) ^ bytes[i]!;
    x ^= x >> 4;
    sum = ((sum << 8) ^ (x << 12) ^ (x << 5) ^ x) & 0xffff;
  }
  return sum;
}

/** The code byte for a group index 0..252. */
export function groupCode(index: number): number {
  return index < 16 ? index + 1 : index === 16 ? 18 : index + 3;
}

/**
 * Writes the frame whose body (length, type, sequence, payload) is body[from..from+length) to `out`, checksum added.
 * Returns the number of bytes written; `out` holds at least MAX_FRAME_BYTES.
 */
export function encodeFrame(body: Uint8Array, from: number, length: number, out: Uint8Array): number {
  const end = from + length;
  let crc = 0;
  let codeAt = 1;
  let to = 2;
  let run = 0;
  out[0] = DELIMITER;
  for (let i = from; i < end + 2; i++) {
    let byte = 0;
    if (i < end) {
      byte = body[i]!;
      let x = (crc >> 8) ^ byte;
      x ^= x >> 4;
      crc = ((crc << 8) ^ (x << 12) ^ (x << 5) ^ x) & 0xffff;
    } else byte = i === end ? crc >> 8 : crc & 0xff;
    if (byte === DELIMITER || byte === XON || byte === XOFF) {
      out[codeAt] = groupCode(3 * run + (byte === DELIMITER ? 0 : byte === XON ? 1 : 2));
      codeAt = to++;
      run = 0;
    } else {
      out[to++] = byte;
      if (++run === MAX_RUN_BYTES) {
        out[codeAt] = groupCode(3 * MAX_RUN_BYTES);
        codeAt = to++;
        run = 0;
      }
    }
  }
  if (run === 0) return to - 1;
  out[codeAt] = groupCode(3 * run);
  return to;
}
