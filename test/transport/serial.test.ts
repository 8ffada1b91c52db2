// The serial layer on real ttys. HEAPGLASS_SOAKS sets the number of full-duplex megabytes (the campaign is 100).
import { createHash } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { openTransport } from '../../host/transport/open.ts';
import { openSerial, type SerialBinding } from '../../host/transport/serial.ts';
import type { Transport } from '../../host/transport/transport.ts';
import { hasSocat, openTtyPair, type TtyPair } from '../support/tty.ts';

const soaks = Number(process.env.HEAPGLASS_SOAKS ?? 2);
const mebibyte = 1 << 20;

let pair: TtyPair | null = null;
const opened: Transport[] = [];
afterEach(async () => {
  for (const transport of opened.splice(0)) await transport.close();
  pair?.close();
  pair = null;
});

async function openBoth(options: { stallMs?: number } = {}): Promise<[Transport, Transport]> {
  pair = await openTtyPair();
  const both: [Transport, Transport] = [await openSerial(pair.a, options), await openSerial(pair.b, options)];
  opened.push(...both);
  return both;
}

async function problemOf(promise: Promise<unknown>): Promise<Problem> {
  const error = await promise.then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(Problem);
  return error as Problem;
}

/** Pseudo-random bytes of every value. */
function noise(byteCount: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(byteCount);
  let state = seed | 1;
  for (let i = 0; i < byteCount; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state;
  }
  return bytes;
}

const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Sends `bytes` from one end while the other echoes them: resolves to what came back. */
async function echoed(near: Transport, far: Transport, bytes: Uint8Array): Promise<Uint8Array> {
  const received = new Uint8Array(bytes.length);
  let count = 0;
  let idleMs = 0;
  far.onData((chunk) => void far.write(chunk));
  near.onData((chunk) => {
    received.set(chunk, count);
    count += chunk.length;
    idleMs = 0;
  });
  await near.write(bytes);
  while (count < bytes.length) {
    await near.clock.sleep(5);
    idleMs += 5;
    if (idleMs > 10_000) throw new Error(`stalled after ${count} of ${bytes.length} bytes`);
  }
  return received;
}

describe.skipIf(!hasSocat)('serial port on a pty', () => {
  test(`1 MB full duplex, ${soaks} times, without a stall or a wrong byte`, { timeout: soaks * 30_000 }, async () => {
    const [near, far] = await openBoth();
    for (let run = 1; run <= soaks; run++) {
      const sent = noise(mebibyte, run);
      expect(hash(await echoed(near, far, sent)), `run ${run}`).toBe(hash(sent));
    }
  });

  test('a path that is not enumerated opens, and modem lines that it has not do no harm', async () => {
    const [near, far] = await openBoth();
    await near.setSignals({ dtr: false, rts: false });
    expect(await echoed(near, far, Uint8Array.of(0, 3, 4, 10, 13, 17, 19, 26, 255))).toEqual(
      Uint8Array.of(0, 3, 4, 10, 13, 17, 19, 26, 255),
    );
  });

  test('S2: a line that takes nothing is reported within the time-out, and stays closed', async () => {
    pair = await openTtyPair();
    // Nobody reads the other end: the kernel's buffers fill.
    const near = await openSerial(pair.a, { stallMs: 300 });
    opened.push(near);
    const reasons: string[] = [];
    near.onClose((reason) => reasons.push(reason));
    const problem = await problemOf(near.write(noise(mebibyte, 1)));
    expect(problem.exitCode).toBe(exitCodes.lineLost);
    expect(problem.facts[0]).toMatch(/took nothing for 0\.3 s/);
    expect(reasons).toHaveLength(1);
    expect((await problemOf(near.write(Uint8Array.of(1)))).exitCode).toBe(exitCodes.lineLost);
  });

  test('a line that goes away is reported once, with a reason', async () => {
    const [near] = await openBoth();
    const reason = new Promise<string>((resolve) => near.onClose(resolve));
    pair!.close();
    expect(await reason).not.toBe('');
    expect((await problemOf(near.write(Uint8Array.of(1)))).message).toMatch(/the line to .* was lost/);
  });

  test('a port that another program holds is busy', async () => {
    const [near] = await openBoth();
    const problem = await problemOf(openTransport(near.name));
    expect(problem).toMatchObject({ exitCode: exitCodes.noBoard });
    expect(problem.message).toMatch(/in use by another program/);
  });

  test.skipIf(process.getuid?.() === 0)('a port without permission shows the udev rule', async () => {
    pair = await openTtyPair();
    chmodSync(pair.a, 0);
    expect((await problemOf(openTransport(pair.a))).facts.join('\n')).toMatch(/dialout[\s\S]*SUBSYSTEM=="tty"/);
  });

  test('the window and the drain cost nothing that a board would notice', async () => {
    const [near, far] = await openBoth();
    let count = 0;
    far.onData((chunk) => {
      count += chunk.length;
    });
    const startMs = near.clock.nowMs();
    await near.write(new Uint8Array(mebibyte).fill(0x55));
    while (count < mebibyte) await near.clock.sleep(1);
    const kilobytesPerSecond = mebibyte / (near.clock.nowMs() - startMs);
    console.info(`pty, one direction: ${kilobytesPerSecond.toFixed(0)} kB/s`);
    // Ten times what a UART at 115200 baud carries: a machine busy with other tests still does.
    expect(kilobytesPerSecond).toBeGreaterThan(115.2);
  });
});

describe('opening what cannot be opened', () => {
  test('a port that is not there', async () => {
    const problem = await problemOf(openTransport('/dev/ttyHeapglassNone'));
    expect(problem).toMatchObject({ exitCode: exitCodes.noBoard, message: '/dev/ttyHeapglassNone is not there' });
    expect(problem.advice).toMatch(/heapglass ports/);
  });

  test('a path that is no serial port', async () => {
    expect(await problemOf(openTransport('/dev/null'))).toMatchObject({ exitCode: exitCodes.noBoard });
  });

  test('S3: never 1200 baud', async () => {
    const problem = await problemOf(openSerial('/dev/ttyACM0', { baud: 1200 }));
    expect(problem.exitCode).toBe(exitCodes.usage);
    expect(problem.facts[0]).toMatch(/boot loader/);
  });

  test.each(['', 'ttyACM0', 'http://x', 'tcp://', 'tcp://host', 'tcp://host:0', 'tcp://host:65536', 'tcp://h:1:2'])(
    'a specification that names no port: %j',
    async (spec) => {
      expect((await problemOf(openTransport(spec))).exitCode).toBe(exitCodes.usage);
    },
  );

  test.each([
    ['Error: Permission denied, cannot open /dev/x', /may not open[\s\S]*udev/],
    ['Error Resource temporarily unavailable Cannot lock port', /in use/],
    ['Opening COM9: File not found', /is not there/],
    ['Opening COM9: Access denied', /in use/],
    ['Error: Inappropriate ioctl for device, cannot open /dev/x', /cannot be opened/],
  ])('what serialport says when opening fails: %s', async (message, expected) => {
    const binding: SerialBinding = { list: async () => [], open: () => Promise.reject(new Error(message)) };
    const problem = await problemOf(openSerial('/dev/x', { binding }));
    expect(`${problem.message} ${problem.facts.join(' ')}`).toMatch(expected);
    expect(problem.exitCode).toBe(exitCodes.noBoard);
  });
});
