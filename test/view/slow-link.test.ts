// The terminal view over a slow link: 20 frames a second of a busy heap, as bytes. What a link cannot carry is not drawn
// (live-view.ts waits until the terminal took the last frame), so the figure is what a frame costs.
// HEAPGLASS_REPORT=1 prints it.
import { expect, test, vi } from 'vitest';
import { Session } from '../../host/monitor/session.ts';
import { drawFrame } from '../../host/view/frame.ts';
import type { Grid } from '../../host/view/grid.ts';
import { redraw } from '../../host/view/redraw.ts';
import type { Form } from '../../host/view/theme.ts';
import { recordedHeap } from '../wire/device.ts';
import { below, random } from '../wire/random.ts';

vi.mock('../../firmware/src/telemetry/observer.ts', () => import('../../firmware/src/telemetry/recorder.ts'));

const FRAMES_A_SECOND = 20;
const SECONDS = 20;
/** A serial console of 115200 baud. */
const LINK_BYTES_A_SECOND = 11_520;

/** Bytes of each frame after the first, at `operationsASecond` of mixed work. */
function framesOf(form: Form, operationsASecond: number): string[] {
  const next = random(7);
  const { heap, clock, drain } = recordedHeap({ policy: 'best-fit', bytes: 16_384, ringFrames: 16 });
  const session = new Session({ source: '/dev/ttyACM0' });
  const live: number[] = [];
  const frames: string[] = [];
  let shown: Grid | null = null;
  for (let frame = 0; frame < FRAMES_A_SECOND * SECONDS; frame++) {
    for (let i = 0; i < operationsASecond / FRAMES_A_SECOND; i++) {
      const offset = live.length < 60 || next() < 0.5 ? heap.malloc(8 + below(next, 120), 1 + below(next, 9)) : 0;
      if (offset !== 0) live.push(offset);
      else heap.free(live.splice(below(next, live.length), 1)[0]!);
    }
    clock.ms += 1000 / FRAMES_A_SECOND;
    for (const bytes of drain()) session.push(bytes);
    const drawn = drawFrame(session.scene('live'), { columns: 80, rows: 24, form, keys: 'q quit' });
    const bytes = redraw(shown, drawn, form);
    if (shown !== null) frames.push(bytes);
    shown = drawn;
  }
  return frames;
}

// A busy heap changes most of its map with each frame: fewer frames of it fit, and the view draws fewer (live-view.ts).
test.each([
  ['colour', 200, 20],
  ['ascii', 200, 20],
  ['colour', 2000, 5],
  ['ascii', 2000, 20],
] as const)(
  '%s, %d operations a second: %d frames fit a second of 115200 baud, none clears the screen',
  (form, rate, fit) => {
    const frames = framesOf(form, rate);
    const sizes = frames.map((frame) => Buffer.byteLength(frame));
    const mean = sizes.reduce((sum, bytes) => sum + bytes, 0) / sizes.length;
    if (process.env.HEAPGLASS_REPORT) {
      console.log(
        `${form}, ${rate} operations a second: ${mean.toFixed(0)} bytes a frame, at most ${Math.max(...sizes)}`,
      );
    }
    expect(frames.filter((frame) => frame.includes('\x1b[2J'))).toEqual([]);
    expect(mean * fit).toBeLessThan(LINK_BYTES_A_SECOND);
  },
);
