/**
 * What Espruino gives a program for its pins: their names, `digitalWrite` and its kin, watches, and the methods of a Pin.
 *
 * A pin is a number here as it is to `typeof` there; it is printed as a number too. Pulses and PWM take no time and show in no
 * reading. Source: espruino/Espruino@c5ff787b1 src/jswrap_io.c, jswrap_pin.c, jswrap_interactive.c, jsinteractive.c jsiIdle.
 */
import { type HostFunctions, numberMethods } from '../../engine/sandbox.ts';
import type { Machine } from '../machine.ts';
import type { Edge, PinWatches } from '../pin-watches.ts';
import { type Pins, pinCount, pinNumbers } from '../pins.ts';
import { nsPerMs } from '../time.ts';

export interface PinHost {
  readonly machine: Machine;
  readonly pins: Pins;
  readonly watches: PinWatches;
}

/** Buttons bounce: a watch on one of them waits so long, where it asks for nothing else. */
const buttonDebounceMs = 25;

const inputs: Readonly<Record<string, 0 | 1 | null>> = {
  analog: null,
  input: null,
  input_pullup: 1,
  input_pulldown: 0,
};
const outputs = ['output', 'opendrain', 'opendrain_pullup', 'af_output', 'af_opendrain'];

export function pinGlobals({ machine, pins, watches }: PinHost): HostFunctions {
  const names = pinNumbers(machine.board);
  const count = pinCount(machine.board);
  const modes = new Map<number, string>();
  const pinOf = (pin: unknown): number => {
    const number = typeof pin === 'string' ? (names.get(pin) ?? Number.NaN) : Number(pin);
    if (!Number.isInteger(number) || number < 0 || number >= count) throw new Error('Invalid pin');
    return number;
  };
  const write = (pin: unknown, value: unknown): void => {
    // The last of several pins has the lowest bit; a boolean is all of them.
    if (Array.isArray(pin)) {
      const bits = typeof value === 'boolean' ? (value ? -1 : 0) : Number(value) | 0;
      pin.forEach((one, at) => {
        pins.write(pinOf(one), (bits >> (pin.length - 1 - at)) & 1);
      });
    } else pins.write(pinOf(pin), Number(value) ? 1 : 0);
  };
  const read = (pin: unknown): number =>
    Array.isArray(pin)
      ? pin.reduce((bits: number, one) => (bits << 1) | pins.read(pinOf(one)), 0)
      : pins.read(pinOf(pin));
  const mode = (pin: unknown, wanted: unknown): void => {
    const number = pinOf(pin);
    if (wanted === undefined || wanted === 'auto') {
      modes.delete(number);
      return;
    }
    const pull = inputs[String(wanted)];
    if (pull !== undefined) pins.input(number, pull);
    else if (!outputs.includes(String(wanted))) throw new Error('Unknown pin mode');
    else if (!pins.isOutput(number)) pins.write(number, 0);
    modes.set(number, String(wanted));
  };
  const modeOf = (pin: unknown): string => {
    const number = pinOf(pin);
    return modes.get(number) ?? (pins.isOutput(number) ? 'output' : 'input');
  };
  const toggle = (pin: unknown): boolean => pins.toggle(pinOf(pin)) === 1;
  const nothing = (pin: unknown): void => void pinOf(pin);
  const setWatch = (callback: unknown, pin: unknown, options: unknown): number => {
    if (typeof callback !== 'function' && typeof callback !== 'string') {
      throw new Error('Function or String not supplied!');
    }
    const number = pinOf(pin);
    const isButton = Object.entries(machine.board.pins?.named ?? {}).some(
      ([name, of]) => name.startsWith('BTN') && names.get(of) === number,
    );
    const asked = (typeof options === 'object' && options !== null ? options : { repeat: options }) as WatchOptions;
    const debounceMs = asked.debounce === undefined ? (isButton ? buttonDebounceMs : 0) : Number(asked.debounce) || 0;
    const watch = {
      pin: number,
      callback,
      edge: edgeOf(asked.edge, isButton),
      repeats: Boolean(asked.repeat),
      debounceNs: Math.max(0, debounceMs) * nsPerMs,
    };
    return watches.set(watch, pins.read(number));
  };
  const clearWatch = (...ids: unknown[]): void => {
    if (ids.length === 0) watches.clearAll();
    else if (ids[0] === undefined) throw new Error('clearWatch(undefined) not allowed. Use clearWatch() instead');
    else if (!watches.clear(Number(ids[0]))) throw new Error(`Unknown Watch ${String(ids[0])}`);
  };
  return {
    ...Object.fromEntries(names),
    HIGH: 1,
    LOW: 0,
    digitalWrite: write,
    digitalRead: read,
    digitalPulse: nothing,
    pinMode: mode,
    getPinMode: modeOf,
    analogRead: (pin: unknown) => pins.level(pinOf(pin)),
    analogWrite: nothing,
    setWatch,
    clearWatch,
    [numberMethods]: {
      read: (pin: unknown) => read(pin) === 1,
      write,
      set: (pin: unknown) => write(pin, 1),
      reset: (pin: unknown) => write(pin, 0),
      toggle,
      mode,
      getMode: modeOf,
      pulse: nothing,
      analog: (pin: unknown) => pins.level(pinOf(pin)),
      pwm: nothing,
    },
  };
}

interface WatchOptions {
  repeat?: unknown;
  edge?: unknown;
  debounce?: unknown;
}

function edgeOf(edge: unknown, isButton: boolean): Edge {
  if (edge === undefined) return isButton ? 'rising' : 'both';
  if (typeof edge === 'number') return edge > 0 ? 'rising' : edge < 0 ? 'falling' : 'both';
  if (edge === 'rising' || edge === 'falling' || edge === 'both') return edge;
  throw new TypeError("'edge' in setWatch should be 1, -1, 0, 'rising', 'falling' or 'both'");
}
