/**
 * Binary packets on the console (2v25 and later): DLE SOH, two bytes of type and length, the payload, no checksum.
 *
 *   10 01 | ttt lllll llllllll | payload          t: EVAL 1, EVENT 2, FILE_SEND 3, DATA 4, FILE_RECV 5; l <= 8191
 *
 * An ACK does not say that anything was stored: what Storage refuses is printed as an uncaught error, beside the ACK.
 * Source: espruino/Espruino@c5ff787b1 src/jsinteractive.c (jsiPacketProcess and around it).
 */
import type { Outcome } from '../../engine/engine.ts';
import type { Task } from '../machine.ts';
import { nsPerMs } from '../time.ts';
import { heatshrinkDecode } from './heatshrink.ts';
import { printJson } from './print-json.ts';
import { parseRelaxed } from './relaxed-json.ts';
import type { Storage } from './storage.ts';

const ack = '\x06';
const nak = '\x15';
const sizeMask = 0x1fff;
const responseBytes = 1024;
const packetTimeoutNs = 5000 * nsPerMs;
const fileTimeoutNs = 10_000 * nsPerMs;
/** Compressed data is stored in pieces of this size. */
const unpackedBytes = 512;

const types = { response: 0, eval: 1, event: 2, fileSend: 3, data: 4, fileReceive: 5 } as const;

export interface PacketHost {
  raw(text: string): void;
  readonly storage: Storage | null;
  nowNs(): number;
  /** A packet begins: the line's echo, which its DLE turned off, is turned on again. */
  echoAgain(): void;
  evaluateExpression(source: string): Task<Outcome>;
  /** The text of a function of the program's. */
  functionText(fn: unknown): string;
  /** Prints the outcome's error now. */
  report(outcome: Outcome): void;
  /** An exception that is printed at the end of the loop's turn. */
  throwLater(message: string): void;
  /** Calls E.on(name) handlers; false where there is none. */
  emit(name: string, value: unknown): Task<boolean>;
}

interface IncomingFile {
  name: string;
  sizeBytes: number;
  offset: number;
  isCompressed: boolean;
}

export class Packets {
  readonly #host: PacketHost;
  #received: number[] | null = null;
  #startedNs = 0;
  #file: IncomingFile | null = null;
  #fileUntilNs = 0;

  constructor(host: PacketHost) {
    this.#host = host;
  }

  get isReceiving(): boolean {
    return this.#received !== null;
  }

  start(): void {
    this.#received = [];
    this.#startedNs = this.#host.nowNs();
    this.#host.echoAgain();
  }

  reset(): void {
    this.#received = null;
    this.#file = null;
  }

  /** When a time-out is due; null when nothing is under way. */
  nextNs(): number | null {
    const due = [
      ...(this.#received ? [this.#startedNs + packetTimeoutNs] : []),
      ...(this.#file ? [this.#fileUntilNs] : []),
    ];
    return due.length === 0 ? null : Math.min(...due);
  }

  checkTimeouts(): void {
    const nowNs = this.#host.nowNs();
    if (this.#received && nowNs >= this.#startedNs + packetTimeoutNs) {
      this.#host.raw(nak);
      this.#received = null;
    }
    if (this.#file && nowNs >= this.#fileUntilNs) this.#file = null;
  }

  *handle(byte: number): Task {
    const received = this.#received!;
    received.push(byte);
    if (received.length < 2) return;
    const word = (received[0]! << 8) | received[1]!;
    if (received.length < 2 + (word & sizeMask)) return;
    yield* this.#process(word >> 13, Uint8Array.from(received.slice(2)));
    this.#received = null;
  }

  *#process(type: number, payload: Uint8Array): Task {
    const text = Buffer.from(payload).toString('latin1');
    switch (type) {
      case types.eval:
        yield* this.#evaluate(text);
        return;
      case types.event: {
        const value = parseRelaxed(text);
        const isObject = typeof value === 'object' && value !== null;
        this.#host.raw(isObject && (yield* this.#host.emit('packet', value)) ? ack : nak);
        return;
      }
      case types.fileReceive:
        this.#sendFile(text);
        return;
      case types.fileSend:
        this.#beginFile(text);
        return;
      case types.data:
        yield* this.#storeData(payload);
        return;
      default:
        this.#host.raw(nak);
    }
  }

  *#evaluate(source: string): Task {
    const outcome = yield* this.#host.evaluateExpression(source);
    if (outcome.kind !== 'value') {
      this.#host.raw(nak);
      this.#host.report(outcome);
      return;
    }
    this.#host.raw(ack);
    const functionText = (fn: unknown): string => this.#host.functionText(fn);
    const printed =
      outcome.value === undefined ? 'null' : printJson(outcome.value, { dropsQuotes: true, plain: true, functionText });
    this.#reply(types.response, Buffer.from(printed, 'latin1'));
  }

  #reply(type: number, data: Uint8Array): void {
    const word = (type << 13) | (data.length & sizeMask);
    this.#host.raw(`\x10\x01${String.fromCharCode(word >> 8, word & 255)}${Buffer.from(data).toString('latin1')}`);
  }

  #sendFile(text: string): void {
    const { fn } = fieldsOf(text);
    const data = typeof fn === 'string' ? (this.#host.storage?.read(fn) ?? null) : null;
    if (data === null) {
      this.#host.raw(nak);
      return;
    }
    this.#host.raw(ack);
    for (let at = 0; at < data.length; at += responseBytes) {
      this.#reply(types.data, data.subarray(at, at + responseBytes));
    }
    this.#reply(types.data, new Uint8Array(0));
  }

  #beginFile(text: string): void {
    this.#file = null;
    const { fn, s, c, fs } = fieldsOf(text);
    const sizeBytes = Math.trunc(Number(s)) || 0;
    // There is no FAT file system on these boards.
    if (typeof fn !== 'string' || sizeBytes === 0 || fs) {
      this.#host.raw(nak);
      return;
    }
    this.#file = { name: fn, sizeBytes, offset: 0, isCompressed: Boolean(c) };
    this.#fileUntilNs = this.#host.nowNs() + fileTimeoutNs;
    this.#host.raw(ack);
  }

  *#storeData(payload: Uint8Array): Task {
    const file = this.#file;
    if (file === null) {
      this.#host.raw(nak);
      return;
    }
    const data = file.isCompressed ? heatshrinkDecode(payload) : payload;
    const step = file.isCompressed ? unpackedBytes : Math.max(1, data.length);
    for (let at = 0; at < data.length; at += step) {
      const piece = data.subarray(at, at + step);
      const outcome = this.#host.storage?.write(file.name, piece, file.offset, file.sizeBytes);
      if (outcome?.error) this.#host.throwLater(outcome.error);
      file.offset += piece.length;
    }
    if (file.offset >= file.sizeBytes) this.#file = null;
    else this.#fileUntilNs = this.#host.nowNs() + fileTimeoutNs;
    yield* this.#host.emit('packetUpload', { l: payload.length, o: file.offset, s: file.sizeBytes, fn: file.name });
    this.#host.raw(ack);
  }
}

function fieldsOf(text: string): Record<string, unknown> {
  const value = parseRelaxed(text);
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
