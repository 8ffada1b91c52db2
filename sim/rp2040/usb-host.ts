/**
 * The host's end of the chip's USB: finds the serial device, configures it, and carries its bytes.
 *
 * In place of rp2040js's USBCDC, which answers each armed endpoint with an empty packet every 10 us, so that an idle
 * board does little but handle interrupts, and drops what does not fit 512 bytes. Here an armed endpoint waits until
 * there are bytes, as a real host's bulk transfers do, and nothing is dropped.
 *
 *   SET_ADDRESS -> GET_DESCRIPTOR (9 bytes, then all) -> SET_CONFIGURATION -> SET_CONTROL_LINE_STATE
 *
 * References: USB 2.0 9.4 (requests), 9.6 (descriptors); CDC PSTN 1.2 6.3.12 (DTR is bit 0).
 */
import type { RP2040 } from 'rp2040js';

type UsbController = RP2040['usbCtrl'];

const getDescriptor = 0x06;
const setAddress = 0x05;
const setConfiguration = 0x09;
const setControlLineState = 0x22;
const configurationType = 2;
const interfaceType = 4;
const endpointType = 5;
const communicationsClass = 0x02;
const cdcDataClass = 0x0a;
const bulk = 2;
const toHost = 0x80;
const classRequestToInterface = 0x21;
const configurationHeaderBytes = 9;
/** At most 19 bulk packets of 64 bytes fit a full-speed frame of 1 ms (USB 2.0, table 5-9). */
const packetUs = 1000 / 19;
export const packetBytes = 64;

interface Setup {
  type: number;
  request: number;
  value: number;
  index: number;
  /** Bytes that the device shall answer. */
  length: number;
  answered: (data: Uint8Array) => void;
}

export class UsbHost {
  readonly #usb: UsbController;
  readonly #received: (bytes: Uint8Array) => void;
  readonly #takesAgain: () => void;
  #setups: Setup[] = [];
  #answer: number[] = [];
  #isBusy = false;
  #isConfigured = false;
  #dtr = false;
  #controlInterface = 0;
  #inEndpoint = -1;
  #outEndpoint = -1;
  /** How much the device's OUT endpoint waits for; 0 while it does not. */
  #armedBytes = 0;
  #packet: Uint8Array | null = null;

  /** `received`: a packet from the device. `takesAgain`: a packet that `send` refused would be taken now. */
  constructor(usb: UsbController, received: (bytes: Uint8Array) => void, takesAgain: () => void) {
    this.#usb = usb;
    this.#received = received;
    this.#takesAgain = takesAgain;
    usb.onUSBEnabled = () => usb.resetDevice();
    usb.onResetReceived = () => this.#enumerate();
    usb.onEndpointWrite = (endpoint, bytes) => this.#fromDevice(endpoint, bytes);
    usb.onEndpointRead = (endpoint, byteCount) => this.#armed(endpoint, byteCount);
  }

  /** The endpoint that the serial bytes come from; -1 before it is known. */
  get inEndpoint(): number {
    return this.#inEndpoint;
  }

  /** A program opens or closes the port. */
  set dtr(isOpen: boolean) {
    this.#dtr = isOpen;
    if (this.#isConfigured) this.#sendLineState();
  }

  /** Sends up to a packet. How many bytes were taken: none while one is under way. */
  send(bytes: Uint8Array): number {
    if (this.#packet !== null || !this.#isConfigured) return 0;
    this.#packet = bytes.slice(0, packetBytes);
    const taken = this.#packet.length;
    this.#deliver();
    return taken;
  }

  #armed(endpoint: number, byteCount: number): void {
    // The empty packet that ends a request for data is left out: the next request ends it as well (USB 2.0 8.5.3.1).
    if (endpoint !== this.#outEndpoint) return;
    this.#armedBytes = byteCount;
    this.#deliver();
  }

  #deliver(): void {
    if (this.#armedBytes === 0 || this.#packet === null) return;
    const bytes = this.#packet;
    this.#packet = null;
    this.#armedBytes = 0;
    this.#usb.endpointReadDone(this.#outEndpoint, bytes, packetUs);
    this.#takesAgain();
  }

  #fromDevice(endpoint: number, bytes: Uint8Array): void {
    if (endpoint === 0) this.#controlData(bytes);
    else if (endpoint === this.#inEndpoint && bytes.length > 0) this.#received(bytes);
  }

  #enumerate(): void {
    this.#setups = [];
    this.#isBusy = false;
    this.#isConfigured = false;
    this.#request({ type: 0, request: setAddress, value: 1, index: 0, length: 0, answered: () => {} });
    this.#readConfiguration(configurationHeaderBytes, (header) => {
      const totalBytes = header[2]! | (header[3]! << 8);
      this.#readConfiguration(totalBytes, (configuration) => this.#configure(configuration));
    });
  }

  #readConfiguration(length: number, answered: (data: Uint8Array) => void): void {
    const value = configurationType << 8;
    this.#request({ type: toHost, request: getDescriptor, value, index: 0, length, answered });
  }

  /** Finds the serial function's interfaces, and sets the device going. */
  #configure(configuration: Uint8Array): void {
    let interfaceClass = -1;
    for (let at = 0; at + 1 < configuration.length && configuration[at]! > 1; at += configuration[at]!) {
      const [, type, second = 0, third = 0] = configuration.subarray(at);
      if (type === interfaceType) {
        interfaceClass = configuration[at + 5]!;
        if (interfaceClass === communicationsClass) this.#controlInterface = second;
      }
      if (type !== endpointType || interfaceClass !== cdcDataClass || (third & 3) !== bulk) continue;
      if (second & toHost) this.#inEndpoint = second & 0xf;
      else this.#outEndpoint = second & 0xf;
    }
    const answered = (): void => {
      this.#isConfigured = true;
      this.#sendLineState();
      this.#takesAgain();
    };
    this.#request({ type: 0, request: setConfiguration, value: configuration[5]!, index: 0, length: 0, answered });
  }

  #sendLineState(): void {
    const [value, index] = [this.#dtr ? 1 : 0, this.#controlInterface];
    const request = setControlLineState;
    this.#request({ type: classRequestToInterface, request, value, index, length: 0, answered: () => {} });
  }

  #request(setup: Setup): void {
    this.#setups.push(setup);
    this.#next();
  }

  #next(): void {
    const setup = this.#setups[0];
    if (!setup || this.#isBusy) return;
    this.#isBusy = true;
    this.#answer = [];
    const { type, request, value, index, length } = setup;
    const packet = [type, request, value & 0xff, value >> 8, index & 0xff, index >> 8, length & 0xff, length >> 8];
    this.#usb.sendSetupPacket(Uint8Array.from(packet));
  }

  /** A packet of endpoint 0: a part of the answer, or, empty, the device's assent. */
  #controlData(bytes: Uint8Array): void {
    const setup = this.#setups[0];
    if (!setup || !this.#isBusy) return;
    this.#answer.push(...bytes);
    if (this.#answer.length < setup.length && bytes.length > 0) return;
    this.#setups.shift();
    this.#isBusy = false;
    setup.answered(Uint8Array.from(this.#answer));
    this.#next();
  }
}
