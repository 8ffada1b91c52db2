// The Io of a command in a test: a pipe of 80 columns that keeps what was written.
import type { Io } from '../../host/command.ts';

export interface CapturedIo {
  io: Io;
  written: { out: string; err: string };
}

export function captureIo(changes: Partial<Io> = {}): CapturedIo {
  const written = { out: '', err: '' };
  // Bytes may part a character.
  const decoder = new TextDecoder();
  const io: Io = {
    out: (text) => {
      written.out += typeof text === 'string' ? text : decoder.decode(text, { stream: true });
    },
    err: (text) => {
      written.err += text;
    },
    isTerminal: false,
    columns: 80,
    rows: 24,
    color: false,
    signal: new AbortController().signal,
    ...changes,
  };
  return { io, written };
}
