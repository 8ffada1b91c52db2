// navigator.serial of a page, bridged to a Transport in the test: the page flashes and watches a virtual board with the
// browser's own code, and only the port is not a real one.
import type { Page } from 'playwright-core';
import type { Transport } from '../../host/transport/transport.ts';

/** Runs in the page before its own script. */
const MOCK = `(() => {
  let controller = null;
  const port = {
    readable: null,
    writable: null,
    getInfo: () => ({ usbVendorId: 0x2e8a, usbProductId: 0x000a }),
    open: async ({ baudRate }) => {
      port.readable = new ReadableStream({ start: (c) => { controller = c; } });
      port.writable = new WritableStream({ write: (bytes) => serialWrite(Array.from(bytes)) });
      await serialOpen(baudRate);
    },
    close: async () => { controller = null; await serialClose(); },
    setSignals: async () => {},
  };
  window.serialReceive = (bytes) => controller?.enqueue(Uint8Array.from(bytes));
  window.serialUnplug = () => controller?.error(new Error('The device has been lost.'));
  Object.defineProperty(navigator, 'serial', { value: { requestPort: async () => port } });
})()`;

/** Call it before the page is loaded; `serialUnplug()` in the page pulls the cable. */
export async function mockSerial(page: Page, transport: Transport): Promise<void> {
  let isOpen = false;
  let sending = Promise.resolve();
  let waiting: number[] = [];
  // What comes while one call is under way goes with the next: bytes stay in order, and calls few.
  transport.onData((bytes) => {
    if (!isOpen) return;
    waiting.push(...bytes);
    sending = sending.then(async () => {
      if (waiting.length === 0) return;
      const chunk = waiting;
      waiting = [];
      await page.evaluate(`serialReceive([${chunk.join()}])`).catch(() => {});
    });
  });
  await page.exposeFunction('serialOpen', () => {
    isOpen = true;
  });
  await page.exposeFunction('serialClose', () => {
    isOpen = false;
  });
  await page.exposeFunction('serialWrite', (bytes: number[]) => transport.write(Uint8Array.from(bytes)));
  await page.addInitScript(MOCK);
}
