/**
 * The compiled code for C firmware: an assembler file that any GNU toolchain links, and the header that declares it.
 *
 * Invariants
 *   O1  only entries are symbols: what they call may keep another convention.
 *   O2  a file that was cut does not assemble: its first lines refer to its last one.
 *   O3  C for a processor that lacks the code's instructions does not compile: the header says so.
 */
import type { Compiled, Cpu } from './compile.ts';

const symbol = (policy: string, name: string): string => `heapglass_${policy.replaceAll('-', '_')}_${name}`;

/** What a C compiler defines for processors that run the code. ARMv6-M code runs on every one with Thumb. */
const runsWhere: Record<Cpu, string> = {
  'cortex-m0plus': 'defined(__thumb__)',
  'cortex-m4': 'defined(__thumb2__)',
};

export function assemblerFile(policy: string, { cpu, routines, layout }: Compiled): string {
  const lines = [
    `@ ${policy} for ${cpu}, compiled by heapglass. r0: arena base, then the parameters; AAPCS; position-independent.`,
    '  .syntax unified',
    `  .cpu ${cpu}`,
    '  .thumb',
    `  .section .text.heapglass_${policy.replaceAll('-', '_')},"ax",%progbits`,
    '  .balign 4',
    '@ In a file that was cut, the end is not defined.',
    `  .set ${symbol(policy, 'bytes')}, .Lend - .Lstart`,
    '.Lstart:',
  ];
  let end = 0;
  for (const { address, halfwords } of layout.placed) {
    for (const { name } of routines.filter(({ offset, isEntry }) => isEntry && offset === address)) {
      const global = symbol(policy, name);
      lines.push(`  .global ${global}`, `  .type ${global}, %function`, '  .thumb_func', `${global}:`);
    }
    // Pools are aligned; the gap is part of the code.
    if (address > end) lines.push('  .short 0');
    end = address + 2 * halfwords.length;
    lines.push(`  .short ${halfwords.map((halfword) => `0x${halfword.toString(16).padStart(4, '0')}`).join(', ')}`);
  }
  lines.push('.Lend:', `  .if .Lend - .Lstart != ${end}`, '  .error "lines are missing from this file"', '  .endif');
  return `${lines.join('\n')}\n`;
}

export function headerFile(policy: string, { cpu, routines }: Compiled): string {
  const guard = `HEAPGLASS_${policy.replaceAll('-', '_').toUpperCase()}_H`;
  const entries = routines.filter(({ isEntry, parameterCount }) => isEntry && parameterCount <= 3);
  const declarations = entries.map(({ name, parameterCount }) => {
    const parameters = ['void *arena', ...Array.from({ length: parameterCount }, (_, i) => `uint32_t p${i}`)];
    return `uint32_t ${symbol(policy, name)}(${parameters.join(', ')});`;
  });
  return `/* ${policy} for ${cpu}, compiled by heapglass. Offsets are bytes from the arena's start; 0 is "none". */
#ifndef ${guard}
#define ${guard}
#include <stdint.h>
#if !(${runsWhere[cpu]})
#error "heapglass: ${policy} was compiled for ${cpu}, which this processor is not; compile it with --cpu cortex-m0plus"
#endif
#ifdef __cplusplus
extern "C" {
#endif
${declarations.join('\n')}
#ifdef __cplusplus
}
#endif
#endif
`;
}
