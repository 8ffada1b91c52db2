/** Keys of the terminal, one at a time, escape sequences whole. */
import process from 'node:process';

/** Calls `onKey` for each key until the returned function is called; does nothing where stdin is no terminal. */
export function readKeys(onKey: (key: string) => void): () => void {
  const { stdin } = process;
  if (!stdin.isTTY) return () => {};
  const receive = (chunk: Buffer): void => {
    for (const [key] of chunk.toString('utf8').matchAll(/\x1b\[[0-9;]*[A-Za-z~]|\x1b|[^\x1b]/gu)) onKey(key);
  };
  stdin.setRawMode(true);
  stdin.on('data', receive);
  stdin.resume();
  return () => {
    stdin.off('data', receive);
    stdin.setRawMode(false);
    stdin.pause();
  };
}
