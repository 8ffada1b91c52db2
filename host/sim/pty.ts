/**
 * A virtual board as a serial device: socat holds the pseudo-terminal and joins it to the board's TCP port.
 *
 * Node itself cannot make a pseudo-terminal, and node-pty has no prebuilt binary for Linux. With `wait-slave` socat
 * connects when a program opens the device and ends when it closes it, so opening and closing reach the board; it is
 * then started again.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { access, rm } from 'node:fs/promises';
import { exitCodes, Problem } from '../../boards/problem.ts';

export interface Pty {
  readonly path: string;
  close(): Promise<void>;
}

const settleMs = 5000;
const pollMs = 20;

/** Makes `path` a serial device that leads to `port` of this machine. A Problem without socat. */
export async function openPty(path: string, port: number): Promise<Pty> {
  let child: ChildProcess | null = null;
  let isClosing = false;
  let failure: Error | null = null;
  const start = (): void => {
    child = spawn(
      'socat',
      [`PTY,link=${path},raw,echo=0,wait-slave,pty-interval=0.02`, `TCP4:127.0.0.1:${port},nodelay`],
      { stdio: 'ignore' },
    );
    child.once('error', (error) => {
      failure = error;
    });
    child.once('exit', () => {
      if (!isClosing && failure === null) start();
    });
  };
  start();
  const startedMs = performance.now();
  while (!(await exists(path))) {
    if (failure !== null || performance.now() - startedMs > settleMs) {
      isClosing = true;
      (child as ChildProcess | null)?.kill();
      throw new Problem(
        exitCodes.missing,
        'no serial device could be made',
        [failure === null ? `${path} did not appear` : 'socat is not installed'],
        'Install socat (apt install socat, brew install socat), or use --listen tcp:PORT.',
      );
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return {
    path,
    close: async () => {
      isClosing = true;
      child?.kill();
      await rm(path, { force: true });
    },
  };
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
