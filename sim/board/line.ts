/**
 * The wire between host and board, paced in virtual time in both directions, with the buffers of its ends.
 *
 *   host --hostQueue--> [unit on the wire] --> board.receive      (a unit: one byte of a UART, one packet of USB or BLE)
 *   board --transmit FIFO (outputBufferBytes)--> wire --> host
 *
 * Invariant L1: bytes arrive in the order they were sent.
 * Invariant L2: over any span the wire carries at most bytesPerSecond.
 * USB and BLE push back: a board that does not take a packet leaves it with the host, a host that does not read leaves
 * the board's FIFO full. A UART does neither: what is not taken is lost.
 */
import type { EventQueue } from './event-queue.ts';
import { disturb, disturbsBytes, type Faults, type Window } from './faults.ts';
import type { Random } from './random.ts';
import { nsPerMs, nsPerSecond } from './time.ts';

export interface LineFacts {
  kind: 'usb' | 'uart' | 'ble';
  bytesPerSecond: number;
  /** The largest unit that the wire carries at once. */
  unitBytes: number;
  /** What the board's end holds before its writer waits. */
  outputBufferBytes: number;
}

/** The board's end: how many of the bytes it took. What a UART's end does not take is lost. */
export type BoardEnd = (bytes: Uint8Array) => number;

interface Sent {
  bytes: Uint8Array;
  /** When its first byte starts on the wire. */
  startNs: number;
}

export class Line {
  readonly facts: LineFacts;
  readonly #queue: EventQueue;
  readonly #random: Random;
  readonly #faults: Faults;
  readonly #nsPerByte: number;
  readonly #disturbs: boolean;
  #boardEnd: BoardEnd = (bytes) => bytes.length;
  #hostEnd: (bytes: Uint8Array) => void = () => {};
  #isAttached = false;
  #isPlugged = true;

  #hostQueue: Uint8Array[] = [];
  #hostQueuedBytes = 0;
  #isUnitOnWire = false;
  /** A packet the board did not take; offered again by `boardTakesAgain`. */
  #refused: Uint8Array | null = null;
  #drained: () => void = () => {};
  /** Counts clearings: what was on the wire before one does not arrive. */
  #epoch = 0;

  readonly #sent: Sent[] = [];
  #wireFreeNs = 0;
  /** When the bytes that are still to be sent began, or will begin, to leave without a gap. */
  #burstNs = 0;
  /** When the board's writer last found room. */
  #progressNs = 0;
  #isDeliveryDue = false;

  /** Bytes lost because the board's input buffer was full. */
  overflowedBytes = 0;
  /** Bytes that the board wrote while no host listened. */
  unheardBytes = 0;

  constructor(facts: LineFacts, queue: EventQueue, random: Random, faults: Faults) {
    this.facts = facts;
    this.#queue = queue;
    this.#random = random;
    this.#faults = faults;
    this.#nsPerByte = nsPerSecond / facts.bytesPerSecond;
    this.#disturbs = disturbsBytes(faults);
  }

  setBoardEnd(end: BoardEnd): void {
    this.#boardEnd = end;
  }

  setHostEnd(end: (bytes: Uint8Array) => void): void {
    this.#hostEnd = end;
  }

  /** Called when the host's queue has become empty. */
  onDrained(drained: () => void): void {
    this.#drained = drained;
  }

  /** A host has the port open (DTR on USB, a central is connected on BLE). */
  get isAttached(): boolean {
    return this.#isAttached && this.#isPlugged;
  }

  set isAttached(attached: boolean) {
    this.#isAttached = attached;
    if (!attached) this.#clear();
  }

  get isPlugged(): boolean {
    return this.#isPlugged;
  }

  set isPlugged(plugged: boolean) {
    this.#isPlugged = plugged;
    if (!plugged) this.#clear();
  }

  get hostQueuedBytes(): number {
    return this.#hostQueuedBytes;
  }

