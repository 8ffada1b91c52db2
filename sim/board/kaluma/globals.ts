/**
 * The functions that Kaluma gives a program beside JavaScript's own, as far as Heapglass programs use them.
 * Source: kaluma-project/kaluma@1.2.1 src/global.c, src/modules/stream/module_stream.c.
 */
import { types } from 'node:util';
import type { Engine } from '../../engine/engine.ts';
import type { HostFunctions, Machine } from '../machine.ts';
import type { Edge, PinWatches } from '../pin-watches.ts';
import type { Pins } from '../pins.ts';
import { nsPerMs, nsPerUs } from '../time.ts';
import { prettyPrint } from './pretty-print.ts';
import type { KalumaTimers } from './timers.ts';
import type { KalumaTty } from './tty.ts';

/** Depth to which console.log and print show objects. */
const printDepth = 2;
/** `process.stdout` is made anew each time, in JavaScript; measured as the bytes' time was (tty.ts). */
const stdoutWriteNs = 230_000;

export interface KalumaHeap {
  totalBytes: number;
  usedBytes: number;
  peakBytes: number;
}

export function heapOf(machine: Machine, engine: Engine | null, peakBytes: number): KalumaHeap {
  const usedBytes = engine?.heapBytes ?? 0;
  return { totalBytes: machine.board.engineHeapBytes ?? 0, usedBytes, peakBytes: Math.max(peakBytes, usedBytes) };
}

function shown(values: readonly unknown[]): string {
  return values.map((value) => (typeof value === 'string' ? value : prettyPrint(value, printDepth))).join(' ');
}

function checkFunction(value: unknown, name: string): void {
  if (typeof value !== 'function') throw new TypeError(`"${name}" argument must be a function`);
}

function checkNumber(value: unknown, name: string): number {
  if (typeof value !== 'number') throw new TypeError(`"${name}" argument must be a number`);
  return value;
}

