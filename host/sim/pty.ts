/**
 * A virtual board as a serial device: socat holds the pseudo-terminal and joins it to the board's TCP port.
 *
 * Node itself cannot make a pseudo-terminal, and node-pty has no prebuilt binary for Linux. With `wait-slave` socat
 * connects when a program opens the device and ends when it closes it, so opening and closing reach the board; it is
 * then started again.
 *
 * socat ends with this process, however that ends: a shell between them waits for the end of its input, which the system
 * closes with us, even after SIGKILL.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, rm } from 'node:fs/promises';
import { exitCodes, Problem } from '../../boards/problem.ts';

export interface Pty {
  readonly path: string;
  close(): Promise<void>;
}

const settleMs = 5000;
const pollMs = 20;
/** A shell's exit code for a command that is not there. */
const notInstalled = 127;

/** Runs `socat "$0" "$1"` until it ends or the input does. In a background job the input would be /dev/null, hence 3. */
const socatWhileInputIsOpen = `exec 3<&0
socat "$0" "$1" & socat=$!
( read -r _ <&3; kill $socat ) & watcher=$!
wait $socat; ended=$?
kill $watcher
exit $ended`;

/** Makes `path` a serial device that leads to `port` of this machine. A Problem without socat. */
export async function openPty(path: string, port: number): Promise<Pty> {
  let child: ChildProcess | null = null;
  let isClosing = false;
  let hasNoSocat = false;
  const start = (): void => {
    const device = `PTY,link=${path},raw,echo=0,wait-slave,pty-interval=0.02`;
    const started = spawn('sh', ['-c', socatWhileInputIsOpen, device, `TCP4:127.0.0.1:${port},nodelay`], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child = started;
    started.once('error', () => {
      hasNoSocat = true;
    });
    started.once('exit', (code) => {
      if (code === notInstalled) hasNoSocat = true;
      else if (!isClosing) start();
    });
  };
  start();
  const startedMs = performance.now();
  while (!(await exists(path))) {
    if (hasNoSocat || performance.now() - startedMs > settleMs) {
      isClosing = true;
      await ended(child);
      throw new Problem(
        exitCodes.missing,
        'no serial device could be made',
        [hasNoSocat ? 'socat is not installed' : `${path} did not appear`],
        'Install socat (apt install socat, brew install socat), or use --listen tcp:PORT.',
      );
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return {
    path,
    close: async () => {
      isClosing = true;
      await ended(child);
      await rm(path, { force: true });
    },
  };
}

/** Until the shell and its socat are gone. */
async function ended(child: ChildProcess | null): Promise<void> {
  if (child === null || child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exit = once(child, 'exit');
  child.stdin!.end();
  await exit;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
