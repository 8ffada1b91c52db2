// Boards for the metrics: a session that is fed from a recorded heap, and the text format read back.
import { recorderMark } from '../../firmware/src/telemetry/recorder.ts';
import type { MeteredBoard } from '../../host/metrics/metrics.ts';
import { Session } from '../../host/monitor/session.ts';
import { recordedHeap } from '../wire/device.ts';

export interface TestBoard extends MeteredBoard {
  isOpen: boolean;
  reconnects: number;
  heardAtMs: number | null;
  /** Starts the board anew, makes `blocks` of 32 bytes at site 1, frees every third, and sends it all. */
  work(blocks: number): void;
  /** Bytes that the line would have brought, not yet heard. */
  hear(frames: readonly Uint8Array[]): void;
  drain(): Uint8Array[];
  live: number;
}

export function testBoard(name: string, port = `/dev/${name}`, siteName?: (site: number) => string): TestBoard {
  const session = new Session({ source: port, ...(siteName && { siteName }) });
  let device: ReturnType<typeof recordedHeap> | null = null;
  const board: TestBoard = {
    name,
    port,
    session,
    isOpen: true,
    reconnects: 0,
    startedAtMs: Date.UTC(2026, 0, 1),
    heardAtMs: null,
    live: 0,
    work(blocks) {
      device = recordedHeap({ policy: 'best-fit', bytes: 16384 });
      board.live = 0;
      for (let i = 0; i < blocks; i++) {
        const offset = device.heap.malloc(32, 1 + (i % 2));
        if (i % 3 === 2) device.heap.free(offset);
        else board.live++;
      }
      device.heap.malloc(100_000, 7);
      device.heap.free(12);
      recorderMark(3);
      device.clock.ms += 1500;
      board.hear(board.drain());
    },
    hear(frames) {
      for (const frame of frames) session.push(frame);
      board.heardAtMs = Date.UTC(2026, 0, 1, 0, 0, 5);
    },
    drain: () => device?.drain() ?? [],
  };
  return board;
}

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** Reads the text format strictly; throws at the first line that is not of it. */
export function parseExposition(text: string): { samples: Sample[]; types: Map<string, string> } {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const samples: Sample[] = [];
  const types = new Map<string, string>();
  const closed = new Set<string>();
  let current = '';
  const enter = (name: string): void => {
    if (name === current) return;
    if (closed.has(name)) throw new Error(`${name} in two places`);
    closed.add(current);
    current = name;
  };
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE) ([a-z_]+) (.+)$/.exec(line);
    if (comment) {
      enter(comment[2]!);
      if (comment[1] === 'TYPE') types.set(comment[2]!, comment[3]!);
      continue;
    }
    const sample = /^([a-z_]+)\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\} (-?\d+(?:\.\d+)?(?:e[+-]\d+)?)$/.exec(line);
    if (!sample) throw new Error(`not a sample: ${JSON.stringify(line)}`);
    const [, name, pairs, value] = sample;
    enter(name!);
    if (!types.has(name!)) throw new Error(`${name} without a type`);
    const labels = Object.fromEntries(
      [...pairs!.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, escaped]) => [
        label,
        escaped!.replace(/\\(.)/g, (_, character) => (character === 'n' ? '\n' : character)),
      ]),
    );
    samples.push({ name: name!, labels, value: Number(value) });
  }
  return { samples, types };
}
