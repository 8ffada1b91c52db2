/**
 * Run by itself, under whichever Node is to be tried: a full-duplex stream between two ttys, in a process whose event
 * loop nothing else wakes. `duplex.ts TTY TTY BYTES [unmended]` prints `done` or `stalled after N bytes`.
 *
 * `unmended` takes the mend of poller.ts for Node 26.4 and later away again (each event queues an immediate), and the
 * look of port-io.ts is off either way: it would heal the stall a quarter of a second later.
 */
import { openSerial } from '../../host/transport/serial.ts';

const [, , a = '', b = '', size = '0', isUnmended] = process.argv;
const verdictAfterMs = 6_000;
const byteCount = Number(size);

if (isUnmended) globalThis.setImmediate = (() => {}) as unknown as typeof setImmediate;
const near = await openSerial(a, { lookEveryMs: 0, stallMs: 60_000 });
const far = await openSerial(b, { lookEveryMs: 0, stallMs: 60_000 });
let received = 0;

function end(verdict: string): void {
  console.log(`${process.version} ${verdict}`);
  process.exit(0);
}

far.onData((bytes) => void far.write(bytes));
near.onData((bytes) => {
  received += bytes.length;
  if (received >= byteCount) end('done');
});
setTimeout(() => end(`stalled after ${received} bytes`), verdictAfterMs);
void near.write(new Uint8Array(byteCount).fill(0x55));
