/** What a routine is between two stages, as text: values and blocks before selection, instructions on registers after it. */
import { type Routine, resolve, type Terminator, type Value } from './ir.ts';
import { FIRST_VIRTUAL, LR, type MachineInst, type MachineRoutine, type MachineTerminator, R12 } from './machine.ts';

/** `v7 = load2 v5 + 4`; constants stand where they are read. */
export function routineText({ blocks }: Routine): string {
  const lines: string[] = [];
  for (const { id, values, term } of blocks) {
    lines.push(`B${id}:`);
    for (const value of values) if (value.op !== 'const') lines.push(`  ${valueText(value)}`);
    if (term) lines.push(`  ${terminatorText(term)}`);
  }
  return `${lines.join('\n')}\n`;
}

function nameOf(value: Value): string {
  const known = resolve(value);
  return known.op === 'const' ? `#${known.imm}` : `v${known.id}`;
}

function valueText(value: Value): string {
  const { id, op, imm, width, callee, args } = value;
  const names = args.map(nameOf);
  const place = `${names[0]}${imm === 0 ? '' : ` + ${imm}`}`;
  switch (op) {
    case 'load':
      return `v${id} = load${width} ${place}`;
    case 'store':
      return `store${width} ${place}, ${names[1]}`;
    case 'param':
      return `v${id} = parameter ${imm}`;
    case 'call':
      return `v${id} = call ${callee} ${names.join(' ')}`;
    default:
      return `v${id} = ${[op, ...names].join(' ')}`;
  }
}

function terminatorText(term: Terminator): string {
  switch (term.kind) {
    case 'jump':
      return `jump B${term.to.id}`;
    case 'branch':
      return `branch ${term.cond} ${nameOf(term.a)} ${nameOf(term.b)} ? B${term.yes.id} : B${term.no.id}`;
    case 'return':
      return term.value ? `return ${nameOf(term.value)}` : 'return';
    case 'tail':
      return `tail ${[term.callee, ...term.args.map(nameOf)].join(' ')}`;
  }
}

/** `ldr2 r1, [r2 + 4]`; virtual registers are v16 and up. */
export function machineText({ blocks }: MachineRoutine): string {
  const lines: string[] = [];
  for (const { id, insts, term } of blocks) {
    lines.push(`B${id}:`, ...insts.map((i) => `  ${instText(i)}`), `  ${endText(term)}`);
  }
  return `${lines.join('\n')}\n`;
}

function registerName(register: number): string {
  if (register >= FIRST_VIRTUAL) return `v${register}`;
  return register === LR ? 'lr' : register === R12 ? 'r12' : `r${register}`;
}

function instText({ op, d, a, b, c, imm, width, callee }: MachineInst): string {
  const name = registerName;
  switch (op) {
    case 'bl':
      return `bl ${callee}`;
    case 'ldr':
      return `ldr${width} ${name(d)}, [${name(a)} + ${imm}]`;
    case 'str':
      return `str${width} ${name(c)}, [${name(a)} + ${imm}]`;
    case 'ldrx':
      return `ldr${width} ${name(d)}, [${name(a)} + ${name(b)}]`;
    case 'strx':
      return `str${width} ${name(c)}, [${name(a)} + ${name(b)}]`;
    case 'ldrsp':
      return `ldr4 ${name(d)}, [sp + ${imm}]`;
    case 'strsp':
      return `str4 ${name(c)}, [sp + ${imm}]`;
  }
  const registers = [d, a, b, c].filter((register) => register >= 0).map(name);
  const hasImmediate = /i$|^ldc$/.test(op);
  return `${op} ${[...registers, ...(hasImmediate ? [`#${imm}`] : [])].join(', ')}`;
}

function endText(term: MachineTerminator): string {
  switch (term.kind) {
    case 'jump':
      return `jump B${term.to.id}`;
    case 'branch':
      return `branch ${term.cond} ? B${term.yes.id} : B${term.no.id}`;
    case 'return':
      return 'return';
    case 'tail':
      return `tail ${term.callee}`;
  }
}
