import type { Transport } from '../transport/transport.ts';
import { KalumaFlasher } from './kaluma.ts';
import { Link } from './link.ts';
export async function openFlasher(transport: Transport) {
  const link = new Link(transport);
  return {
    flasher: new KalumaFlasher(link, { engine: 'kaluma', version: '1.2.1', board: 'pico' }),
    release: () => link.release(),
  };
}
