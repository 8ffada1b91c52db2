// The browser's transport with a mock of its SerialPort; and that flashing imports no Node.
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { exitCodes } from '../../boards/problem.ts';
import { packageRoot } from '../../boards/root.ts';
import { boardOfIdentity } from '../../host/flash/boards.ts';
import { openFlasher } from '../../host/flash/open.ts';
import { openSim } from '../../host/transport/sim.ts';
import { openWebSerial, portFilters, type WebSerialPort } from '../../host/transport/web-serial.ts';

interface Mock extends WebSerialPort {
  fromBoard(bytes: Uint8Array): void;
  unplug(): void;
  signals: object[];
  isClosed: boolean;
}

function mockPort(toBoard: (bytes: Uint8Array) => Promise<void> | void): Mock {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const signals: object[] = [];
  const mock: Mock = {
    readable: new ReadableStream<Uint8Array>({
      start: (c) => {
        controller = c;
      },
    }),
    writable: new WritableStream<Uint8Array>({ write: (bytes) => toBoard(bytes) }),
    open: async () => {},
    close: async () => {
      mock.isClosed = true;
    },
    setSignals: async (signal) => void signals.push(signal),
    getInfo: () => ({ usbVendorId: 0x2e8a, usbProductId: 0x000a }),
    fromBoard: (bytes) => controller.enqueue(bytes),
    unplug: () => controller.error(new Error('The device has been lost.')),
    signals,
    isClosed: false,
  };
  return mock;
}

/** A virtual board in real time behind a port of the browser. */
async function boardBehindPort(boardId: string): Promise<{ port: Mock; close: () => Promise<void> }> {
  const sim = await openSim(boardId);
  sim.setRealTime(true);
  const port = mockPort((bytes) => sim.write(bytes));
  sim.onData((bytes) => port.fromBoard(bytes));
  return { port, close: () => sim.close() };
}

describe('Web Serial', () => {
  test('writes in windows, raises DTR, delivers bytes, closes', async () => {
    const written: number[] = [];
    const port = mockPort((bytes) => void written.push(bytes.length));
    const transport = await openWebSerial(port);
    expect(transport.name).toBe('usb 2e8a:000a');
    expect(port.signals).toEqual([{ dataTerminalReady: true, requestToSend: true }]);
    const received = new Promise((resolve) => transport.onData(resolve));
    port.fromBoard(Uint8Array.of(1, 2, 3));
    expect(await received).toEqual(Uint8Array.of(1, 2, 3));
    await transport.write(new Uint8Array(600));
    expect(written).toEqual([256, 256, 88]);
    await transport.close();
    expect(port.isClosed).toBe(true);
  });

  test('a cable that is out is told once; writes fail as a lost line', async () => {
    const port = mockPort(() => {});
    const transport = await openWebSerial(port);
    const reason = new Promise<string>((resolve) => transport.onClose(resolve));
    port.unplug();
    expect(await reason).toMatch(/device has been lost/);
    await expect(transport.write(Uint8Array.of(1))).rejects.toMatchObject({ exitCode: exitCodes.lineLost });
    await transport.close();
  });

  test('never 1200 baud; a busy port is a Problem', async () => {
    await expect(
      openWebSerial(
        mockPort(() => {}),
        1200,
      ),
    ).rejects.toMatchObject({ exitCode: exitCodes.usage });
    const busy = { ...mockPort(() => {}), open: () => Promise.reject(new Error('Failed to open serial port.')) };
    await expect(openWebSerial(busy)).rejects.toMatchObject({ exitCode: exitCodes.noBoard });
  });

  test.each([
    ['kaluma-pico', 'kaluma'],
    ['pico_r1_3', 'espruino'],
    ['rp2350_pico2', 'espruino'],
  ])('a virtual %s is flashed through it, verified, read back and started', async (boardId, engine) => {
    const { port, close } = await boardBehindPort(boardId);
    const transport = await openWebSerial(port);
    const { flasher } = await openFlasher(transport, { findBoard: boardOfIdentity });
    expect(flasher.identity.engine).toBe(engine);
    const program = new TextEncoder().encode('print("hello");\r\n// äöü\n');
    expect(await flasher.upload(program)).toMatchObject({ isVerified: true, attempts: 1 });
    expect(await flasher.read()).toEqual(program);
    expect((await flasher.start()).text).toMatch(/hello/);
    await transport.close();
    await close();
  });

  test('the filters are the USB ids of the boards', () => {
    for (const id of ['kaluma-pico', 'pico_r1_3', 'rp2040_pico']) {
      const { usb } = loadBoard(id);
      expect(portFilters.some((filter) => filter.usbVendorId === usb!.vendorId)).toBe(true);
    }
  });
});

test('what the browser shares needs no Node: bundled for a browser it flashes in a world without any of it', async () => {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: `export { openFlasher } from './host/flash/open.ts';
        export { openWebSerial, portFilters } from './host/transport/web-serial.ts';`,
      resolveDir: packageRoot,
      loader: 'ts',
    },
    ...{ bundle: true, write: false, metafile: true, logLevel: 'silent' },
    // Fails on an import of Node.
    ...{ platform: 'browser', format: 'iife', globalName: 'heapglass', target: 'es2022' },
  });
  const inputs = Object.keys(metafile!.inputs);
  expect(inputs.length).toBeGreaterThan(10);
  expect(inputs.filter((file) => !/^(?:<stdin>|host|boards|firmware\/wire|node_modules\/acorn)/.test(file))).toEqual(
    [],
  );

  const { port, close } = await boardBehindPort('kaluma-pico');
  const page = createContext({
    ...{ port, TextEncoder, TextDecoder, AbortController, performance, setTimeout, clearTimeout, atob, Uint8Array },
  });
  runInContext(outputFiles![0]!.text, page);
  const flashed = await runInContext(
    `(async () => {
      const transport = await heapglass.openWebSerial(port);
      const { flasher } = await heapglass.openFlasher(transport);
      const flashed = await flasher.upload(new TextEncoder().encode('print("from a page");\\n'));
      await transport.close();
      return flashed;
    })()`,
    page,
  );
  expect(flashed).toMatchObject({ isVerified: true, storedBytes: 22 });
  await close();
});
