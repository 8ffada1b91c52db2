/**
 * Opens what a `--port` names: a serial path or COMn, tcp://, rfc2217://, sim:BOARD or rp2040js:IMAGE.
 *
 * Each kind is loaded only when it is asked for. A serial path need not be one that the system enumerates.
 */
import { exitCodes, Problem } from '../../boards/problem.ts';
import type { SerialBinding } from './serial.ts';
import type { Transport } from './transport.ts';

export interface OpenOptions {
  /** The rate of a serial line, default 115200. USB consoles, tcp:// and sim: ignore it. */
  baud?: number;
  /** Seed of a virtual board. */
  seed?: number;
  /** Faults of a virtual board, as `sim --faults` takes them. */
  faults?: string;
  /** A bundled program that a virtual board has on flash from the start. */
  program?: string;
  /** What opens serial ports: the platform's binding if not given. */
  binding?: SerialBinding;
}

/** Whether `spec` is the path of a serial port, and no scheme. */
export function isSerialPath(spec: string): boolean {
  return spec.startsWith('/') || spec.startsWith('./') || /^COM\d+$/i.test(spec) || spec.startsWith('\\\\.\\');
}

/** Opens `spec`. Rejects with a Problem: usage, not there, busy, not allowed, nothing answers. */
export async function openTransport(spec: string, options: OpenOptions = {}): Promise<Transport> {
  const [, scheme = ''] = /^([a-z0-9]+):/i.exec(spec) ?? [];
  switch (scheme.toLowerCase()) {
    case 'tcp':
      return (await import('./tcp.ts')).openTcp(spec);
    case 'rfc2217':
      return (await import('./rfc2217.ts')).openRfc2217(spec, options);
    case 'sim':
      return (await import('./sim.ts')).openSim(spec.slice('sim:'.length), options);
    case 'rp2040js':
      return (await import('./image.ts')).openImage(spec.slice('rp2040js:'.length), options);
    case '':
      if (isSerialPath(spec)) return (await import('./serial.ts')).openSerial(spec, options);
  }
  throw new Problem(
    exitCodes.usage,
    `"${spec}" names no port`,
    ['the forms are /dev/ttyACM0, COM3, tcp://HOST:PORT, rfc2217://HOST:PORT, sim:BOARD and rp2040js:IMAGE'],
    /^(tty|cu\.)\w+/.test(spec)
      ? `Did you mean /dev/${spec}? Run \`heapglass ports\` for what is connected.`
      : 'Run `heapglass ports` for what is connected, and `heapglass boards` for the virtual ones.',
  );
}
