/**
 * Counts how often the loops of compiled code go round, by the addresses of their heads in the machine code: a step at a
 * time, each arrival at a head counts; one that does not come from the loop's body begins a new count.
 */
import type { Compiled } from '../../firmware/toolchain/native/compile.ts';
import { graphOf } from '../../firmware/toolchain/native/flow-graph.ts';
import { cortexM0Plus } from '../../firmware/toolchain/native/timing.ts';
import { type Core, RETURN_ADDRESS, type Stop } from '../../sim/cortex-m/core.ts';
import { FLASH_BASE } from '../../sim/cortex-m/native-heap.ts';

export interface CountedLoop {
  /** `segregated.ts:151` */
  readonly place: string;
  /** As annotated; null where there is no annotation. */
  readonly bound: number | string | null;
  /** Most rounds since one entry, so far. */
  most: number;
}

interface Watched extends CountedLoop {
  readonly inBody: Uint8Array;
  readonly routine: number;
  rounds: number;
}

export class LoopCounter {
  readonly loops: readonly CountedLoop[];
  private readonly watched: Watched[] = [];
  /** By halfword of the code: the loop whose head is there, less 1. */
  private readonly headAt: Uint8Array;
  /** By halfword: the routine it belongs to. */
  private readonly routineAt: Uint8Array;
  /** The last halfword executed in each routine. */
  private readonly last: Int32Array;

  constructor(compiled: Compiled) {
    const halfwords = compiled.layout.code.length >> 1;
    this.headAt = new Uint8Array(halfwords);
    this.routineAt = new Uint8Array(halfwords);
    this.last = new Int32Array(compiled.routines.length).fill(-1);
    compiled.routines.forEach(({ offset, sizeBytes }, routine) => {
      this.routineAt.fill(routine, offset >> 1, (offset + sizeBytes) >> 1);
      for (const { head, body, bound } of graphOf(compiled, cortexM0Plus(), offset).loops) {
        const inBody = new Uint8Array(halfwords);
        for (const { start } of body) inBody[start >> 1] = 1;
        const at = compiled.layout.placed.find(({ address }) => address === head.start)?.at ?? 0;
        const { file, line } = compiled.source.locate(bound?.at ?? at);
        const place = `${file.split('/').at(-1)}:${line}`;
        this.watched.push({ place, bound: bound?.count ?? null, most: 0, rounds: 0, inBody, routine });
        this.headAt[head.start >> 1] = this.watched.length;
      }
    });
    this.loops = this.watched;
  }

  /** For NativeHeap: runs a call to its return. */
  runner = (core: Core): { run(): Stop } => ({
    run: () => {
      while (core.r[15]! >>> 0 !== RETURN_ADDRESS) {
        const at = (core.r[15]! - FLASH_BASE) >> 1;
        const head = this.headAt[at]!;
        if (head !== 0) this.arrive(this.watched[head - 1]!);
        this.last[this.routineAt[at]!] = at;
        core.step();
      }
      return 'returned';
    },
  });

  private arrive(loop: Watched): void {
    const from = this.last[loop.routine]!;
    loop.rounds = from >= 0 && loop.inBody[from] === 1 ? loop.rounds + 1 : 1;
    loop.most = Math.max(loop.most, loop.rounds);
  }
}
