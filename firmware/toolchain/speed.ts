/**
 * Which passes make the device code cheaper to interpret, in their order, each for the engine whose costs it knows. They
 * change no result: test/toolchain/speed.test.ts holds each to that, and to its gain by the cost model.
 *
 *   hoistLoads         both       loads of control words out of loops
 *   letToVar           Espruino   no scope for the variables of a block
 *   forToWhile         Espruino   the cheaper of two loops
 *   viewsInRegisters   Kaluma     a register in place of a search
 *   layOut...          both       names in the order in which they are looked up; statements, or one closure
 */
import type { Board } from '../../boards/board.ts';
import { hoistLoads } from './passes/hoist-loads.ts';
import { layOutClosure, layOutStatements } from './passes/layout.ts';
import { letToVar } from './passes/let-to-var.ts';
import type { Pass } from './passes/pass.ts';
import { viewsInRegisters } from './passes/view-registers.ts';
import { forToWhile } from './passes/while-loops.ts';

export const speedPasses: Readonly<Record<Board['engine'], readonly Pass[]>> = {
  espruino: [hoistLoads, letToVar, forToWhile, layOutStatements],
  kaluma: [hoistLoads, viewsInRegisters, layOutClosure],
};
