/**
 * The functions that Espruino gives a program beside JavaScript's own, as far as Heapglass programs and the tools that
 * upload them use them. Source: espruino/Espruino@c5ff787b1 src/jswrap_interactive.c, jswrap_functions.c,
 * jswrap_espruino.c, jswrap_process.c, jswrap_storage.c, jswrap_serial.c.
 */
import { types } from 'node:util';
import type { NativeBuffer } from '../../cortex-m/native-call.ts';
import type { HostFunctions, Machine } from '../machine.ts';
import { nsPerMs, nsPerSecond } from '../time.ts';
import type { EspruinoConsole } from './console.ts';
import type { InputBuffer } from './input-buffer.ts';
import { type PinHost, pinGlobals } from './pin-globals.ts';
import { printJson } from './print-json.ts';
import type { Storage } from './storage.ts';
import type { EspruinoTimers } from './timers.ts';

/** What the globals need of the firmware around them. */
export interface GlobalsHost extends PinHost {
  readonly machine: Machine;
  readonly console: EspruinoConsole;
  readonly timers: EspruinoTimers;
  readonly storage: Storage | null;
  readonly input: InputBuffer;
  readonly handlers: Map<string, unknown[]>;
  readonly nativeCall: NativeCall | null;
  /** The text of a function of the program's. */
  functionText(fn: unknown): string;
  usedVariables(): number;
  errorFlags(): string[];
  askReset(clearsFlash: boolean): void;
  askLoad(fileName: string | undefined): void;
}

/** E.nativeCall: gives the function that runs machine code at `address` of the board's memory. */
export type NativeCall = (
  machine: Machine,
  address: number,
  signature: string,
  code: Uint8Array,
  buffers: () => readonly NativeBuffer[],
) => unknown;

/** Bytes of anything that Espruino takes as data: text, typed arrays, buffers, arrays of bytes. */
export function dataBytes(value: unknown): Uint8Array {
  if (typeof value === 'string') return Uint8Array.from(value, (character) => character.charCodeAt(0));
  if (types.isTypedArray(value)) return Uint8Array.from(value as Iterable<number>);
  if (types.isAnyArrayBuffer(value)) return new Uint8Array(value).slice();
  if (Array.isArray(value)) {
    const parts = value.map(dataBytes);
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }
  if (typeof value === 'number') return Uint8Array.of(value);
  return new Uint8Array(0);
}

