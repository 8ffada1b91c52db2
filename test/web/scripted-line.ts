// A line that the test drives: bytes when it likes, lost and back when it likes.
import type { Transport } from '../../host/transport/transport.ts';
import { wallClock } from '../../host/transport/wall-clock.ts';

export class ScriptedLine {
  readonly name: string;
  opened = 0;
  #receive: (bytes: Uint8Array) => void = () => {};
  #lose: (reason: string) => void = () => {};

  constructor(name: string) {
    this.name = name;
  }

  async open(): Promise<Transport> {
    this.opened++;
    return {
      name: this.name,
      clock: wallClock,
      write: async () => {},
      onData: (receiver) => {
        this.#receive = receiver;
      },
      onClose: (receiver) => {
        this.#lose = receiver;
      },
      setSignals: async () => {},
      close: async () => {},
    };
  }

  send(bytes: Uint8Array): void {
    this.#receive(bytes);
  }

  lose(reason: string): void {
    this.#lose(reason);
  }
}
