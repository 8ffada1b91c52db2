// The mend of serialport's poller, against a native poller that behaves as libuv's: a poll replaces the interest set.
import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { interestMask, mendPoller, rearm } from '../../host/transport/poller.ts';

/** As @serialport/bindings-cpp 13.0.0 lib/poller.ts, with the interest set of uv_poll_start under it. */
class FakePoller extends EventEmitter {
  interest = 0;
  override once(event: string | symbol, listener: Parameters<EventEmitter['once']>[1]): this {
    this.poll({ readable: 1, writable: 2, disconnect: 4 }[String(event)] ?? 0);
    return super.once(event, listener);
  }
  poll(events: number): void {
    this.interest = events;
  }
  /** What libuv does when the descriptor becomes ready: nothing for events that nobody asked for. */
  ready(event: string, bit: number): void {
    if ((this.interest & bit) === 0) return;
    this.interest &= ~bit;
    this.emit(event, null);
  }
}

function waitForBoth(poller: FakePoller): { readable: number; writable: number } {
  const seen = { readable: 0, writable: 0 };
  poller.once('readable', () => seen.readable++);
  poller.once('writable', () => seen.writable++);
  poller.ready('writable', 2);
  poller.ready('readable', 1);
  return seen;
}

describe('serialport poller', () => {
  test('the defect: a wait for writable forgets the wait for readable', () => {
    expect(waitForBoth(new FakePoller())).toEqual({ readable: 0, writable: 1 });
  });

  test('mended: both waits end, in either order', () => {
    const poller = new FakePoller();
    mendPoller({ poller });
    expect(waitForBoth(poller)).toEqual({ readable: 1, writable: 1 });
    const seen: string[] = [];
    poller.once('writable', () => seen.push('w'));
    poller.once('readable', () => seen.push('r'));
    poller.ready('readable', 1);
    poller.ready('writable', 2);
    expect(seen).toEqual(['r', 'w']);
  });

  test('rearm asks again for what is waited for, and for nothing else', () => {
    const poller = new FakePoller();
    mendPoller({ poller });
    poller.once('readable', () => {});
    poller.interest = 0;
    rearm(poller);
    expect(poller.interest).toBe(1);
    expect(interestMask(poller)).toBe(1);
    poller.ready('readable', 1);
    rearm(poller);
    expect(poller.interest).toBe(0);
  });

  test('each event leaves an immediate that wakes the event loop: from Node 26.4 on its promise jobs wait for one', () => {
    const immediates = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Immediate').length;
    const countAfterEvent = (poller: FakePoller): number => {
      poller.once('readable', () => {});
      const before = immediates();
      poller.ready('readable', 1);
      return immediates() - before;
    };
    const mended = new FakePoller();
    mendPoller({ poller: mended });
    expect(countAfterEvent(new FakePoller())).toBe(0);
    expect(countAfterEvent(mended)).toBe(1);
  });

  test('a binding without a poller (Windows) is left alone', () => {
    expect(mendPoller({})).toBeNull();
  });
});
