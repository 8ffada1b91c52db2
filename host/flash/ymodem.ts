/**
 * YMODEM as Kaluma's receiver really speaks it (kaluma src/ymodem.c, 1.2.1), the sending half.
 *
 *   packet   SOH (128 bytes) or STX (1024), seq, 255 - seq, data padded with 0x1A, CRC-16/XMODEM big-endian
 *   header   seq 0: name NUL decimal-size SPACE        answer ACK 'C', after the whole program area was erased
 *   data     seq 1..255, 0, 1...                       answer ACK
 *   EOT                                                answer one ACK: no NAK, no 'C'
 *   all-zero header                                    answer ACK, the session ends
 *
 * What the answers mean when they are not ACK:
 *   'C'      it waits for a packet: the last one was damaged, or its ACK was lost. A resend is right, once it is clear
 *            that no ACK is still on its way.
 *   NAK      a whole packet whose number is not the one expected; the receiver changes nothing and says nothing else.
 *              - to a packet that was sent again: the board has it, and its ACK was lost. A further resend can never
 *                succeed, so the next packet follows.
 *              - to a packet that was sent once: the answer of an earlier copy that came late (an ACK follows), or the
 *                ACK before was none. The packet is sent again; when that gets a NAK too it may be either, the next
 *                packet is tried, and a NAK to that ends the transfer, to start it over.
 *   CAN CAN  it gave up, but after time-outs it stays in the mode all the same: it must be cancelled.
 */
import { crc16 } from '../../firmware/wire/frame.ts';
import { throwIfAborted } from './flasher.ts';
import { type Link, latin1 } from './link.ts';

const SOH = 0x01;
const STX = 0x02;
const EOT = 0x04;
const ACK = 0x06;
const NAK = 0x15;
const CAN = 0x18;
const READY = 0x43;
const PADDING = 0x1a;

const shortBytes = 128;
const longBytes = 1024;
/** The first 'C' comes after 1 s; another each second. */
const readyWithinMs = 5_000;
/** The board erases 512 KiB before it answers the header: 1.2 s typical, flash data sheets allow several. */
const eraseWithinMs = 20_000;
/** A damaged packet is noticed by the board after at most 1 s; ten such waits are a dead line. */
const answerWithinMs = 3_000;
/** After a 'C': the time in which an ACK that was sent before it arrives. */
const lateAckMs = 250;
const resendsAtMost = 10;

/** Why a transfer stopped; the caller starts over or says so. */
export class TransferBroken extends Error {}

/** One packet, `data` padded to 128 or 1024 bytes. */
export function packet(sequence: number, data: Uint8Array, padding = PADDING): Uint8Array {
  const size = data.length > shortBytes ? longBytes : shortBytes;
  const bytes = new Uint8Array(size + 5).fill(padding);
  bytes.set([size === longBytes ? STX : SOH, sequence & 255, 255 - (sequence & 255)]);
  bytes.set(data, 3);
  const crc = crc16(bytes, 3, 3 + size, 0);
  bytes[size + 3] = crc >> 8;
  bytes[size + 4] = crc & 255;
  return bytes;
}

/** The header packet's data: a size is always given, because without one the board stores nothing and says it worked. */
export function header(name: string, sizeBytes: number): Uint8Array {
  return latin1(`${name}\0${sizeBytes} `);
}

export interface SendReport {
  resent: number;
  /** What came with the last answer; the board's last words may have begun in it. */
  tail: string;
}

/**
 * Sends `program` after `.flash -w` was answered. Returns when the board acknowledged the end of the session; its
 * "Done" is the caller's to read. Throws TransferBroken, and the Problem of a lost line or of `signal`.
 */
export async function sendYmodem(
  link: Link,
  name: string,
  program: Uint8Array,
  onSent: (doneBytes: number, isErasing: boolean) => void,
  signal?: AbortSignal,
): Promise<SendReport> {
  const sender = new Sender(link, signal);
  await sender.awaitReady();
  onSent(0, true);
  await sender.send('the header', packet(0, header(name, program.length), 0), eraseWithinMs);
  // The header's ACK is followed by a 'C'; a late one would look like a request to resend.
  await link.readUntil((text) => (text.includes('C') ? true : null), lateAckMs);
  onSent(0, false);
  for (let at = 0, sequence = 1; at < program.length; sequence++) {
    const data = program.subarray(at, at + longBytes);
    await sender.send(`packet ${sequence}`, packet(sequence, data), answerWithinMs);
    at += data.length;
    onSent(at, false);
  }
  // May be sent again without harm: the board takes a second EOT as the end of another empty file.
  await sender.send('the end of the file', Uint8Array.of(EOT), answerWithinMs);
  const tail = await sender.sendEnd(packet(0, new Uint8Array(shortBytes), 0));
  return { resent: sender.resent, tail };
}

