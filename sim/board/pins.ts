/**
 * A board's pins: their names, what the outside drives onto them and when, and what a program does with them.
 *
 * The outside is a list of changes in virtual time, `BTN1=1@1500,BTN1=0@1600,A0=0.4`: a level from 0 to 1, at a time in
 * milliseconds after power-up, from the start without one. Nothing else is connected: an output is read back as it was
 * written, and an input that nothing drives is what its pull resistor makes it.
 */
import type { Board } from '../../boards/board.ts';
import { exitCodes, Problem } from '../../boards/problem.ts';
import type { Machine } from './machine.ts';
import { nsPerMs } from './time.ts';

/** From `atNs` on the outside drives the pin to `level`, 0 to 1. */
export interface PinChange {
  atNs: number;
  pin: number;
  level: number;
}

/** From here on an analog level reads as 1. */
const highLevel = 0.5;

export const isHigh = (level: number): 0 | 1 => (level >= highLevel ? 1 : 0);

/** Numbers of the pins that a program names: the ports' in the order of the board's data, then what names one of them. */
export function pinNumbers({ pins }: Board): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const [port, count] of Object.entries(pins?.ports ?? {}))
    for (let index = 0; index < count; index++) numbers.set(`${port}${index}`, numbers.size);
  for (const [name, pin] of Object.entries(pins?.named ?? {})) numbers.set(name, numbers.get(pin)!);
  return numbers;
}

/** How many pins the ports have; the lowest number that is none. */
export const pinCount = ({ pins }: Board): number =>
  Object.values(pins?.ports ?? {}).reduce((sum, count) => sum + count, 0);

/** Reads a list of changes; pins by name or number. In the order of their times. */
export function parsePins(spec: string, board: Board): PinChange[] {
  const names = pinNumbers(board);
  const changes = spec
    .split(',')
    .filter(Boolean)
    .map((part): PinChange => {
      const [, name = '', level = '', ms = '0'] = /^([A-Za-z]*\d+|[A-Za-z]+)=([\d.]+)(?:@([\d.]+))?$/.exec(part) ?? [];
      const pin = /^\d+$/.test(name) ? Number(name) : names.get(name.toUpperCase());
      if (name === '' || !(Number(level) <= 1) || Number.isNaN(Number(ms)))
        throw new Problem(
          exitCodes.usage,
          `"${part}" says of no pin when it has which level`,
          [],
          'Write PIN=LEVEL or PIN=LEVEL@MS, with a level from 0 to 1: --pins BTN1=1@1500,BTN1=0@1600',
        );
      if (pin === undefined) throw unknownPin(name, board, names);
      return { atNs: Number(ms) * nsPerMs, pin, level: Number(level) };
    });
  return changes.sort((a, b) => a.atNs - b.atNs);
}

function unknownPin(name: string, board: Board, names: ReadonlyMap<string, number>): Problem {
  const known = Object.keys(board.pins?.named ?? {});
  const facts = names.size === 0 ? ['its pins have numbers'] : known.length > 0 ? [`named: ${known.join(', ')}`] : [];
  const ports = Object.entries(board.pins?.ports ?? {}).map(([port, count]) => `${port}0 to ${port}${count - 1}`);
  return new Problem(exitCodes.usage, `${board.id} has no pin ${name}`, [...facts, ...ports], 'Name one of these.');
}

/** What a program did to its pins since power-up or reset, and what it reads. */
export class Pins {
  readonly #machine: Machine;
  readonly #written = new Map<number, number>();
  readonly #pulls = new Map<number, 0 | 1>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  write(pin: number, level: number): void {
    this.#written.set(pin, level);
  }

  /** Writes the other level than is read, and gives it. */
  toggle(pin: number): 0 | 1 {
    const level = this.read(pin) === 0 ? 1 : 0;
    this.write(pin, level);
    return level;
  }

  /** An input again, with a pull resistor to this level or none. */
  input(pin: number, pull: 0 | 1 | null): void {
    this.#written.delete(pin);
    if (pull === null) this.#pulls.delete(pin);
    else this.#pulls.set(pin, pull);
  }

  /** From 0 to 1. */
  level(pin: number): number {
    return this.#machine.pin(pin) ?? this.#written.get(pin) ?? this.#pulls.get(pin) ?? 0;
  }

  read(pin: number): 0 | 1 {
    return isHigh(this.level(pin));
  }

  isOutput(pin: number): boolean {
    return this.#written.has(pin);
  }
}
