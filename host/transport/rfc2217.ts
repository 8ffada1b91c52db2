/**
 * A serial port behind a Telnet server with the COM port option (RFC 2217): `rfc2217://HOST:PORT`, as pyserial's
 * rfc2217_server, ser2net and esp_rfc2217_server offer it.
 *
 * The coding: 0xFF in the data is doubled; the port is set up by subnegotiations of option 44 (8 data bits, no parity,
 * one stop bit, the rate, DTR and RTS). Options the server offers are taken when they make the line transparent
 * (binary, suppress-go-ahead, COM port) and declined otherwise. References: RFC 854, 855, 856, 858, 2217.
 */
import { exitCodes, Problem } from '../../boards/problem.ts';
import { defaultBaud } from './serial.ts';
import { connect, parseAddress, SocketTransport } from './tcp.ts';
import type { Transport } from './transport.ts';

const IAC = 255;
const DONT = 254;
const DO = 253;
const WONT = 252;
const WILL = 251;
const SB = 250;
const SE = 240;
const BINARY = 0;
const SUPPRESS_GO_AHEAD = 3;
const COM_PORT = 44;
const SET_BAUDRATE = 1;
const SET_DATASIZE = 2;
const SET_PARITY = 3;
const SET_STOPSIZE = 4;
const SET_CONTROL = 5;
const controlValue = { dtr: { on: 8, off: 9 }, rts: { on: 11, off: 12 } } as const;
/** The server answers a command with its number plus this. */
const SERVER_OFFSET = 100;

const wanted = [BINARY, SUPPRESS_GO_AHEAD, COM_PORT];
const answerWithinMs = 5_000;

const subnegotiation = (command: number, value: readonly number[]): number[] => [
  IAC,
  SB,
  COM_PORT,
  command,
  ...value.flatMap((byte) => (byte === IAC ? [IAC, IAC] : [byte])),
  IAC,
  SE,
];

/** Doubles each 0xFF. */
export function escapeTelnet(bytes: Uint8Array): Uint8Array {
  const doubled = bytes.reduce((count, byte) => count + (byte === IAC ? 1 : 0), 0);
  if (doubled === 0) return bytes;
  const escaped = new Uint8Array(bytes.length + doubled);
  let at = 0;
  for (const byte of bytes) {
    escaped[at++] = byte;
    if (byte === IAC) escaped[at++] = IAC;
  }
  return escaped;
}

export interface TelnetEvents {
  /** WILL, WONT, DO or DONT of an option. */
  option(verb: number, option: number): void;
  /** The bytes of a subnegotiation, its option first. */
  subnegotiation(bytes: readonly number[]): void;
}

/** Takes a Telnet stream apart, cut anywhere: returns the data bytes of a chunk, reports the rest. */
export class TelnetDecoder {
  readonly #events: TelnetEvents;
  #state: 'data' | 'iac' | 'option' | 'sub' | 'subIac' = 'data';
  #verb = 0;
  #sub: number[] = [];

  constructor(events: TelnetEvents) {
    this.#events = events;
  }

  push(bytes: Uint8Array): Uint8Array {
    const data = new Uint8Array(bytes.length);
    let count = 0;
    for (const byte of bytes) {
      switch (this.#state) {
        case 'data':
          if (byte === IAC) this.#state = 'iac';
          else data[count++] = byte;
          break;
        case 'iac':
          this.#state = 'data';
          if (byte === IAC) data[count++] = byte;
          else if (byte === SB) {
            this.#sub = [];
            this.#state = 'sub';
          } else if (byte >= WILL && byte <= DONT) {
            this.#verb = byte;
            this.#state = 'option';
          }
          break;
        case 'option':
          this.#state = 'data';
          this.#events.option(this.#verb, byte);
          break;
        case 'sub':
          if (byte === IAC) this.#state = 'subIac';
          else this.#sub.push(byte);
          break;
        case 'subIac':
          if (byte === IAC) {
            this.#sub.push(IAC);
            this.#state = 'sub';
          } else {
            this.#state = 'data';
            this.#events.subnegotiation(this.#sub);
          }
      }
    }
    return data.subarray(0, count);
  }
}

