/**
 * Calls of a policy with their loop steps noted and held to the bound that steps.ts states; and the calls themselves, so
 * that the same sequence can be run again on a board.
 */
import type { PolicyName } from '../../firmware/src/policies/index.ts';
import { type BoundOf, type CountedPolicy, stepBounds } from './steps.ts';

export const calls = ['malloc', 'free', 'realloc'] as const;
export type Call = (typeof calls)[number];

export interface Worst {
  /** -1 where the call was never made. */
  steps: number;
  /** What steps.ts states for that very call. */
  bound: number;
}

/** One call: which, and its arguments. */
export type Step = readonly [Call, number, number?];

export class StepMeter {
  readonly found: Record<Call, Worst> = {
    malloc: { steps: -1, bound: 0 },
    free: { steps: -1, bound: 0 },
    realloc: { steps: -1, bound: 0 },
  };
  readonly counted: CountedPolicy;
  readonly arenaBytes: number;
  /** Every call so far; empty when they are not kept. */
  readonly sequence: Step[] = [];
  readonly #name: PolicyName;
  readonly #keeps: boolean;
  #live = 0;
  /** The largest share of its bound that a call took: what a search climbs. */
  score = 0;

  constructor(name: PolicyName, counted: CountedPolicy, arenaBytes: number, keeps = false) {
    this.#name = name;
    this.counted = counted;
    this.arenaBytes = arenaBytes;
    this.#keeps = keeps;
    counted.policy.init(arenaBytes);
  }

  /** Throws at a call above its bound: that is a defect of the policy or of the statement. */
  #noted(step: Step, heldBytes: number): number {
    const [call, first, second] = step;
    const of: BoundOf = { arenaBytes: this.arenaBytes, live: this.#live, heldBytes };
    if (this.#keeps) this.sequence.push(step);
    const { policy, counter } = this.counted;
    counter.steps = 0;
    const result = call === 'realloc' ? policy.realloc(first, second!) : policy[call](first);
    const { steps } = counter;
    const bound = stepBounds[this.#name][call](of);
    if (steps > bound) throw new Error(`${this.#name} ${call}: ${steps} steps, bound ${bound}, ${JSON.stringify(of)}`);
    if (steps > this.found[call].steps) this.found[call] = { steps, bound };
    this.score = Math.max(this.score, steps / Math.max(1, bound));
    return result;
  }

  malloc(size: number): number {
    const given = this.#noted(['malloc', size], 0);
    if (given !== 0) this.#live++;
    return given;
  }

  free(key: number): void {
    const heldBytes = this.counted.policy.usableSize(key);
    if (this.#noted(['free', key], heldBytes) === 0) this.#live--;
  }

  /** The new key, 0 when it cannot. */
  realloc(key: number, size: number): number {
    return this.#noted(['realloc', key, size], this.counted.policy.usableSize(key));
  }
}

/** Keeps in `into` what is worse in `from`. */
export function keepWorse(into: Record<Call, Worst>, from: Record<Call, Worst>): void {
  for (const call of calls) if (from[call].steps > into[call].steps) into[call] = from[call];
}
