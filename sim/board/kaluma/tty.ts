/**
 * Kaluma's terminal: tinyusb's receive FIFO, the ring buffer behind it, and stdio over USB.
 *
 *   line --packets--> FIFO (256 B; full: the host is held back) --available()--> ring (2048 B, unchecked) --> REPL
 *
 * Sources: kaluma-project/kaluma@1.2.1 targets/rp2/src/tty.c, src/ringbuffer.c; raspberrypi/pico-sdk@95ea6aca
 * src/rp2_common/pico_stdio_usb (tusb_config.h: 256-byte FIFOs; stdio_usb.c: gives up after 500 ms without progress).
 */
import type { Machine, Task } from '../machine.ts';
import { nsPerMs } from '../time.ts';

const fifoBytes = 256;
const packetBytes = 64;
const ringBytes = 2048;
const etx = 0x03;
/** PICO_STDIO_USB_STDOUT_TIMEOUT_US. */
const giveUpNs = 500 * nsPerMs;
/**
 * What a byte takes on its way to USB: one by one through putchar (`print`, `process.stdout`), or within a text through
 * printf (console.log, the REPL). Measured with micros() on Kaluma 1.2.1 executed in rp2040js, 8 to 192 bytes.
 */
const putNsPerByte = 25_200;
const printfNsPerByte = 10_800;

export class KalumaTty {
  readonly #machine: Machine;
  #fifo: number[] = [];
  #hasRefused = false;
  readonly #ring = new Uint8Array(ringBytes);
  #readAt = 0;
  #writeAt = 0;
  /** Ctrl-C asked the VM to stop; the next byte that is read takes that back. */
  isVmStopAsked = false;
  /** During a YMODEM transfer 0x03 is data. */
  isTransferring = false;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** The USB interrupt. A packet that does not fit is refused, and offered again. */
  receive(bytes: Uint8Array): number {
    if (this.#fifo.length + packetBytes > fifoBytes) {
      this.#hasRefused = true;
      return 0;
    }
    this.#fifo.push(...bytes);
    if (!this.isTransferring && bytes.includes(etx)) {
      this.isVmStopAsked = true;
      this.#fifo = [];
    }
    return bytes.length;
  }

  /** Moves what came into the ring, and says how much is there. */
  available(): number {
    if (this.#fifo.length > 0) {
      for (const byte of this.#fifo) {
        this.#ring[this.#writeAt] = byte;
        this.#writeAt = (this.#writeAt + 1) % ringBytes;
      }
      this.#fifo = [];
      this.isVmStopAsked = false;
    }
    if (this.#hasRefused) {
      this.#hasRefused = false;
      this.#machine.takesInputAgain();
    }
    return (this.#writeAt - this.#readAt + ringBytes) % ringBytes;
  }

  /** All that is there. */
  read(length = this.available()): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
      bytes[i] = this.#ring[this.#readAt]!;
      this.#readAt = (this.#readAt + 1) % ringBytes;
    }
    return bytes;
  }

  /** Waits for `length` bytes. After the time-out null, and what has come stays in the ring. */
  *readSync(length: number, timeoutMs: number): Task<Uint8Array | null> {
    const untilNs = this.#machine.nowNs() + timeoutMs * nsPerMs;
    while (this.available() < length) {
      if (this.#machine.nowNs() >= untilNs) return null;
      yield { untilNs, forInput: true };
    }
    return this.read(length);
  }

  putBytes(bytes: Uint8Array, nsPerByte = putNsPerByte): void {
    for (let at = 0; at < bytes.length; at += packetBytes) {
      const part = bytes.subarray(at, at + packetBytes);
      this.#machine.spend(part.length * nsPerByte);
      this.#machine.transmit(part, giveUpNs);
    }
  }

  putByte(byte: number): void {
    this.putBytes(Uint8Array.of(byte));
  }

  print(text: string): void {
    this.putBytes(new TextEncoder().encode(text), printfNsPerByte);
  }
}
