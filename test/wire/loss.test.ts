// What a damaged line costs: every sound frame is used, every lost one counted, and the map is exact again after the
// next complete sweep. HEAPGLASS_SEEDS sets how many damaged lines are tried (1000).
import { expect, test, vi } from 'vitest';
import { type PolicyName, policyNames } from '../../firmware/src/policies/index.ts';
import { TelemetryDecoder } from '../../host/model/decoder.ts';
import { FrameReader } from '../../host/model/frame-reader.ts';
import { HeapModel } from '../../host/model/heap-model.ts';
import { modelDigest, recordedHeap, walkDigest } from './device.ts';
import { below, type Random, random } from './random.ts';

vi.mock('../../firmware/src/telemetry/observer.ts', () => import('../../firmware/src/telemetry/recorder.ts'));
vi.mock('../../firmware/src/telemetry/moves.ts', () => import('../../firmware/src/telemetry/move-log.ts'));

const seeds = Number(process.env.HEAPGLASS_SEEDS ?? 1000);
const policies = policyNames;

interface Line {
  frames: Uint8Array[];
  /** Frames from here on are sent undamaged. */
  quietFrom: number;
  digest: number;
  records: number;
}

/** A board at random work, its line drained at random times; some frames are followed by REPL text. */
function board(seed: number, policy: PolicyName, operations = 4000): Line {
  const next = random(seed);
  const { heap, clock, drain } = recordedHeap({ policy, bytes: 8192 + 8 * below(next, 1500), ringFrames: 16 });
  const live: number[] = [];
  const frames: Uint8Array[] = [];
  const site = (): number => (next() < 0.7 ? 0 : 1 + below(next, 300));
  const operate = (): void => {
    const choice = next();
    if (live.length === 0 || choice < 0.45) {
      const size = below(next, 10) === 0 ? below(next, 900) : below(next, 70);
      const offset = choice < 0.03 ? heap.memalign(16 << below(next, 4), size, site()) : heap.malloc(size, site());
      if (offset !== 0) live.push(offset);
    } else if (choice < 0.55) {
      const index = below(next, live.length);
      const offset = heap.realloc(live[index]!, below(next, 400), site());
      if (offset !== 0) live[index] = offset;
    } else if (choice < 0.552) heap.free(below(next, 8192));
    else
      live.splice(below(next, live.length), 1).forEach((offset) => {
        heap.free(offset);
      });
  };
  // A free of a random offset may hit a live block: forget those that went.
  const run = (count: number): void => {
    for (let i = 0; i < count; i++) {
      operate();
      for (let j = live.length - 1; j >= 0 && i % 8 === 0; j--) if (heap.usableSize(live[j]!) === 0) live.splice(j, 1);
      if (next() < 0.03) {
        clock.ms += below(next, 150);
        frames.push(...drain(1 + below(next, 6)));
      }
    }
  };
  run(operations);
  frames.push(...drain());
  const quietFrom = frames.length;
  // Long enough for a sweep that begins after the damage, whatever it was at when the damage ended.
  for (let i = 0; i < 120; i++) {
    run(4);
    clock.ms += 120;
    frames.push(...drain());
  }
  clock.ms += 1200;
  frames.push(...drain());
  return { frames, quietFrom, digest: walkDigest(heap), records: operations };
}

interface Damaged {
  bytes: Uint8Array;
  /** For each frame: all its bytes arrived, in one piece. */
  sound: boolean[];
}

function bodyOf(bytes: readonly number[]): string {
  let body = '';
  const reader = new FrameReader({
    frame: (heard, length) => {
      body = heard.subarray(0, length).join();
    },
    text: () => {},
    damaged: () => {},
  });
  reader.push(Uint8Array.from(bytes));
  return body;
}

/** Corrupts 1 % of the bytes after the first frame and cuts pieces out, until the quiet part begins. */
function damage(line: Line, next: Random): Damaged {
  const bytes: number[] = [];
  const sound: boolean[] = [];
  line.frames.forEach((frame, index) => {
    const quiet = index === 0 || index >= line.quietFrom;
    const cut = !quiet && next() < 0.03;
    const cutFrom = cut ? below(next, frame.length) : frame.length;
    const cutTo = cut ? cutFrom + 1 + below(next, frame.length) : frame.length;
    let whole = true;
    const from = bytes.length;
    frame.forEach((byte, at) => {
      if (at >= cutFrom && at < cutTo) whole = false;
      else if (!quiet && next() < 0.01) {
        const other = below(next, 256);
        if (other !== byte) whole = false;
        bytes.push(other);
      } else bytes.push(byte);
    });
    // The reserved byte that the last group stands for is imaginary: that code byte may change without harm.
    sound.push(whole || (!cut && bodyOf(bytes.slice(from)) === bodyOf([...frame])));
    if (next() < 0.1) for (const letter of '\r\n=undefined\r\n>') bytes.push(letter.charCodeAt(0));
  });
  return { bytes: Uint8Array.from(bytes), sound };
}

test(`D1, D2, M1: ${seeds} damaged lines`, () => {
  const lines = policies.flatMap((policy, index) => [1, 2].map((seed) => board(seed + 10 * index, policy)));
  let totalLost = 0;
  let passed = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const next = random(seed);
    const line = lines[seed % lines.length]!;
    const { bytes, sound } = damage(line, next);
    const model = new HeapModel();
    const decoder = new TelemetryDecoder(model);
    for (let at = 0; at < bytes.length; ) {
      const to = at + 1 + below(next, 400);
      decoder.push(bytes.subarray(at, to));
      at = to;
    }
    const { frames, lostFrames, malformedFrames, unknownFrames } = decoder.statistics;
    const whole = sound.filter(Boolean).length;
    // A checksum of 16 bits lets one damaged frame in 65,536 pass; some tens of thousands are tried here.
    expect(frames, `seed ${seed}: sound frames used`).toBeGreaterThanOrEqual(whole);
    expect(frames, `seed ${seed}: nothing else taken for a frame`).toBeLessThanOrEqual(whole + 1);
    expect(lostFrames, `seed ${seed}: lost frames counted`).toBe(sound.length - frames);
    expect([malformedFrames, unknownFrames], `seed ${seed}`).toEqual([0, 0]);
    expect(model.exact, `seed ${seed}: exact again`).toBe(true);
    expect(modelDigest(model), `seed ${seed}: the map`).toBe(line.digest);
    if (frames === whole) expect(model.contradictions, `seed ${seed}`).toBe(0);
    else passed++;
    totalLost += lostFrames;
  }
  expect(passed).toBeLessThanOrEqual(1 + (4 * totalLost) / 65536);
  // The damage was real.
  expect(totalLost).toBeGreaterThan(seeds * 5);
});

test.each(policies)('M1: %s: whoever attaches late has the exact map after one sweep', (policy) => {
  for (let seed = 100; seed < 130; seed++) {
    const line = board(seed, policy, 600);
    const next = random(seed);
    const model = new HeapModel();
    const decoder = new TelemetryDecoder(model);
    for (const frame of line.frames.slice(1 + below(next, line.quietFrom))) decoder.push(frame);
    expect(model.exact, `seed ${seed}`).toBe(true);
    expect(modelDigest(model), `seed ${seed}`).toBe(line.digest);
    expect(decoder.statistics.lostFrames).toBe(0);
    model.forEachBlock((block) => {
      expect(block.size, `seed ${seed}: unknown, or heard`).toBeLessThanOrEqual(block.usable);
    });
  }
});
