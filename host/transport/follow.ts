/**
 * A port that is opened again after it was lost, wherever it has come back: unplugged and plugged in, a USB board often
 * gets another path (/dev/ttyACM0, then /dev/ttyACM1; COM3, then COM5).
 *
 * When the port is first opened, what the system knows of its device is noted. To open it again, in this order:
 *   1. the port with the same USB serial number, vendor and product, under whatever path;
 *   2. a device without a serial number: the same path with the same vendor and product, else the only port with them
 *      that was not there before;
 *   3. the path as it was given.
 * A port that is there and is another device is never taken for it: the path may have gone to the board beside it.
 */
import { realpath } from 'node:fs/promises';
import type { OpenOptions } from './open.ts';
import { isSerialPath, openTransport } from './open.ts';
import { portMissing } from './problems.ts';
import { type PortInfo, platformBinding } from './serial.ts';
import type { Transport } from './transport.ts';

export class PortFollower {
  readonly #spec: string;
  readonly #options: OpenOptions;
  /** What was opened first, as the system enumerated it; null while it is not known or not enumerated. */
  #device: PortInfo | null = null;
  /** Paths of like devices that were there then: none of them is the one that comes back. */
  #others: string[] = [];

  constructor(spec: string, options: OpenOptions = {}) {
    this.#spec = spec;
    this.#options = options;
  }

  /** Opens the port, the first time and every time after. Rejects with a Problem while it is not there. */
  async open(): Promise<Transport> {
    if (!isSerialPath(this.#spec)) return openTransport(this.#spec, this.#options);
    const ports = await this.#list();
    if (this.#device === null) {
      const transport = await openTransport(this.#spec, this.#options);
      await this.#note(ports);
      return transport;
    }
    return openTransport(this.#whereNow(this.#device, ports), this.#options);
  }

  async #list(): Promise<PortInfo[]> {
    const binding = this.#options.binding ?? (await platformBinding().catch(() => null));
    return (await binding?.list().catch(() => [])) ?? [];
  }

  async #note(ports: readonly PortInfo[]): Promise<void> {
    // /dev/serial/by-id/... and the like name the same device.
    const path = await realpath(this.#spec).catch(() => this.#spec);
    const device = ports.find((port) => port.path === this.#spec || port.path === path);
    if (device?.vendorId === undefined) return;
    this.#device = device;
    this.#others = ports.filter((port) => port !== device && isLike(port, device)).map((port) => port.path);
  }

  #whereNow(device: PortInfo, ports: readonly PortInfo[]): string {
    const like = ports.filter((port) => isLike(port, device));
    const isSame = (port: PortInfo) => port.serialNumber === device.serialNumber;
    if (device.serialNumber !== undefined) {
      const same = like.find(isSame);
      if (same) return same.path === device.path ? this.#spec : same.path;
    } else {
      if (like.some((port) => port.path === device.path)) return this.#spec;
      const arrived = like.filter((port) => !this.#others.includes(port.path));
      if (arrived.length === 1) return arrived[0]!.path;
    }
    const taken = ports.find((port) => port.path === device.path);
    if (taken === undefined) return this.#spec;
    throw portMissing(
      this.#spec,
      `another device has its path now (USB ${taken.vendorId ?? '?'}:${taken.productId ?? '?'}, serial number ${taken.serialNumber ?? 'none'})`,
    );
  }
}

const isLike = (a: PortInfo, b: PortInfo): boolean =>
  a.vendorId?.toLowerCase() === b.vendorId?.toLowerCase() && a.productId?.toLowerCase() === b.productId?.toLowerCase();
