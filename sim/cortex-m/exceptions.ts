/**
 * Exceptions (ARM DDI 0419, B1.5): entry stacks eight registers and jumps through the vector table, a branch to an
 * EXC_RETURN value unstacks them. They are taken when the core has a vector table; without one an SVC or a fault stops
 * the run as a Fault. Nothing arrives by itself: `pend` is called by who owns a timer or a line.
 */
import type { Core } from './core.ts';
import { Fault } from './memory.ts';
import { readApsr, selectStack, writeApsr } from './special.ts';

export const EXCEPTION = { NMI: 2, HardFault: 3, SVCall: 11, PendSV: 14, SysTick: 15 } as const;
/** Exceptions from 16 up are interrupts. */
const EXCEPTION_COUNT = 48;
/** Branches to these addresses and above return from an exception, in handler mode. */
export const EXC_RETURN = 0xfffffff0;

const FRAME_BYTES = 32;
const NO_PRIORITY = 256;

/** Reset, NMI and HardFault are fixed; the others are 0 to 255, lower before higher. */
export function initialPriorities(): Int16Array {
  const priorities = new Int16Array(EXCEPTION_COUNT);
  priorities[1] = -3;
  priorities[EXCEPTION.NMI] = -2;
  priorities[EXCEPTION.HardFault] = -1;
  return priorities;
}

/** What an exception must be below, to be taken: the active ones and the masks. */
function currentPriority(core: Core): number {
  let priority = NO_PRIORITY;
  for (const active of core.active) priority = Math.min(priority, core.priorities[active]!);
  if (core.basepri !== 0) priority = Math.min(priority, core.basepri);
  if (core.primask !== 0) priority = Math.min(priority, 0);
  if (core.faultmask !== 0) priority = Math.min(priority, -1);
  return priority;
}

/** Takes the most urgent pending exception that may be taken now; returns where to go on. */
export function takePending(core: Core, r: Int32Array, pc: number): number {
  let chosen = 0;
  for (const number of core.pending) {
    const [mine, best] = [core.priorities[number]!, chosen === 0 ? NO_PRIORITY : core.priorities[chosen]!];
    if (mine < best || (mine === best && number < chosen)) chosen = number;
  }
  if (chosen === 0 || core.priorities[chosen]! >= currentPriority(core)) return pc;
  core.pending.delete(chosen);
  return enter(core, r, chosen, pc);
}

/** SVC: taken at once, or a hard fault where its priority does not suffice. */
export function supervisorCall(core: Core, r: Int32Array, pc: number): number {
  if (core.vectors === null) throw new Fault('supervisorCall', pc, pc);
  if (core.priorities[EXCEPTION.SVCall]! < currentPriority(core)) return enter(core, r, EXCEPTION.SVCall, pc + 2);
  return hardFault(core, r, pc, new Fault('supervisorCall', pc, pc));
}

/** A fault in a handler of its own or a higher priority locks the processor up: the run ends with it. */
export function hardFault(core: Core, r: Int32Array, pc: number, fault: Fault): number {
  if (core.vectors === null || currentPriority(core) <= -1) throw fault;
  return enter(core, r, EXCEPTION.HardFault, pc);
}

function enter(core: Core, r: Int32Array, number: number, returnTo: number): number {
  const wasThread = core.ipsr === 0;
  const usedPsp = (core.control & 2) !== 0;
  const aligned = (r[13]! & 4) === 0;
  const frame = ((r[13]! - FRAME_BYTES) & ~7) | 0;
  // r0 to r3, r12, lr, the return address, xPSR with the IT state and whether the stack was moved to 8 bytes.
  const status = readApsr(core) | core.ipsr | (1 << 24) | (aligned ? 0 : 1 << 9) | itBits(core.it);
  const words = [r[0]!, r[1]!, r[2]!, r[3]!, r[12]!, r[14]!, returnTo, status];
  words.forEach((word, k) => {
    core.storeAligned32((frame + 4 * k) | 0, word);
  });
  r[13] = frame;
  core.it = 0;
  core.exclusiveAddress = null;
  selectStack(core, r, false);
  r[14] = (wasThread ? (usedPsp ? 0xfffffffd : 0xfffffff9) : 0xfffffff1) | 0;
  core.ipsr = number;
  core.active.push(number);
  core.cycles += core.timing.exceptionEntry;
  const handler = core.memory.load32((core.vectors! + 4 * number) | 0);
  if ((handler & 1) === 0) throw new Fault('state', handler, returnTo);
  return (handler & ~1) >>> 0;
}

/** After a branch to an EXC_RETURN value; returns where the interrupted code goes on. */
export function returnFromException(core: Core, r: Int32Array, value: number): number {
  const leaving = core.ipsr;
  // NMI and HardFault keep FAULTMASK as it is (DDI 0403, B1.5.8).
  if (leaving !== EXCEPTION.NMI && leaving !== EXCEPTION.HardFault) core.faultmask = 0;
  core.active = core.active.filter((active) => active !== leaving);
  selectStack(core, r, (value & 0xf) >= 0xc);
  const frame = r[13]!;
  const word = (k: number): number => core.memory.load32((frame + 4 * k) | 0);
  const status = word(7);
  const to = word(6);
  [r[0], r[1], r[2], r[3], r[12], r[14]] = [word(0), word(1), word(2), word(3), word(4), word(5)];
  r[13] = (frame + FRAME_BYTES) | ((status & (1 << 9)) !== 0 ? 4 : 0);
  writeApsr(core, status);
  if (core.isV7) core.ge = (status >> 16) & 15;
  core.ipsr = status & 0x1ff;
  core.it = ((status >> 8) & 0xfc) | ((status >> 25) & 3);
  core.cycles += core.timing.exceptionReturn;
  return (to & ~1) >>> 0;
}

/** ITSTATE as xPSR has it: bits 1 and 0 in 26 and 25, bits 7 to 2 in 15 to 10. */
function itBits(it: number): number {
  return ((it & 3) << 25) | ((it & 0xfc) << 8);
}
