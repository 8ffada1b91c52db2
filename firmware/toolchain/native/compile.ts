/**
 * The native compiler: a policy's TypeScript to position-independent Thumb code. The stages are in the files beside
 * this one, in this order: source, module, lower, optimise (simplify, fold), addressing, convention, select
 * (rematerialise), hoist, allocate (liveness), linear, layout (encode). Output depends on the input only.
 *
 * ABI of the entries (AAPCS): r0 is the arena's base address, r1, r2, r3 and r12 the function's parameters in order; the result is in
 * r0; r4 to r11 are kept, r0 to r3, r12 and the flags are not. No absolute addresses, no data but literals, no globals.
 * The stack holds saved registers and spills.
 */
import { exitCodes, Problem } from '../../../boards/problem.ts';
import { foldAddresses, normalisePointers } from './addressing.ts';
import { allocate } from './allocate.ts';
import { applyConvention, type Called, calledBy, routinesKeepingBase } from './convention.ts';
import { machineText, routineText } from './dump.ts';
import { hoistConstants } from './hoist.ts';
import type { Routine } from './ir.ts';
import { type Layout, layOut } from './layout.ts';
import { linearise } from './linear.ts';
import { lowerRoutine } from './lower/routine.ts';
import { LR, type MachineRoutine, R12 } from './machine.ts';
import { readModule, type SubsetModule } from './module.ts';
import { optimise } from './optimise.ts';
import { mergeReturns } from './returns.ts';
import { reuseRegisters } from './reuse.ts';
import { select } from './select/routine.ts';
import type { Source } from './source.ts';

export const cpus = ['cortex-m0plus', 'cortex-m4'] as const;
export type Cpu = (typeof cpus)[number];

export interface CompiledRoutine {
  readonly name: string;
  /** Offset of its first instruction in the code. */
  readonly offset: number;
  readonly sizeBytes: number;
  /** Without the base. */
  readonly parameterCount: number;
  /** Called from outside, by AAPCS; the others may keep the base in r0 (convention.ts). */
  readonly isEntry: boolean;
}

export interface Compiled {
  readonly cpu: Cpu;
  readonly source: Source;
  readonly routines: readonly CompiledRoutine[];
  readonly layout: Layout;
}

export interface CompileOptions {
  readonly cpu: Cpu;
  /** Exported names to compile; what they call comes along. */
  readonly entries: readonly string[];
  /** Whether `CHECKS` of checks.ts is 1. */
  readonly checks?: boolean;
  /** Told of each routine after each stage. Where registers do not suffice, a routine is built twice, and told of twice. */
  readonly observe?: Observe;
}

/** `text` is the routine as dump.ts writes it. */
export type Observe = (routine: string, stage: Stage, text: string) => void;
export type Stage = 'lowered' | 'optimised' | 'addressed' | 'selected' | 'allocated';

export function compile(source: Source, { cpu, entries, checks, observe }: CompileOptions): Compiled {
  const module = readModule(source, { checks: checks ?? false });
  const options = { hasClz: cpu === 'cortex-m4' };
  const wanted = new Set(entries.map((entry) => localName(module, entry)));
  const called = reach(module, wanted, options);
  refuseRecursion(module, called);
  const keepingBase = routinesKeepingBase(called, wanted);
  const names = [...called.keys()];
  const built = names.map((name) => buildRoutine(module, name, { ...options, keepingBase, observe }));
  const layout = layOut(built.map(({ routine, machine }) => linearise(machine, routine.at)));
  const starts = names.map((name) => layout.labels.get(name)!);
  const routines = names.map((name, i) => ({
    name: exportedName(module, name),
    offset: starts[i]!,
    sizeBytes: (starts[i + 1] ?? layout.code.length) - starts[i]!,
    parameterCount: built[i]!.routine.parameterCount,
    isEntry: wanted.has(name),
  }));
  return { cpu, source, routines, layout };
}

