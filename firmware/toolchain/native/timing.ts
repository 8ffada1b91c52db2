/**
 * What instructions cost, in cycles.
 *
 * Cortex-M0+: ARM DDI 0484C, "Cortex-M0+ Technical Reference Manual", table 3-1, zero wait states.
 * Cortex-M4: ARM 100166, "Cortex-M4 Technical Reference Manual", table 3-1; the pipeline refill P is 1 to 3 and
 * neighbouring loads may overlap, so a range is given and the counting core takes its upper end.
 */
export interface Timing {
  readonly name: 'cortex-m0plus' | 'cortex-m4';
  readonly source: string;
  readonly alu: number;
  readonly multiply: number;
  readonly load: number;
  readonly store: number;
  /** LDM, STM, PUSH, POP without PC: this plus one a register. */
  readonly multipleBase: number;
  /** POP with PC: this plus one a register, PC counted. */
  readonly popPcBase: number;
  readonly branchTaken: number;
  readonly branchNotTaken: number;
  readonly branchLink: number;
  readonly branchExchange: number;
  /** MOV or ADD that writes PC. */
  readonly movePc: number;
  /** MSR, MRS and barriers. */
  readonly special: number;
  /** SDIV and UDIV, the longest. */
  readonly divide: number;
  /** From the last instruction to the handler's first: the stated interrupt latency. */
  readonly exceptionEntry: number;
  /** Counted as a POP of eight registers with PC; the manuals give no figure. */
  readonly exceptionReturn: number;
}

/** `multiply` is 1 with the fast multiplier and 32 with the small one: a fact of the chip. */
export function cortexM0Plus(multiply: 1 | 32 = 1): Timing {
  return {
    name: 'cortex-m0plus',
    source: 'ARM DDI 0484C table 3-1',
    alu: 1,
    multiply,
    load: 2,
    store: 2,
    multipleBase: 1,
    popPcBase: 3,
    branchTaken: 2,
    branchNotTaken: 1,
    branchLink: 3,
    branchExchange: 2,
    movePc: 2,
    special: 3,
    divide: 0,
    exceptionEntry: 15,
    exceptionReturn: 11,
  };
}

/** `refill` is the pipeline refill P of the table, 1 to 3. */
export function cortexM4(refill: 1 | 2 | 3 = 3): Timing {
  return {
    name: 'cortex-m4',
    source: 'ARM 100166 table 3-1',
    alu: 1,
    multiply: 1,
    load: 2,
    store: 2,
    multipleBase: 1,
    popPcBase: 1 + refill,
    branchTaken: 1 + refill,
    branchNotTaken: 1,
    branchLink: 1 + refill,
    branchExchange: 1 + refill,
    movePc: 1 + refill,
    special: 2,
    divide: 12,
    exceptionEntry: 12,
    exceptionReturn: 9 + refill,
  };
}
