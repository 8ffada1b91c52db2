/** The annotated listing of compiled code: address, bytes, instruction, cycles, and the source line it came from. */
import type { Compiled } from './compile.ts';
import { disassemble } from './disassemble.ts';
import { instructionCycles } from './instruction-cycles.ts';
import { cortexM0Plus, cortexM4 } from './timing.ts';

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');

export function listing(compiled: Compiled): string {
  const { layout, routines, source, cpu } = compiled;
  const least = cpu === 'cortex-m4' ? cortexM4(1) : cortexM0Plus();
  const most = cpu === 'cortex-m4' ? cortexM4(3) : cortexM0Plus();
  const targets = new Set(
    layout.placed.flatMap(({ at, address }) => (at === null ? [] : [disassemble(layout.code, address).target])),
  );
  const lines: string[] = [`; ${cpu}, ${layout.code.length} bytes; cycles by ${most.source}, zero wait states`];
  let lastPlace = '';
  for (const { at, address, halfwords } of layout.placed) {
    const routine = routines.find(({ offset }) => offset === address);
    if (routine) lines.push('', `${routine.name}:  ; ${routine.sizeBytes} bytes`);
    if (at === null) {
      for (let k = 0; k < halfwords.length; k += 2) {
        const word = (halfwords[k]! | (halfwords[k + 1]! << 16)) >>> 0;
        lines.push(`  ${hex(address + 2 * k, 4)}  ${hex(word, 8)}   .word 0x${hex(word, 8)}`);
      }
      continue;
    }
    const { file, line } = source.locate(at);
    const place = `${file}:${line}`;
    if (place !== lastPlace) lines.push(`  ; ${place}  ${source.lineText(file, line).trim()}`);
    lastPlace = place;
    const { text } = disassemble(layout.code, address);
    const range = [instructionCycles(halfwords[0]!, least).least, instructionCycles(halfwords[0]!, most).most];
    const cycles = range[0] === range[1] ? `${range[0]}` : range.join('-');
    const mark = targets.has(address) ? '>' : ' ';
    const bytes = halfwords.map((halfword) => hex(halfword, 4)).join(' ');
    lines.push(`${mark} ${hex(address, 4)}  ${bytes.padEnd(9)}  ${text.padEnd(28)} ${cycles.padStart(3)}`);
  }
  return `${lines.join('\n')}\n`;
}
