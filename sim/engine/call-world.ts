/**
 * What a program that is only measured finds beside the language: it may print (nothing is shown), read the time, and
 * set timers (none comes: the call is measured, not the board's loop).
 */
import { Buffer } from 'node:buffer';
import type { Board } from '../../boards/board.ts';
import type { HostFunctions } from './sandbox.ts';

/** `seconds`: virtual time since power-up. */
export function callWorld(board: Board, seconds: () => number): HostFunctions {
  let timers = 0;
  const nothing = (): void => {};
  const timer = (): number => ++timers;
  const common = {
    print: nothing,
    console: { log: nothing, error: nothing, warn: nothing, info: nothing },
    setTimeout: timer,
    setInterval: timer,
    clearTimeout: nothing,
    clearInterval: nothing,
    btoa: (text: unknown) => Buffer.from(String(text), 'latin1').toString('base64'),
    atob: (text: unknown) => Buffer.from(String(text), 'base64').toString('latin1'),
  };
  if (board.engine === 'espruino') return { ...common, getTime: seconds };
  return { ...common, millis: () => Math.floor(seconds() * 1e3), micros: () => Math.floor(seconds() * 1e6) };
}
