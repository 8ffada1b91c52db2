/**
 * The chip's clock: nanoseconds from the cycles that were executed, and the alarms of the peripherals.
 *
 * Unlike rp2040js's own it is not told after each instruction: the processor runs until `dueCycles`, which an alarm
 * that is set meanwhile brings forward, and then has the due alarms called.
 */
import type { RP2040 } from 'rp2040js';

type ChipClock = NonNullable<ConstructorParameters<typeof RP2040>[0]>;
type Alarm = ReturnType<ChipClock['createAlarm']>;

interface Due {
  atNs: number;
  call: () => void;
}

export class CycleClock implements ChipClock {
  readonly #nsPerCycle: number;
  readonly #dues: Due[] = [];
  /** Executed so far. The processor's loop counts here. */
  cycles = 0;
  /** Until when the processor may run on without asking. */
  dueCycles = 0;
  #untilCycles = 0;
  /** Time that passed without cycles: sleep, flash operations. */
  #idleNs: number;

  constructor(clockHz: number, startNs: number) {
    this.#nsPerCycle = 1e9 / clockHz;
    this.#idleNs = startNs;
  }

  get nanos(): number {
    return this.#idleNs + this.cycles * this.#nsPerCycle;
  }

  createAlarm(call: () => void): Alarm {
    const due: Due = { atNs: 0, call };
    const cancel = (): void => {
      const at = this.#dues.indexOf(due);
      if (at >= 0) this.#dues.splice(at, 1);
    };
    return {
      cancel,
      schedule: (deltaNs) => {
        cancel();
        due.atNs = this.nanos + deltaNs;
        let at = this.#dues.length;
        while (at > 0 && this.#dues[at - 1]!.atNs > due.atNs) at--;
        this.#dues.splice(at, 0, due);
        this.#setDue();
      },
    };
  }

  /** Lets the processor run until `untilNs` or the first alarm. */
  aim(untilNs: number): void {
    this.#untilCycles = this.#cyclesAt(untilNs);
    this.#setDue();
  }

  /** The processor does nothing until `atNs`. */
  idleUntil(atNs: number): void {
    this.#idleNs += Math.max(0, atNs - this.nanos);
  }

  nextAlarmNs(): number {
    return this.#dues[0]?.atNs ?? Number.POSITIVE_INFINITY;
  }

  /** Calls the alarms whose time has come. */
  ring(): void {
    while (this.#dues[0] && this.#dues[0].atNs <= this.nanos) this.#dues.shift()!.call();
  }

  #setDue(): void {
    this.dueCycles = Math.min(this.#untilCycles, this.#cyclesAt(this.nextAlarmNs()));
  }

  #cyclesAt(ns: number): number {
    return Math.ceil((ns - this.#idleNs) / this.#nsPerCycle);
  }
}
