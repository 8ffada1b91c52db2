/**
 * Espruino's packets (firmware 2v25 and later): `10 01 hi lo payload`, type in the top 3 bits, length in the lower 13.
 *
 * They carry no checksum, and an ACK does not mean that anything was stored (a file that does not fit is ACKed, with an
 * error printed beside it): whoever uses them compares the stored length and CRC afterwards. The board gives a packet
 * up after 5 s without its bytes, and answers NAK then. Text of the REPL may stand before any answer.
 * References: Espruino src/jsinteractive.c, jsiPacketProcess; docs/flashing.md, "Espruino".
 */

import { UploadBroken } from './espruino-console.ts';
import { throwIfAborted } from './flasher.ts';
import { type Link, latin1 } from './link.ts';

export const packetTypes = {
  response: 0x0000,
  eval: 0x2000,
  fileSend: 0x6000,
  data: 0x8000,
  fileReceive: 0xa000,
} as const;
const lengthMask = 0x1fff;
const ACK = 0x06;
const NAK = 0x15;
/** The board's own time-out for a packet is 5 s. */
const answerWithinMs = 6_500;

export function encodePacket(type: number, payload: Uint8Array): Uint8Array {
  const head = type | payload.length;
  const bytes = new Uint8Array(4 + payload.length);
  bytes.set([0x10, 0x01, head >> 8, head & 255]);
  bytes.set(payload, 4);
  return bytes;
}

/** Sends one packet; true for ACK, false for NAK. `text` is what was printed before the answer. */
async function exchange(link: Link, type: number, payload: Uint8Array): Promise<{ isAck: boolean; text: string }> {
  link.takeAll();
  await link.write(encodePacket(type, payload));
  let text = '';
  for (const endMs = link.clock.nowMs() + answerWithinMs; ; ) {
    const byte = await link.readByte(Math.max(0, endMs - link.clock.nowMs()));
    if (byte === null) throw new UploadBroken(`a packet was not answered within ${answerWithinMs / 1000} s`);
    if (byte === ACK || byte === NAK) return { isAck: byte === ACK, text };
    text += String.fromCharCode(byte);
  }
}

/** Stores a file. Throws UploadBroken with what the board said; the caller verifies, and starts over. */
export async function sendFile(
  link: Link,
  name: string,
  content: Uint8Array,
  chunkBytes: number,
  onSent: (doneBytes: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const check = ({ isAck, text }: { isAck: boolean; text: string }, what: string) => {
    const error = /Uncaught[^\r\n]*/.exec(text)?.[0];
    if (error) throw new UploadBroken(`the board printed "${error}" at ${what}`);
    if (!isAck) throw new UploadBroken(`the board refused ${what} (NAK): bytes of it were lost`);
  };
  check(
    await exchange(link, packetTypes.fileSend, latin1(JSON.stringify({ fn: name, s: content.length }))),
    'the start of the file',
  );
  onSent(0);
  for (let at = 0; at < content.length; at += chunkBytes) {
    throwIfAborted(signal, ['the program on the board is incomplete']);
    const chunk = content.subarray(at, at + chunkBytes);
    check(await exchange(link, packetTypes.data, chunk), `bytes ${at} to ${at + chunk.length - 1}`);
    onSent(at + chunk.length);
  }
}

/** Reads a file; null when there is none. Throws UploadBroken when the stream breaks. */
export async function receiveFile(
  link: Link,
  name: string,
  onReceived: (doneBytes: number) => void,
): Promise<Uint8Array | null> {
  const content: number[] = [];
  // The data may hold any byte, and may come with the ACK in one chunk: none of it is flow control.
  link.flowControl = false;
  try {
    const { isAck } = await exchange(link, packetTypes.fileReceive, latin1(JSON.stringify({ fn: name })));
    if (!isAck) return null;
    for (;;) {
      const next = async () => {
        const byte = await link.readByte(answerWithinMs);
        if (byte === null) throw new UploadBroken('the board stopped in the middle of a file');
        return byte;
      };
      if ((await next()) !== 0x10 || (await next()) !== 0x01) throw new UploadBroken('a packet does not start as one');
      const head = ((await next()) << 8) | (await next());
      const length = head & lengthMask;
      if ((head & ~lengthMask) !== packetTypes.data) throw new UploadBroken('a packet is not one of data');
      if (length === 0) return Uint8Array.from(content);
      for (let n = 0; n < length; n++) content.push(await next());
      onReceived(content.length);
    }
  } finally {
    link.flowControl = true;
  }
}