type Answer = 'ack' | 'nak' | 'again' | 'cancelled';

class Sender {
  readonly #link: Link;
  readonly #signal: AbortSignal | undefined;
  /** It is not certain that the board has the packet before. */
  #isDoubtful = false;
  resent = 0;

  constructor(link: Link, signal: AbortSignal | undefined) {
    this.#link = link;
    this.#signal = signal;
  }

  async awaitReady(): Promise<void> {
    const { value } = await this.#link.readUntil((text) => (text.includes('C') ? true : null), readyWithinMs);
    if (value === null) throw new TransferBroken("the board never asked for a packet (no 'C')");
  }

  /** Sends until the board has it. */
  async send(what: string, bytes: Uint8Array, withinMs: number): Promise<void> {
    let naks = 0;
    for (let tries = 0; tries <= resendsAtMost; tries++) {
      throwIfAborted(this.#signal, ['the program on the board is incomplete']);
      if (tries > 0) this.resent++;
      this.#link.takeAll();
      await this.#link.write(bytes);
      const answer = await this.#answer(withinMs);
      if (answer === 'cancelled')
        throw new TransferBroken(`${what} reached the board short or damaged, and it gave up (CAN CAN)`);
      if (answer === 'ack') {
        this.#isDoubtful = false;
        return;
      }
      if (answer === 'nak') {
        if (this.#isDoubtful) throw new TransferBroken(`the acknowledgement of what came before ${what} was lost`);
        naks++;
        if (tries === 0) continue;
        this.#isDoubtful = naks > 1;
        return;
      }
    }
    throw new TransferBroken(`${what} was sent ${resendsAtMost + 1} times and never acknowledged`);
  }

  /**
   * The empty header that ends the session. Its ACK may be lost: then "Done", or any other last word, is the answer.
   * Returns the text that came.
   */
  async sendEnd(bytes: Uint8Array): Promise<string> {
    const isAnswer = (text: string) => (/[\x06\x15]|\x18\x18/.test(text) || lastWords.test(text) ? true : null);
    for (let tries = 0; tries <= resendsAtMost; tries++) {
      if (tries > 0) this.resent++;
      this.#link.takeAll();
      await this.#link.write(bytes);
      const { value, text } = await this.#link.readUntil(isAnswer, answerWithinMs);
      if (/\x15|\x18\x18/.test(text)) throw new TransferBroken('the board did not take the end of the session');
      if (value) return text;
    }
    throw new TransferBroken('the end of the session was never acknowledged');
  }

  async #answer(withinMs: number): Promise<Answer> {
    let isCancelling = false;
    let waitMs = withinMs;
    let isNak = false;
    for (;;) {
      const byte = await this.#link.readByte(waitMs);
      if (byte === ACK) return 'ack';
      if (byte === CAN) {
        if (isCancelling) return 'cancelled';
        isCancelling = true;
        continue;
      }
      isCancelling = false;
      if (byte === null) return isNak ? 'nak' : 'again';
      // An ACK that was on its way before may still follow either of them.
      if (byte === NAK) isNak = true;
      if (byte === NAK || byte === READY) waitMs = Math.min(waitMs, lateAckMs);
    }
  }
}

/** What the board says when a session is over, one way or another (kaluma src/repl.c). */
export const lastWords = /\r\n(Done|Aborted|Verification failed|The file size is too large|Failed to receive)\r\n/;

/** Text that shows a board waiting for YMODEM: nothing but 'C' and CAN. */
export function isWaitingForPackets(text: string): boolean {
  return /^[C\x18\s]*(?:C|\x18\x18)[C\x18\s]*$/.test(text);
}

/** Takes the board out of the receive mode. True when it said that it aborted. */
export async function cancelYmodem(link: Link): Promise<boolean> {
  const isOver = (text: string) => (/Aborted|Done|failed/.test(text) ? true : null);
  // Where it aborted by itself, it says so half a second later.
  if ((await link.readUntil(isOver, 700)).value) return true;
  // In the middle of a packet the letter is taken for data, until the board's time-out of 1 s; so it is tried again.
  for (let tries = 0; tries < 6; tries++) {
    await link.write('a');
    // An echo of the letter is the prompt's: the board had left the mode.
    const { value } = await link.readUntil((text) => isOver(text) ?? (text.includes('a') ? true : null), 1_500);
    if (value) return true;
  }
  return false;
}
