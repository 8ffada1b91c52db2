/**
 * Two defects of serialport's Unix poller (@serialport/bindings-cpp 13.0.0), mended on the one poller of an open port.
 *
 * 1. Its `uv_poll_start` replaces the interest set. A read that waits for "readable" is forgotten when a write starts
 *    to wait for "writable", and the reverse: a full-duplex stream stops for good, without an error. Mended: each wait
 *    asks for the union of all events that somebody still waits for.
 * 2. From Node 26.4 on, the native callback no longer runs the promise jobs that it queues until something else wakes
 *    the event loop (serialport/bindings-cpp#239, nodejs/node#62969). Mended: each event queues an immediate.
 *
 * Only the JavaScript surface of the poller is used (`once`, `poll`, `listenerCount`); where a later version of the
 * package has no such poller (Windows has none), nothing is done.
 */

/** UV_READABLE, UV_WRITABLE, UV_DISCONNECT of libuv's uv.h. */
const interests = { readable: 1, writable: 2, disconnect: 4 } as const;
type Interest = keyof typeof interests;

export interface Poller {
  once(event: string, listener: (error: Error | null) => void): unknown;
  on(event: string, listener: () => void): unknown;
  poll(events: number): void;
  listenerCount(event: string): number;
}

/** The events that somebody waits for, as the mask that libuv takes. `alsoWanted` counts as waited for. */
export function interestMask(poller: Pick<Poller, 'listenerCount'>, alsoWanted?: string): number {
  let mask = 0;
  for (const event of Object.keys(interests) as Interest[]) {
    if (event === alsoWanted || poller.listenerCount(event) > 0) mask |= interests[event];
  }
  return mask;
}

/** Mends the poller of an opened serialport binding. Returns it for `rearm`, or null where there is none. */
export function mendPoller(binding: unknown): Poller | null {
  const poller = (binding as { poller?: Poller } | null)?.poller;
  if (typeof poller?.poll !== 'function' || typeof poller.once !== 'function') return null;
  const nativePoll = poller.poll.bind(poller);
  // `once` of the package asks for its own event first and adds its listener after; asking for the union in `poll`
  // serves both orders.
  poller.poll = (events) => {
    const isStop = events === 0;
    nativePoll(isStop ? 0 : events | interestMask(poller));
  };
  const once = poller.once.bind(poller);
  poller.once = (event, listener) =>
    once(event, (error) => {
      setImmediate(() => {});
      listener(error);
    });
  return poller;
}

/** Asks again for everything that is waited for: harmless when nothing was forgotten. */
export function rearm(poller: Poller): void {
  const mask = interestMask(poller);
  if (mask !== 0) poller.poll(mask);
}