  /** The host writes at `nowNs`. Without a cable the bytes go nowhere. */
  hostWrite(bytes: Uint8Array, nowNs: number): void {
    if (!this.#isPlugged || bytes.length === 0) return;
    this.#hostQueue.push(bytes.slice());
    this.#hostQueuedBytes += bytes.length;
    this.#sendUnit(nowNs);
  }

  /** The board has room again: it refused a packet before. */
  boardTakesAgain(nowNs: number): void {
    if (this.#refused === null) return;
    const packet = this.#refused;
    this.#refused = null;
    this.#arrive(packet, nowNs);
  }

  /**
   * The board writes at `atNs`. Returns when the call returns: at once while the FIFO has room, else when the last byte
   * found room. `giveUpNs`: how long the writer waits without progress before it drops the rest.
   */
  boardWrite(bytes: Uint8Array, atNs: number, giveUpNs = Number.POSITIVE_INFINITY): number {
    if (!this.isAttached && this.facts.kind !== 'uart') {
      this.unheardBytes += bytes.length;
      return atNs;
    }
    const unheardUntilNs = this.facts.kind === 'uart' ? 0 : windowEnd(this.#faults.deafHost, atNs);
    const startNs = Math.max(this.#wireFreeNs, atNs, unheardUntilNs);
    const unsentNs = Math.max(0, this.#wireFreeNs - Math.max(atNs, this.#burstNs));
    const roomBytes = Math.max(0, this.facts.outputBufferBytes - Math.ceil(unsentNs / this.#nsPerByte));
    let taken = bytes;
    if (roomBytes > 0) this.#progressNs = atNs;
    const givesUpNs = Math.max(atNs, this.#progressNs + giveUpNs);
    if (unheardUntilNs > givesUpNs && bytes.length > roomBytes) {
      taken = bytes.subarray(0, roomBytes);
      this.unheardBytes += bytes.length - roomBytes;
      this.#send(taken, startNs);
      return givesUpNs;
    }
    this.#send(taken, startNs);
    if (bytes.length <= roomBytes) return atNs;
    return Math.max(atNs, Math.round(this.#wireFreeNs - this.facts.outputBufferBytes * this.#nsPerByte));
  }

  /** Flow-control characters overtake what is queued. */
  boardWriteUrgently(bytes: Uint8Array, atNs: number): void {
    this.#queue.add(atNs + Math.ceil(bytes.length * this.#nsPerByte), () => {
      if (this.isAttached) this.#hostEnd(bytes);
    });
  }

  /** Takes back what the board would write after `atNs`, but for what its output buffer holds then. */
  cutOutput(atNs: number): void {
    const endNs = Math.min(this.#wireFreeNs, atNs + this.facts.outputBufferBytes * this.#nsPerByte);
    const kept = this.#sent.filter(({ startNs }) => startNs < endNs);
    this.#sent.splice(0, this.#sent.length, ...kept);
    this.#wireFreeNs = Math.max(atNs, endNs);
  }

  /** When everything the board wrote has left it. */
  get boardIdleNs(): number {
    return this.#wireFreeNs;
  }

  #send(bytes: Uint8Array, startNs: number): void {
    if (bytes.length === 0) return;
    this.#sent.push({ bytes: bytes.slice(), startNs });
    if (startNs > this.#wireFreeNs) this.#burstNs = startNs;
    this.#wireFreeNs = startNs + bytes.length * this.#nsPerByte;
    if (!this.#isDeliveryDue) this.#scheduleDelivery(startNs + this.#nsPerByte);
  }

  /** Bytes are handed to the host at most once a millisecond, as a USB host does each frame. */
  #scheduleDelivery(firstByteNs: number): void {
    this.#isDeliveryDue = true;
    const atNs = Math.ceil(firstByteNs) + nsPerMs;
    this.#queue.add(atNs, () => this.#deliver(atNs));
  }

  #deliver(nowNs: number): void {
    this.#isDeliveryDue = false;
    const parts: Uint8Array[] = [];
    while (this.#sent[0] && this.#sent[0].startNs + this.#nsPerByte <= nowNs + 1) {
      const { bytes, startNs } = this.#sent[0];
      const arrived = Math.min(bytes.length, Math.floor((nowNs + 1 - startNs) / this.#nsPerByte));
      parts.push(bytes.subarray(0, arrived));
      if (arrived === bytes.length) this.#sent.shift();
      else {
        this.#sent[0] = { bytes: bytes.subarray(arrived), startNs: startNs + arrived * this.#nsPerByte };
        break;
      }
    }
    const next = this.#sent[0];
    if (next) this.#scheduleDelivery(next.startNs + this.#nsPerByte);
    const whole = parts.length === 1 ? parts[0]! : concat(parts);
    if (whole.length === 0) return;
    if (!this.isAttached || windowEnd(this.#faults.deafHost, nowNs) > nowNs) {
      this.unheardBytes += whole.length;
      return;
    }
    const { bytes, stalledNs } = this.#disturbs
      ? disturb(whole, this.#faults, this.#random)
      : { bytes: whole, stalledNs: 0 };
    if (bytes.length === 0) return;
    if (stalledNs === 0) this.#hostEnd(bytes);
    else {
      // The stall holds back what follows as well: L1.
      for (const sent of this.#sent) sent.startNs += stalledNs;
      this.#wireFreeNs += stalledNs;
      this.#queue.add(nowNs + stalledNs, () => this.#hostEnd(bytes));
    }
  }

  /** Puts the host's next unit on the wire; it arrives when its last bit has passed. */
  #sendUnit(nowNs: number): void {
    if (this.#isUnitOnWire || this.#refused !== null || !this.#isPlugged) return;
    const first = this.#hostQueue[0];
    if (!first) return;
    const unit = first.subarray(0, this.facts.unitBytes);
    if (unit.length === first.length) this.#hostQueue.shift();
    else this.#hostQueue[0] = first.subarray(unit.length);
    const { bytes, stalledNs } = this.#disturbs
      ? disturb(unit, this.#faults, this.#random)
      : { bytes: unit, stalledNs: 0 };
    const arrivalNs = nowNs + Math.ceil(unit.length * this.#nsPerByte) + stalledNs;
    this.#isUnitOnWire = true;
    const epoch = this.#epoch;
    this.#queue.add(arrivalNs, () => {
      if (epoch !== this.#epoch) return;
      this.#isUnitOnWire = false;
      this.#hostQueuedBytes -= unit.length;
      this.#arrive(bytes, arrivalNs);
    });
  }

  #arrive(bytes: Uint8Array, nowNs: number): void {
    const taken = bytes.length === 0 ? 0 : this.#boardEnd(bytes);
    if (taken < bytes.length) {
      if (this.facts.kind === 'uart') this.overflowedBytes += bytes.length - taken;
      else {
        this.#refused = bytes.subarray(taken);
        return;
      }
    }
    this.#sendUnit(nowNs);
    if (this.#hostQueuedBytes === 0) this.#drained();
  }

  #clear(): void {
    this.#epoch++;
    this.#isUnitOnWire = false;
    this.#hostQueue = [];
    this.#hostQueuedBytes = 0;
    this.#refused = null;
    this.#sent.length = 0;
    this.#drained();
  }
}

/** The end of the window that `atNs` lies in; 0 when it lies in none. */
function windowEnd(windows: readonly Window[], atNs: number): number {
  const window = windows.find((one) => atNs >= one.atNs && atNs < one.atNs + one.forNs);
  return window ? window.atNs + window.forNs : 0;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
