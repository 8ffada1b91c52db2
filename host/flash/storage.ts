/**
 * Espruino's Storage by REPL lines: for firmware before packets, and for programs with bytes that a line eats.
 *
 * A piece is one `Storage.write` whose result is asked for; the pieces after the first give the offset and no total.
 * A piece that is not confirmed is never sent again: flash that holds something else refuses it. The file is started
 * over instead. References: Espruino src/jswrap_storage.c, src/jsflash.c.
 */

import { type EspruinoConsole, UploadBroken } from './espruino-console.ts';
import { throwIfAborted } from './flasher.ts';

const writeWithinMs = 8_000;

/** A string literal of the bytes that goes through the REPL unharmed: printable ASCII as it is, the rest escaped. */
export function stringLiteral(bytes: Uint8Array): string {
  let text = '"';
  for (const byte of bytes) {
    if (byte === 0x0a) text += '\\n';
    else if (byte === 0x22 || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `${text}"`;
}

const storage = 'require("Storage")';

export async function writeFile(
  board: EspruinoConsole,
  name: string,
  content: Uint8Array,
  chunkBytes: number,
  onSent: (doneBytes: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  for (let at = 0; at < content.length; at += chunkBytes) {
    throwIfAborted(signal, ['the program on the board is incomplete']);
    const chunk = content.subarray(at, at + chunkBytes);
    const place = at === 0 ? `0,${content.length}` : `${at}`;
    const answer = await board.ask(`${storage}.write("${name}",${stringLiteral(chunk)},${place})`, writeWithinMs);
    if (answer !== true) throw new UploadBroken(`bytes ${at} to ${at + chunk.length - 1} were not confirmed`);
    onSent(at + chunk.length);
  }
}

/** Reads a file of `sizeBytes`, piece by piece; for boards without packets. */
export async function readFile(
  board: EspruinoConsole,
  name: string,
  sizeBytes: number,
  onReceived: (doneBytes: number) => void,
): Promise<Uint8Array> {
  const hasBase64 = (await board.askAgain('typeof btoa')) === 'function';
  const content = new Uint8Array(sizeBytes);
  const pieceBytes = hasBase64 ? 384 : 48;
  for (let at = 0; at < sizeBytes; ) {
    const piece = `${storage}.read("${name}",${at},${Math.min(pieceBytes, sizeBytes - at)})`;
    const answer = await board.askAgain(
      hasBase64
        ? `btoa(${piece})`
        : `(function(s,r){for(var i=0;i<s.length;i++)r.push(s.charCodeAt(i));return r})(${piece},[])`,
      5_000,
    );
    const bytes = typeof answer === 'string' ? decodeBase64(answer) : Uint8Array.from(answer as number[]);
    if (bytes.length !== Math.min(pieceBytes, sizeBytes - at))
      throw new UploadBroken('a piece that was read is not whole');
    content.set(bytes, at);
    at += bytes.length;
    onReceived(at);
  }
  return content;
}

function decodeBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw new UploadBroken('a piece that was read is damaged');
  }
}