/** CRC-32 as zlib's: poly 0xEDB88320, reflected. */
export function crc32(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

export function espruinoGlobals(host: GlobalsHost): HostFunctions {
  const { machine, console, timers } = host;
  const { board } = machine;
  const storage = host.storage && storageModule(host.storage);
  const functionText = (fn: unknown): string => host.functionText(fn);
  const print = (...values: unknown[]): void => {
    console.removeLine();
    const shown = values.map((value) =>
      typeof value === 'string' ? value : printJson(value, { pretty: true, showsNames: true, functionText }),
    );
    console.print(`${shown.join(' ')}\n`);
  };
  const setTimer =
    (repeats: boolean) =>
    (callback: unknown, ms: unknown, ...args: unknown[]) => {
      if (typeof callback !== 'function' && typeof callback !== 'string') {
        throw new Error('Function or String not supplied!');
      }
      const id = timers.set(callback, ms, args, repeats, machine.nowNs());
      if (id === null) throw new Error('Interval is too long (>100 years)');
      return id;
    };
  const clearTimer = (...ids: unknown[]): void => {
    if (ids.length === 0) timers.clearAll();
    else timers.clear(Number(ids[0]));
  };
  const serial = {
    write: (...values: unknown[]) => console.raw(latin1(dataBytes(values))),
    print: (value: unknown) => console.raw(String(value)),
    println: (value: unknown) => console.raw(`${String(value)}\r\n`),
    setup: (_baud: unknown, options: unknown) => {
      host.input.usesFlowControl = (options as { flow?: string } | undefined)?.flow === 'xon';
    },
    setConsole: () => undefined,
    flush: () => machine.spend(Math.max(0, machine.transmittedNs() - machine.nowNs())),
  };
  return {
    ...pinGlobals(host),
    print,
    console: { log: print, info: print, warn: print, error: print, debug: print },
    echo: (isOn: unknown) => {
      console.isEchoOff = !isOn;
    },
    reset: (clearsFlash: unknown) => host.askReset(Boolean(clearsFlash)),
    load: (fileName: unknown) => host.askLoad(fileName === undefined ? undefined : String(fileName)),
    setTimeout: setTimer(false),
    setInterval: setTimer(true),
    clearTimeout: clearTimer,
    clearInterval: clearTimer,
    changeInterval: (id: unknown, ms: unknown) => timers.change(Number(id), Number(ms), machine.nowNs()),
    getTime: () => machine.nowNs() / nsPerSecond,
    require: (name: unknown) => {
      if (name === 'Storage' && storage !== null) return storage;
      throw new Error(`Module ${JSON.stringify(name)} not found`);
    },
    process: {
      version: board.engineVersion,
      env: {
        VERSION: board.engineVersion,
        BOARD: board.id.toUpperCase(),
        RAM: board.ramBytes,
        FLASH: board.flashBytes,
      },
      memory: (collects: unknown) => memory(host, collects !== false),
    },
    atob: (text: unknown) => latin1(Buffer.from(String(text), 'base64')),
    btoa: (value: unknown) => Buffer.from(dataBytes(value)).toString('base64'),
    E: espruinoObject(host),
    [serialName(machine)]: serial,
    ...(board.console.kind === 'uart'
      ? {}
      : { Serial1: { ...serial, write: () => undefined, print: () => undefined } }),
  };
}

function memory(host: GlobalsHost, collects: boolean): Record<string, unknown> {
  const { machine, input } = host;
  const { jsvars, console } = machine.board;
  const usage = host.usedVariables();
  const total = jsvars?.count ?? 0;
  const pendingBytes = Math.ceil(
    (Math.max(0, machine.transmittedNs() - machine.nowNs()) / nsPerSecond) * console.bytesPerSecond,
  );
  const outputBytes = console.outputBufferBytes ?? 0;
  return {
    free: total - usage,
    usage,
    total,
    history: 0,
    ...(collects && { gc: 0, gctime: 0 }),
    blocksize: jsvars?.bytesEach ?? 0,
    rx: { used: input.usedBytes, total: input.totalBytes },
    tx: { used: Math.min(pendingBytes, outputBytes), total: outputBytes },
  };
}

function storageModule(storage: Storage): HostFunctions {
  const write = (name: unknown, data: unknown, offset: unknown, size: unknown): boolean => {
    const isObject = typeof data === 'object' && data !== null && dataBytes(data).length === 0 && !Array.isArray(data);
    const bytes = isObject ? Buffer.from(JSON.stringify(data), 'latin1') : dataBytes(data);
    const outcome = storage.write(String(name), bytes, Number(offset) || 0, Number(size) || 0);
    if (outcome.error !== null) throw new Error(outcome.error);
    return outcome.isWritten;
  };
  const read = (name: unknown, offset?: unknown, length?: unknown): string | undefined => {
    const data = storage.read(String(name), Number(offset) || 0, Number(length) || 0);
    return data === null ? undefined : latin1(data);
  };
  return {
    write,
    read,
    writeJSON: (name: unknown, value: unknown) => write(name, JSON.stringify(value), 0, 0),
    readJSON: (name: unknown) => {
      const text = read(name);
      return text === undefined ? undefined : JSON.parse(text);
    },
    readArrayBuffer: (name: unknown) => {
      const data = storage.read(String(name));
      return data === null ? undefined : data.buffer;
    },
    erase: (name: unknown) => storage.erase(String(name)),
    eraseAll: () => storage.eraseAll(),
    compact: () => void storage.compact(),
    list: () => storage.names,
    getFree: () => storage.freeBytes,
    getStats: () => storage.stats,
  };
}

const serialName = (machine: Machine): string =>
  ({ usb: 'USB', uart: 'Serial1', ble: 'Bluetooth' })[machine.board.console.kind];

/** Where the board's RAM begins on every Cortex-M board here; typed arrays get their addresses from here on. */
const ramAddress = 0x20000000;
/** How far E.defrag moves things here: far enough that an address from before it is none. */
const defragBytes = 0x00100000;

/** Where the first bank begins. Source: raspberrypi/pico-sdk@a1438dff addressmap.h SRAM_BASE, of the RP2040 and the RP2350. */
const banksBegin = ramAddress;

/**
 * E.memoryArea and E.toArrayBuffer: memory at an address, which here must be in the board's banks (one after the other, in the
 * order of its data). An area is bytes of its own each time it is asked for, not a string over the same ones.
 */
function memoryAreas({ ramBanks }: Machine['board']): HostFunctions {
  const end = Object.values(ramBanks ?? {}).reduce((sum, bytes) => sum + bytes, banksBegin);
  return {
    memoryArea: (address: unknown, length: unknown) => {
      const [from, bytes] = [Number(address) | 0, Number(length) | 0];
      if (from === 0 || bytes < 0) return undefined;
      if (from < banksBegin || from + bytes > end)
        throw new Error(`this virtual board has no memory at 0x${from.toString(16)}`);
      return new Uint8Array(bytes);
    },
    toArrayBuffer: (value: unknown) => (types.isTypedArray(value) ? value.buffer : undefined),
  };
}

function espruinoObject(host: GlobalsHost): HostFunctions {
  const { machine, handlers, storage } = host;
  let addresses = new WeakMap<object, number>();
  const buffers: NativeBuffer[] = [];
  const areas = memoryAreas(machine.board);
  let nextAddress = ramAddress;
  let defrags = 0;
  /** Flat strings and arrays lie elsewhere afterwards; who kept an address has one of nothing. */
  const defrag = (): void => {
    addresses = new WeakMap();
    buffers.length = 0;
    nextAddress = ramAddress + (++defrags % 2) * defragBytes;
  };
  const addressOf = (value: unknown, isFlat: unknown): number => {
    if (typeof value !== 'object' || value === null) return 0;
    const key = types.isTypedArray(value) ? value.buffer : value;
    if (isFlat && !types.isAnyArrayBuffer(key)) return 0;
    const known = addresses.get(key) ?? nextAddress;
    if (!addresses.has(key)) {
      addresses.set(key, known);
      if (types.isAnyArrayBuffer(key)) buffers.push({ address: known, bytes: new Uint8Array(key) });
      nextAddress += types.isAnyArrayBuffer(key) ? (key.byteLength + 31) & ~15 : 16;
    }
    return known + (types.isTypedArray(value) ? value.byteOffset : 0);
  };
  return {
    on: (name: unknown, handler: unknown) => {
      handlers.set(String(name), [...(handlers.get(String(name)) ?? []), handler]);
    },
    removeAllListeners: (name: unknown) => {
      if (name === undefined) handlers.clear();
      else handlers.delete(String(name));
    },
    toJS: (value: unknown) =>
      value === undefined
        ? 'null'
        : printJson(value, { dropsQuotes: true, plain: true, functionText: (fn) => host.functionText(fn) }),
    toString: (...values: unknown[]) => latin1(dataBytes(values)),
    toUint8Array: (...values: unknown[]) => dataBytes(values),
    ...areas,
    sum: (values: unknown) =>
      Array.from(values as ArrayLike<unknown>).reduce((sum: number, value) => sum + Number(value), 0),
    ...(machine.board.features.nativeCall && { toFlatString: (...values: unknown[]) => latin1(dataBytes(values)) }),
    getErrorFlags: () => host.errorFlags(),
    setBootCode: (code: unknown, always: unknown) => {
      storage?.erase('.bootcde');
      storage?.erase('.bootrst');
      if (typeof code === 'string' && code !== '') storage?.write(always ? '.bootrst' : '.bootcde', dataBytes(code));
    },
    kickWatchdog: () => undefined,
    setFlags: () => undefined,
    ...(machine.board.features.crc32 && {
      CRC32: (value: unknown) => crc32(dataBytes(value)),
      getAddressOf: addressOf,
      defrag,
      getSizeOf: () => 1,
    }),
    ...(machine.board.features.nativeCall && {
      nativeCall: (address: unknown, signature: unknown, code: unknown) => {
        if (host.nativeCall === null) throw new Error('this virtual board runs no machine code');
        return host.nativeCall(machine, Number(address), String(signature), dataBytes(code), () => buffers);
      },
    }),
    getConsole: () => serialName(machine),
    getClock: () => machine.board.clockHz / 1_000_000,
    delay: (ms: unknown) => machine.spend((Number(ms) || 0) * nsPerMs),
  };
}