/** The entries and what they call, nearest first, with the calls of each. */
function reach(module: SubsetModule, entries: ReadonlySet<string>, options: { hasClz: boolean }): Map<string, Called> {
  const called = new Map<string, Called>();
  const seen = new Set(entries);
  const queue = [...entries];
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const routine = lowerRoutine(module, name, options);
    optimise(routine);
    const found = calledBy(routine);
    called.set(name, found);
    for (const callee of [...found.calls, ...found.tails]) {
      if (!seen.has(callee)) queue.push(callee);
      seen.add(callee);
    }
  }
  return called;
}

interface Built {
  readonly routine: Routine;
  readonly machine: MachineRoutine;
}

interface BuildOptions {
  readonly hasClz: boolean;
  readonly keepingBase: ReadonlySet<string>;
  readonly observe: Observe | undefined;
}

/** One routine through the stages up to registers; where it spills, the way that seems to cost less of two. */
function buildRoutine(module: SubsetModule, name: string, options: BuildOptions): Built {
  const build = (remakePointers: boolean): Built => {
    const routine = lowerRoutine(module, name, options);
    options.observe?.(name, 'lowered', routineText(routine));
    optimise(routine);
    options.observe?.(name, 'optimised', routineText(routine));
    normalisePointers(routine);
    optimise(routine);
    foldAddresses(routine);
    optimise(routine);
    mergeReturns(routine);
    applyConvention(routine, options.keepingBase);
    options.observe?.(name, 'addressed', routineText(routine));
    const machine = select(routine, { ...options, remakePointers });
    hoistConstants(machine);
    options.observe?.(name, 'selected', machineText(machine));
    allocate(machine);
    reuseRegisters(machine);
    options.observe?.(name, 'allocated', machineText(machine));
    return { routine, machine };
  };
  const first = build(false);
  if (estimatedSpills(first.machine) === 0) return first;
  const second = build(true);
  return estimatedCost(second.machine) < estimatedCost(first.machine) ? second : first;
}

function estimatedSpills(machine: MachineRoutine): number {
  return machine.frameBytes + (machine.usedRegisters.has(R12) ? 4 : 0) + (machine.usedRegisters.has(LR) ? 4 : 0);
}

/** Instructions and memory accesses, weighted by how often their block runs. */
function estimatedCost(machine: MachineRoutine): number {
  const memory = /^(ldr|str)/;
  let cost = estimatedSpills(machine) > 0 ? 4 : 0;
  for (const { insts, frequency } of machine.blocks) {
    for (const { op } of insts) cost += frequency * (memory.test(op) ? 2 : 1);
  }
  return cost;
}

function localName(module: SubsetModule, entry: string): string {
  const local = module.exports.get(entry);
  if (local && module.functions.has(local)) return local;
  throw new Problem(
    exitCodes.badInput,
    `the module exports no function ${entry}`,
    [`it exports ${[...module.exports.keys()].join(', ') || 'nothing'}`],
    'Name an exported function.',
  );
}

function exportedName(module: SubsetModule, local: string): string {
  for (const [exported, name] of module.exports) if (name === local) return exported;
  return local;
}

/** Routines that call each other in a circle have no bound on stack or time. */
function refuseRecursion(module: SubsetModule, called: ReadonlyMap<string, Called>): void {
  const done = new Set<string>();
  const visit = (name: string, path: readonly string[]): void => {
    if (path.includes(name)) {
      const { file, line, column } = module.source.locate(module.functions.get(name)!.node.start);
      throw new Problem(
        exitCodes.unsupported,
        `${file}:${line}:${column}: ${name} calls itself`,
        [[...path, name].join(' -> ')],
        'Use a loop.',
      );
    }
    if (done.has(name)) return;
    const { calls, tails } = called.get(name)!;
    for (const callee of [...calls, ...tails]) visit(callee, [...path, name]);
    done.add(name);
  };
  for (const name of called.keys()) visit(name, []);
}
