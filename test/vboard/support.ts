/** A virtual board as the tests drive it: send a text, let virtual time pass, read what came. */
import { openSim, type SimOptions, type SimTransport } from '../../host/transport/sim.ts';

export const prompt = '\x1b[0m\r\x1b7> \x1b[H\x1b[900C\x1b[6n\x1b8\x1b[2C';

export interface Session {
  readonly port: SimTransport;
  /** Sends, waits `forMs` of virtual time, and gives what came meanwhile as latin1. */
  send(text: string | Uint8Array, forMs?: number): Promise<string>;
  /** Waits and gives what came. */
  wait(forMs: number): Promise<string>;
}

export async function openSession(boardId: string, options: SimOptions = {}): Promise<Session> {
  const port = await openSim(boardId, options);
  let came = '';
  port.onData((bytes) => {
    came += Buffer.from(bytes).toString('latin1');
  });
  const wait = async (forMs: number): Promise<string> => {
    came = '';
    await port.clock.sleep(forMs);
    return came;
  };
  return {
    port,
    wait,
    send: async (text, forMs = 100) => {
      came = '';
      await port.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
      await port.clock.sleep(forMs);
      return came;
    },
  };
}

export const openKaluma = (options: SimOptions = {}): Promise<Session> => openSession('kaluma-pico', options);
