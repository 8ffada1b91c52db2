// The browser's transport with a mock of its SerialPort; and that flashing imports no Node.
import { readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { exitCodes } from '../../boards/problem.ts';
import { packageRoot } from '../../boards/root.ts';
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

  test('a virtual Pico is flashed through it', async () => {
    const sim = await openSim('kaluma-pico');
    sim.setRealTime(true);
    const port = mockPort((bytes) => sim.write(bytes));
    sim.onData((bytes) => port.fromBoard(bytes));
    const transport = await openWebSerial(port);
    const { flasher } = await openFlasher(transport);
    expect(await flasher.upload(new TextEncoder().encode('print("hello");\n'))).toMatchObject({ isVerified: true });
    await transport.close();
    await sim.close();
  });

  test('the filters are the USB ids of the boards', () => {
    for (const id of ['kaluma-pico', 'pico_r1_3', 'rp2040_pico']) {
      const { usb } = loadBoard(id);
      expect(portFilters.some((filter) => filter.usbVendorId === usb!.vendorId)).toBe(true);
    }
  });
});

test('what the browser shares imports no Node, directly or not', () => {
  const seen = new Set<string>();
  const wrong: string[] = [];
  const visit = (file: string) => {
    if (seen.has(file)) return;
    seen.add(file);
    const source = readFileSync(join(packageRoot, file), 'utf8');
    // Types vanish when the code is built.
    for (const [, what, target] of source.matchAll(/^import (type )?[^'"]*from '([^']+)'/gm)) {
      if (what) continue;
      if (target!.startsWith('.')) visit(relative('.', normalize(join(dirname(file), target!))));
      else if (target !== 'acorn') wrong.push(`${file} imports ${target}`);
    }
  };
  visit('host/flash/open.ts');
  visit('host/transport/web-serial.ts');
  expect(seen.size).toBeGreaterThan(10);
  expect(wrong).toEqual([]);
});
