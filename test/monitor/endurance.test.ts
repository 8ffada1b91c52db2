// Millions of events through `monitor` itself, in a process of its own, over TCP: every event arrives, memory stays flat.
// HEAPGLASS_EVENTS sets how many (200,000; the are 10,000,000), HEAPGLASS_REPORT=1 prints the figures.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { churn } from '../wire/churn.ts';
import { recordedHeap } from '../wire/device.ts';
import { random } from '../wire/random.ts';

vi.mock('../../firmware/src/telemetry/observer.ts', () => import('../../firmware/src/telemetry/recorder.ts'));

const events = Number(process.env.HEAPGLASS_EVENTS ?? 200_000);
const tool = join(packageRoot, 'dist', 'heapglass.js');
const hasProc = existsSync('/proc/self/status');
if (!hasProc) console.warn('skipped: memory of a long monitor, because this system has no /proc');
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

const residentMb = (child: ChildProcess): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) / 1024;

/** The frames of `operations` calls on a heap, a batch at a time. */
function* line(operations: number): Generator<Uint8Array> {
  const device = recordedHeap({ policy: 'best-fit', bytes: 24_000 });
  for (const _ of churn(device, random(5), operations, 200)) {
    const frames = device.drain();
    if (frames.length > 0) yield Buffer.concat(frames);
  }
  device.clock.ms += 2000;
  yield Buffer.concat(device.drain());
}

test.skipIf(!hasProc)(
  `${events} events through monitor: none lost, memory flat`,
  async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const child = spawn(process.execPath, [tool, 'monitor', `tcp://127.0.0.1:${port}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    let last = '';
    child.stdout!.on('data', (bytes: Buffer) => {
      last = (last + bytes.toString()).slice(-4000);
    });
    const [socket] = (await once(server, 'connection')) as [Socket];
    socket.on('error', () => {});
    const startMs = performance.now();
    const residents: number[] = [];
    let sent = 0;
    for (const bytes of line(events)) {
      if (!socket.write(bytes)) await once(socket, 'drain');
      sent += bytes.length;
      // From a tenth on: V8 has compiled what it compiles.
      if (residents.length < 20 && sent / (events * 2.6) > 0.1 + residents.length * 0.045)
        residents.push(residentMb(child));
    }
    socket.end();
    await vi.waitFor(() => expect(last).toMatch(/the line is lost|blocks \d+/), { timeout: 20_000 });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const seconds = (performance.now() - startMs) / 1000;
    const end = residentMb(child);
    child.kill('SIGINT');
    await once(child, 'exit');
    server.close();
    const first = Math.max(...residents.slice(0, 3));
    if (process.env.HEAPGLASS_REPORT) {
      console.log(
        `${events} events, ${(sent / 1e6).toFixed(1)} MB, in ${seconds.toFixed(1)} s through monitor; resident ` +
          `${first.toFixed(0)} MB at first, ${Math.max(...residents, end).toFixed(0)} MB at most, ${end.toFixed(0)} MB at the end`,
      );
    }
    expect(last).not.toMatch(/lost frames|dropped events|not exact/);
    expect(end).toBeLessThan(first + 60);
  },
  600_000,
);
