/**
 * A pair of real ttys that are each other's line, made by socat, or a tty in front of a TCP port. Tests that use one
 * are skipped, loudly, where socat is not installed.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const hasSocat = process.platform !== 'win32' && spawnSync('socat', ['-V']).error === undefined;
if (!hasSocat) console.warn('SKIPPED: tests over a tty need socat (apt-get install socat)');

export interface TtyPair {
  a: string;
  b: string;
  close(): void;
}

/** Two ttys joined back to back. */
export async function openTtyPair(): Promise<TtyPair> {
  const { paths, close } = await startSocat(
    (link) => [`PTY,link=${link('a')},raw,echo=0`, `PTY,link=${link('b')},raw,echo=0`],
    ['a', 'b'],
  );
  return { a: paths[0]!, b: paths[1]!, close };
}

/** A tty whose other end is the TCP port. */
export async function openTtyOfTcp(port: number): Promise<{ path: string; close(): void }> {
  const { paths, close } = await startSocat(
    (link) => [`PTY,link=${link('tty')},raw,echo=0`, `TCP:127.0.0.1:${port}`],
    ['tty'],
  );
  return { path: paths[0]!, close };
}

async function startSocat(addresses: (link: (name: string) => string) => string[], names: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'heapglass-tty-'));
  const link = (name: string) => join(folder, name);
  const socat: ChildProcess = spawn('socat', addresses(link), { stdio: 'ignore' });
  const paths = names.map(link);
  const close = () => {
    socat.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  for (let waitedMs = 0; !paths.every((path) => existsSync(path)); waitedMs += 10) {
    if (socat.exitCode !== null || waitedMs > 5_000) {
      close();
      throw new Error('socat made no tty');
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return { paths, close };
}
