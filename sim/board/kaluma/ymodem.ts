/**
 * Kaluma's YMODEM receiver, with everything it does that the protocol does not say.
 *
 *   bad CRC                         'C', never NAK
 *   wrong or repeated sequence      NAK; nothing else, so a resend after a lost ACK never succeeds
 *   more than 5 errors              CA CA each time, and it stays
 *   'a' or 'A' where a packet starts, or CA CA   ends the transfer
 *   a packet that stays incomplete  its bytes are read again as starts of packets
 *
 * Source: kaluma-project/kaluma@1.2.1 src/ymodem.c. CRC: poly 0x1021, start 0 (CRC-16/XMODEM).
 */
import type { Task } from '../machine.ts';
import type { KalumaTty } from './tty.ts';

const soh = 0x01;
const stx = 0x02;
const eot = 0x04;
const ack = 0x06;
const nak = 0x15;
const ca = 0x18;
const askForCrc = 0x43;
const abortBytes = new Set([0x41, 0x61]);
const packetTimeoutMs = 1000;
const maxErrors = 5;
const fileSizeDigits = 16;

export type YmodemResult = 'ok' | 'tooLarge' | 'dataRefused' | 'aborted';

/** What the receiver does with the file; each says false to refuse. */
export interface YmodemSink {
  header(fileSizeBytes: number): boolean;
  packet(data: Uint8Array): boolean;
  footer(): void;
}

type Packet =
  | { kind: 'data'; sequence: number; data: Uint8Array }
  | { kind: 'endOfFile' | 'cancelledBySender' | 'aborted' | 'error' };

export function crc16(data: Uint8Array): number {
  let crc = 0;
  for (const byte of data) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}

function* receivePacket(tty: KalumaTty): Task<Packet> {
  const start = (yield* tty.readSync(1, packetTimeoutMs))?.[0];
  if (start === undefined) return { kind: 'error' };
  if (start === eot) return { kind: 'endOfFile' };
  if (start === ca) {
    const second = (yield* tty.readSync(1, packetTimeoutMs))?.[0];
    return { kind: second === ca ? 'cancelledBySender' : 'error' };
  }
  if (abortBytes.has(start)) return { kind: 'aborted' };
  if (start !== soh && start !== stx) return { kind: 'error' };
  const dataBytes = start === soh ? 128 : 1024;
  const rest = yield* tty.readSync(2 + dataBytes + 2, packetTimeoutMs);
  if (rest === null || rest[0] !== (rest[1]! ^ 0xff)) return { kind: 'error' };
  const data = rest.subarray(2, 2 + dataBytes);
  const sentCrc = (rest[2 + dataBytes]! << 8) | rest[3 + dataBytes]!;
  return crc16(data) === sentCrc ? { kind: 'data', sequence: rest[0]!, data } : { kind: 'error' };
}

/** The size as C's atoi reads it from behind the name; 0 when there is none. */
function fileSizeOf(header: Uint8Array): number {
  const nameEnd = Math.min(header.indexOf(0), 64);
  const digits = String.fromCharCode(...header.subarray(nameEnd + 1, nameEnd + 1 + fileSizeDigits));
  const number = Number.parseInt(/^\s*[+-]?\d+/.exec(digits)?.[0] ?? '0', 10);
  // The receiver keeps it unsigned, 32 bits wide.
  return number >>> 0;
}

/** Receives one session. Returns only at its end or abort: it asks for ever. */
export function* receiveYmodem(tty: KalumaTty, sink: YmodemSink): Task<YmodemResult> {
  let errors = 0;
  let hasBegun = false;
  for (;;) {
    let packetsReceived = 0;
    let isFileDone = false;
    while (!isFileDone) {
      const packet = yield* receivePacket(tty);
      if (packet.kind !== 'error' && packet.kind !== 'aborted') errors = 0;
      switch (packet.kind) {
        case 'cancelledBySender':
          tty.putByte(ack);
          return 'aborted';
        case 'endOfFile':
          tty.putByte(ack);
          isFileDone = true;
          break;
        case 'aborted':
          tty.putBytes(Uint8Array.of(ca, ca));
          return 'aborted';
        case 'error':
          if (hasBegun) errors++;
          tty.putBytes(errors > maxErrors ? Uint8Array.of(ca, ca) : Uint8Array.of(askForCrc));
          break;
        case 'data': {
          const { sequence, data } = packet;
          if (sequence !== (packetsReceived & 0xff)) {
            tty.putByte(nak);
            break;
          }
          if (packetsReceived > 0) {
            if (!sink.packet(data)) {
              tty.putBytes(Uint8Array.of(ca, ca));
              return 'dataRefused';
            }
            tty.putByte(ack);
          } else if (data[0] === 0) {
            tty.putByte(ack);
            sink.footer();
            return 'ok';
          } else {
            if (!sink.header(fileSizeOf(data))) {
              tty.putBytes(Uint8Array.of(ca, ca));
              return 'tooLarge';
            }
            tty.putBytes(Uint8Array.of(ack, askForCrc));
          }
          packetsReceived++;
          hasBegun = true;
        }
      }
    }
  }
}