export async function openRfc2217(spec: string, options: { baud?: number } = {}): Promise<Transport> {
  const baud = options.baud ?? defaultBaud;
  const transport = new Rfc2217Transport(new SocketTransport(spec, await connect(spec, parseAddress(spec))));
  try {
    await transport.negotiate(baud);
  } catch (error) {
    await transport.close();
    throw error;
  }
  return transport;
}

class Rfc2217Transport implements Transport {
  readonly name: string;
  readonly clock;
  readonly #inner: SocketTransport;
  readonly #decoder: TelnetDecoder;
  /** What was said of each option, so that nothing is said twice (RFC 854: no loops). */
  readonly #said = new Set<string>();
  #accepted: (isAccepted: boolean) => void = () => {};
  #receiver: (bytes: Uint8Array) => void = () => {};

  constructor(inner: SocketTransport) {
    this.#inner = inner;
    this.name = inner.name;
    this.clock = inner.clock;
    this.#decoder = new TelnetDecoder({
      option: (verb, option) => this.#answer(verb, option),
      subnegotiation: ([option, command]) => {
        // Any answer to a COM port command shows that the server takes them.
        if (option === COM_PORT && command !== undefined && command >= SERVER_OFFSET) this.#accepted(true);
      },
    });
    inner.onData((bytes) => {
      const data = this.#decoder.push(bytes);
      if (data.length > 0) this.#receiver(data);
    });
  }

  /** Agrees on the option and sets the port up. A Problem when the server is none. */
  async negotiate(baud: number): Promise<void> {
    const answered = new Promise<boolean>((resolve) => {
      this.#accepted = resolve;
    });
    for (const option of wanted) {
      await this.#say(WILL, option);
      if (option !== COM_PORT) await this.#say(DO, option);
    }
    await this.#send(
      subnegotiation(SET_BAUDRATE, [baud >>> 24, (baud >>> 16) & 255, (baud >>> 8) & 255, baud & 255]),
      subnegotiation(SET_DATASIZE, [8]),
      subnegotiation(SET_PARITY, [1]),
      subnegotiation(SET_STOPSIZE, [1]),
    );
    await this.setSignals({ dtr: true, rts: true });
    const isServer = await Promise.race([answered, this.clock.sleep(answerWithinMs).then(() => false)]);
    if (!isServer) {
      throw new Problem(
        exitCodes.noBoard,
        `${this.name} is no RFC 2217 server`,
        [`it refused the COM port option, or did not answer within ${answerWithinMs / 1000} s`],
        'For a plain socket use tcp://HOST:PORT.',
      );
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#inner.write(escapeTelnet(bytes));
  }

  onData(receiver: (bytes: Uint8Array) => void): void {
    this.#receiver = receiver;
  }

  onClose(receiver: (reason: string) => void): void {
    this.#inner.onClose(receiver);
  }

  async setSignals(signals: { dtr?: boolean; rts?: boolean }): Promise<void> {
    for (const line of ['dtr', 'rts'] as const) {
      const isOn = signals[line];
      if (isOn !== undefined) await this.#send(subnegotiation(SET_CONTROL, [controlValue[line][isOn ? 'on' : 'off']]));
    }
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #answer(verb: number, option: number): void {
    const isWanted = wanted.includes(option);
    if (verb === WILL) void this.#say(isWanted ? DO : DONT, option);
    else if (verb === DO) void this.#say(isWanted ? WILL : WONT, option);
    else if (verb === DONT && option === COM_PORT) this.#accepted(false);
  }

  async #say(verb: number, option: number): Promise<void> {
    const words = `${verb} ${option}`;
    if (this.#said.has(words)) return;
    this.#said.add(words);
    // A line that is gone says so through onClose.
    await this.#send([IAC, verb, option]).catch(() => {});
  }

  #send(...commands: number[][]): Promise<void> {
    return this.#inner.write(Uint8Array.from(commands.flat()));
  }
}
