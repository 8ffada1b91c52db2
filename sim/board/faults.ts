/**
 * What can go wrong on the line and the board, as `--faults` spells it, each with its own probability or time.
 *
 *   drop=P        a byte is lost, with probability P
 *   corrupt=P     one bit of a byte flips
 *   duplicate=P   a byte arrives twice
 *   noise=P:N     before a byte, up to N bytes of noise arrive
 *   stall=P:MS    before a byte, the line stands still for MS milliseconds
 *   unplug=AT:MS  at AT milliseconds the cable is out for MS milliseconds (the board's power with it on USB)
 *   brownout=N    the supply fails during the N+1st flash operation; the board restarts
 *   deafhost=AT:MS  at AT milliseconds the host stops reading for MS milliseconds
 */
import { exitCodes, Problem } from '../../boards/problem.ts';
import type { Random } from './random.ts';
import { nsPerMs } from './time.ts';

export interface Window {
  atNs: number;
  forNs: number;
}

export interface Faults {
  drop: number;
  corrupt: number;
  duplicate: number;
  noise: { chance: number; bytes: number };
  stall: { chance: number; forNs: number };
  unplug: Window[];
  brownOutAfter: number | null;
  deafHost: Window[];
}

export const noFaults: Readonly<Faults> = {
  drop: 0,
  corrupt: 0,
  duplicate: 0,
  noise: { chance: 0, bytes: 0 },
  stall: { chance: 0, forNs: 0 },
  unplug: [],
  brownOutAfter: null,
  deafHost: [],
};

/** Parses `drop=0.001,unplug=2000:500`. A Problem names the wrong part. */
export function parseFaults(spec: string): Faults {
  const faults: Faults = structuredClone(noFaults);
  for (const part of spec.split(',').map((word) => word.trim())) {
    if (part === '') continue;
    const [, name = '', first = '', second] = /^([a-z]+)=([\d.]+)(?::([\d.]+))?$/.exec(part) ?? [];
    const set = setters[name];
    const values = [Number(first), second === undefined ? Number.NaN : Number(second)] as const;
    if (!set || Number.isNaN(values[0]) || !set(faults, ...values)) {
      throw new Problem(
        exitCodes.usage,
        `"${part}" is no fault`,
        Object.entries(forms).map(([, form]) => form),
        'Give one or more of these, with commas between.',
      );
    }
  }
  return faults;
}

const forms: Record<string, string> = {
  drop: 'drop=PROBABILITY',
  corrupt: 'corrupt=PROBABILITY',
  duplicate: 'duplicate=PROBABILITY',
  noise: 'noise=PROBABILITY:BYTES',
  stall: 'stall=PROBABILITY:MS',
  unplug: 'unplug=AT_MS:FOR_MS',
  brownout: 'brownout=FLASH_OPERATIONS',
  deafhost: 'deafhost=AT_MS:FOR_MS',
};

const isProbability = (value: number): boolean => value >= 0 && value <= 1;

/** Each sets its fault and says whether the values have its form. */
const setters: Record<string, (faults: Faults, first: number, second: number) => boolean> = {
  drop: (faults, chance) => {
    faults.drop = chance;
    return isProbability(chance);
  },
  corrupt: (faults, chance) => {
    faults.corrupt = chance;
    return isProbability(chance);
  },
  duplicate: (faults, chance) => {
    faults.duplicate = chance;
    return isProbability(chance);
  },
  noise: (faults, chance, bytes) => {
    faults.noise = { chance, bytes };
    return isProbability(chance) && bytes >= 1;
  },
  stall: (faults, chance, ms) => {
    faults.stall = { chance, forNs: ms * nsPerMs };
    return isProbability(chance) && ms >= 0;
  },
  unplug: (faults, atMs, forMs) => {
    faults.unplug.push({ atNs: atMs * nsPerMs, forNs: forMs * nsPerMs });
    return forMs >= 0;
  },
  brownout: (faults, operations) => {
    faults.brownOutAfter = operations;
    return Number.isInteger(operations);
  },
  deafhost: (faults, atMs, forMs) => {
    faults.deafHost.push({ atNs: atMs * nsPerMs, forNs: forMs * nsPerMs });
    return forMs >= 0;
  },
};

/** The bytes that arrive of `bytes` sent, and how long the line stood still before them. */
export function disturb(bytes: Uint8Array, faults: Faults, random: Random): { bytes: Uint8Array; stalledNs: number } {
  const arrived: number[] = [];
  let stalledNs = 0;
  for (const byte of bytes) {
    if (random.chance(faults.stall.chance)) stalledNs += faults.stall.forNs;
    if (random.chance(faults.noise.chance)) {
      for (let n = 1 + random.below(faults.noise.bytes); n > 0; n--) arrived.push(random.below(256));
    }
    if (random.chance(faults.drop)) continue;
    const flipped = random.chance(faults.corrupt) ? byte ^ (1 << random.below(8)) : byte;
    arrived.push(flipped);
    if (random.chance(faults.duplicate)) arrived.push(flipped);
  }
  return { bytes: Uint8Array.from(arrived), stalledNs };
}

export function disturbsBytes(faults: Faults): boolean {
  return faults.drop + faults.corrupt + faults.duplicate + faults.noise.chance + faults.stall.chance > 0;
}
