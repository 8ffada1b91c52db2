/**
 * The functions that Kaluma gives a program beside JavaScript's own, as far as Heapglass programs use them.
 * Source: kaluma-project/kaluma@1.2.1 src/global.c, src/modules/stream/module_stream.c.
 */
import { types } from 'node:util';
import type { Engine } from '../../engine/engine.ts';
import type { HostFunctions, Machine } from '../machine.ts';
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

export function kalumaGlobals(
  machine: Machine,
  tty: KalumaTty,
  timers: KalumaTimers,
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
    digitalRead: (pin: unknown) => machine.pin(checkNumber(pin, 'pin')) ?? 0,
    digitalWrite: () => undefined,
    digitalToggle: () => undefined,
    pinMode: () => undefined,
    HIGH: 1,
    LOW: 0,
    INPUT: 0,
    OUTPUT: 1,
    INPUT_PULLUP: 2,
    INPUT_PULLDOWN: 3,
    LOW_LEVEL: 1,
    HIGH_LEVEL: 2,
    RISING: 8,
    FALLING: 4,
    CHANGE: 12,
    analogRead: () => 0,
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
