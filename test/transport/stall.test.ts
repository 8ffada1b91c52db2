// The watchdogs of the serial layer, on real ttys whose binding has the defect that they are for.
import { afterEach, describe, expect, test } from 'vitest';
import { exitCodes } from '../../boards/problem.ts';
import type { SerialHandle } from '../../host/transport/port-io.ts';
import { openSerial, platformBinding, type SerialBinding } from '../../host/transport/serial.ts';
import type { Transport } from '../../host/transport/transport.ts';
import { hasSocat, openTtyPair, type TtyPair } from '../support/tty.ts';

let pair: TtyPair | null = null;
const opened: Transport[] = [];
afterEach(async () => {
  for (const transport of opened.splice(0)) await transport.close();
  pair?.close();
  pair = null;
});

/** The platform's binding, with each handle that it opens spoilt by `spoil`. */
async function spoilt(spoil: (handle: SerialHandle, nth: number) => SerialHandle): Promise<SerialBinding> {
  const binding = await platformBinding();
  let count = 0;
  return { list: () => binding.list(), open: async (options) => spoil(await binding.open(options), count++) };
}

/** Everything that comes, as text, and a wait for a part of it. */
function hear(transport: Transport) {
  const heard = { text: '' };
  transport.onData((bytes) => {
    heard.text += String.fromCharCode(...bytes);
  });
  const has = async (part: string, withinMs: number): Promise<boolean> => {
    for (let waitedMs = 0; waitedMs < withinMs && !heard.text.includes(part); waitedMs += 10) {
      await transport.clock.sleep(10);
    }
    return heard.text.includes(part);
  };
  return { heard, has };
}

describe.skipIf(!hasSocat)('a pty whose poller loses every event', () => {
  /** libuv's interest set is never asked for: the descriptor becomes ready, and nobody is told. */
  const losesEvents = () =>
    spoilt((handle) => {
      (handle as unknown as { poller: { poll: () => void } }).poller.poll = () => {};
      return handle;
    });

  async function openSpoilt(lookEveryMs: number): Promise<[Transport, Transport]> {
    pair = await openTtyPair();
    const near = await openSerial(pair.a, { binding: await losesEvents(), lookEveryMs });
    const far = await openSerial(pair.b);
    opened.push(near, far);
    return [near, far];
  }

  test('P1: what comes is received all the same', async () => {
    const [near, far] = await openSpoilt(50);
    const { has } = hear(near);
    await far.write(new TextEncoder().encode('telemetry'));
    expect(await has('telemetry', 5_000)).toBe(true);
  });

  test('P1: what does not fit at once is written all the same', async () => {
    const [near, far] = await openSpoilt(50);
    let count = 0;
    far.onData((bytes) => {
      count += bytes.length;
    });
    await near.write(new Uint8Array(100_000));
    for (let waitedMs = 0; waitedMs < 5_000 && count < 100_000; waitedMs += 10) await far.clock.sleep(10);
    expect(count).toBe(100_000);
  });

  test('without the look it stands still: the defect is really there', async () => {
    const [near, far] = await openSpoilt(0);
    const { has } = hear(near);
    await far.write(new TextEncoder().encode('telemetry'));
    expect(await has('telemetry', 500)).toBe(false);
  });
});

describe.skipIf(!hasSocat)('a pty whose first descriptor takes nothing', () => {
  const open = async (deadHandles: number) => {
    pair = await openTtyPair();
    const binding = await spoilt((handle, nth) => {
      if (nth >= deadHandles) return handle;
      return {
        read: (buffer, offset, length) => handle.read(buffer, offset, length),
        write: () => new Promise(() => {}),
        drain: () => handle.drain(),
        set: (signals) => handle.set(signals),
        close: () => handle.close(),
      };
    });
    const near = await openSerial(pair.a, { binding, stallMs: 200 });
    const far = await openSerial(pair.b);
    opened.push(near, far);
    return { near, far };
  };

  test('S2: it is opened again in place, and the session goes on in both directions', async () => {
    const { near, far } = await open(1);
    const lost: string[] = [];
    near.onClose((reason) => lost.push(reason));
    const atNear = hear(near);
    const atFar = hear(far);
    await near.write(new TextEncoder().encode('once'));
    expect(await atFar.has('once', 2_000)).toBe(true);
    await near.clock.sleep(100);
    expect(atFar.heard.text).toBe('once');
    await far.write(new TextEncoder().encode('answer'));
    expect(await atNear.has('answer', 2_000)).toBe(true);
    expect(lost).toEqual([]);
  });

  test('S2: a line that stalls again is lost, and said once', async () => {
    const { near } = await open(2);
    const lost: string[] = [];
    near.onClose((reason) => lost.push(reason));
    await expect(near.write(Uint8Array.of(1))).rejects.toMatchObject({ exitCode: exitCodes.lineLost });
    expect(lost).toEqual([expect.stringMatching(/took nothing for 0\.2 s, and again after it was reopened/)]);
  });
});