function bytesOf(value: unknown): Uint8Array {
  if (!types.isTypedArray(value)) throw new TypeError('"chunk" argument must be a typed array');
  // From its first byte on, as many bytes as it has.
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

export interface KalumaPins {
  pins: Pins;
  watches: PinWatches;
}

const modeOutput = 1;
const modePullUp = 2;
const modePullDown = 3;
const watchLowLevel = 1;
const watchFalling = 4;
const watchRising = 8;
const watchChange = 12;
/** analogRead waits so long before it reads. */
const analogReadNs = nsPerMs;

/** Digital pins. A watch of a level tells a change to it once; the real one goes on telling while the level lasts. */
function pinFunctions(pins: Pins, watches: PinWatches): HostFunctions {
  const each = (pin: unknown, work: (number: number, at: number) => void): void => {
    const several = Array.isArray(pin) ? pin : [pin];
    // The last of several has the lowest bit.
    several.forEach((one, at) => {
      if (typeof one !== 'number') throw new TypeError('"pin" argument must be a number or number[]');
      work(one, several.length - 1 - at);
    });
  };
  const edgeOf = (events: number): Edge =>
    events === watchChange ? 'both' : events === watchFalling || events === watchLowLevel ? 'falling' : 'rising';
  return {
    pinMode: (pin: unknown, mode: unknown) =>
      each(pin, (number) => {
        if (mode === modeOutput) pins.write(number, pins.read(number));
        else pins.input(number, mode === modePullUp ? 1 : mode === modePullDown ? 0 : null);
      }),
    digitalRead: (pin: unknown) => pins.read(checkNumber(pin, 'pin')),
    digitalWrite: (pin: unknown, value: unknown) =>
      each(pin, (number, bit) =>
        pins.write(number, Array.isArray(pin) ? (Number(value) >> bit) & 1 : Number(value) ? 1 : 0),
      ),
    digitalToggle: (pin: unknown) => {
      pins.toggle(checkNumber(pin, 'pin'));
    },
    setWatch: (callback: unknown, pin: unknown, events: unknown, debounceMs: unknown) => {
      checkFunction(callback, 'callback');
      const number = checkNumber(pin, 'pin');
      const edge = edgeOf(typeof events === 'number' ? events : watchChange);
      const debounceNs = (Number(debounceMs) || 0) * nsPerMs;
      return watches.set({ pin: number, callback, edge, repeats: true, debounceNs }, pins.read(number));
    },
    clearWatch: (id: unknown) => {
      watches.clear(Number(id));
    },
  };
}

export function kalumaGlobals(
  machine: Machine,
  tty: KalumaTty,
  timers: KalumaTimers,
  { pins, watches }: KalumaPins,
  heap: () => KalumaHeap,
): HostFunctions {
  const log = (...values: unknown[]): void => {
    if (values.length > 0) tty.print(`\x1b[2K\r\x1b[0m${shown(values)}\r\n`);
  };
  const setTimer = (repeats: boolean) => (callback: unknown, delayMs: unknown) => {
    checkFunction(callback, 'callback');
    return timers.set(callback, checkNumber(delayMs, 'delay'), repeats);
  };
  const clearTimer = (id: unknown): void => timers.clear(checkNumber(id, 'id'));
  const { id, engineVersion, cpu } = machine.board;
  const arch = cpu === 'cortex-m0plus' ? 'cortex-m0-plus' : cpu;
  return {
    print: (...values: unknown[]) => {
      values.forEach((value, i) => {
        if (i > 0) tty.print(' ');
        if (typeof value === 'string') tty.putBytes(new TextEncoder().encode(value));
        else tty.print(prettyPrint(value, printDepth));
      });
    },
    console: { log, error: log },
    setTimeout: setTimer(false),
    setInterval: setTimer(true),
    clearTimeout: clearTimer,
    clearInterval: clearTimer,
    millis: () => Math.floor(machine.nowNs() / nsPerMs),
    micros: () => Math.floor(machine.nowNs() / nsPerUs),
    delay: (ms: unknown) => machine.spend((Number(ms) || 0) * nsPerMs),
    delayMicroseconds: (us: unknown) => machine.spend((Number(us) || 0) * nsPerUs),
    atob: (text: unknown) => Buffer.from(String(text), 'base64').toString('latin1'),
    btoa: (text: unknown) => Buffer.from(String(text), 'latin1').toString('base64'),
    ...pinFunctions(pins, watches),
    HIGH: 1,
    LOW: 0,
    INPUT: 0,
    OUTPUT: modeOutput,
    INPUT_PULLUP: modePullUp,
    INPUT_PULLDOWN: modePullDown,
    LOW_LEVEL: watchLowLevel,
    HIGH_LEVEL: 2,
    RISING: watchRising,
    FALLING: watchFalling,
    CHANGE: watchChange,
    analogRead: (pin: unknown) => {
      machine.spend(analogReadNs);
      return pins.level(checkNumber(pin, 'pin'));
    },
    analogWrite: () => undefined,
    tone: () => undefined,
    noTone: () => undefined,
    seed: () => undefined,
    process: {
      arch,
      platform: 'rp2',
      version: engineVersion,
      memoryUsage: () => {
        const { totalBytes, usedBytes, peakBytes } = heap();
        return { heapTotal: totalBytes, heapUsed: usedBytes, heapPeak: peakBytes };
      },
      stdout: {
        write: (chunk: unknown) => {
          machine.spend(stdoutWriteNs);
          tty.putBytes(bytesOf(chunk));
          return true;
        },
      },
      stdin: {
        read: (size: unknown) => {
          const length = tty.available();
          if (length === 0 || (typeof size === 'number' && length < size)) return null;
          return tty.read(typeof size === 'number' && size >= 0 ? size : length);
        },
      },
    },
    board: { name: id.replace(/^kaluma-/, ''), LED: 25, uid: '0000000000000000' },
  };
}
