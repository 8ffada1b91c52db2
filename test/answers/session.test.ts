// What is wrong is said where a session is shown: the leak's site by its source line.
import { expect, test, vi } from 'vitest';
import { Session } from '../../host/monitor/session.ts';
import { verdicts } from '../../host/view/verdicts.ts';
import { recordedHeap } from '../wire/device.ts';

vi.mock('../../firmware/src/telemetry/observer.ts', () => import('../../firmware/src/telemetry/recorder.ts'));

test('a session over the wire says who leaks', () => {
  const { heap, clock, drain } = recordedHeap({ policy: 'best-fit', bytes: 120_000 });
  const session = new Session({ source: 'test', siteName: (site) => `app.js:${site}` });
  const queue: number[] = [];
  for (let i = 0; i < 6000; i++) {
    queue.push(heap.malloc(20 + (i % 50), 3));
    if (queue.length > 30) heap.free(queue.shift()!);
    if (i % 20 === 0) heap.malloc(24, 41);
    if (i % 25 === 0) {
      clock.ms += 10;
      for (const frame of drain()) session.push(frame);
    }
  }
  const said = verdicts(session.scene('live'));
  expect(said.filter((sentence) => sentence.includes('leaks'))).toEqual([
    expect.stringMatching(/^app\.js:41 leaks: what it holds at least went from \d+ to \d+ B/),
  ]);
});
