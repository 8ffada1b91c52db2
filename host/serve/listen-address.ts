/** Where the page and the metrics of `monitor` listen: `PORT` or `HOST:PORT`, on loopback unless a host is given. */
import { usageProblem } from '../arguments.ts';

export interface ListenAddress {
  host: string;
  /** 0: any free one. */
  port: number;
}

const defaultHost = '127.0.0.1';
export const defaultWebAddress = `${defaultHost}:8137`;
/** Whether a word on the command line is such an address, and no port of a board. */
export const listenPattern = /^(?:\[([0-9a-f:.]+)\]:|([a-z0-9.-]+):|:)?(\d{1,5})$/i;

/** A usage Problem when it is neither a port nor a host and a port. */
export function parseListen(text: string, option = '--web'): ListenAddress {
  const [, bracketed, plain, digits] = listenPattern.exec(text) ?? [];
  if (digits === undefined || Number(digits) > 65_535) {
    throw usageProblem('monitor', `${option} takes HOST:PORT or PORT, not "${text}"`);
  }
  return { host: bracketed ?? plain ?? defaultHost, port: Number(digits) };
}

export const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');

/** The address for a browser. */
export function urlOf({ host, port }: ListenAddress): string {
  const reachable =
    host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
  return `http://${reachable}:${port}/`;
}
