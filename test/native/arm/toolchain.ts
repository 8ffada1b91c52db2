/** gcc's assembler and compiler for ARM, and qemu as a Cortex-M4: used where they are installed. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';

export function hasTools(...names: string[]): boolean {
  const missing = names.filter((name) => {
    try {
      execFileSync(name, ['--version'], { stdio: 'ignore' });
      return false;
    } catch {
      return true;
    }
  });
  if (missing.length > 0) console.warn(`skipped what needs ${missing.join(' and ')}: not installed`);
  return missing.length === 0;
}

/** Runs `work` in a directory that is removed afterwards. */
export function inTemporaryDirectory<T>(work: (directory: string) => T): T {
  const directory = mkdtempSync(`${tmpdir()}/heapglass-arm-`);
  try {
    return work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

export interface Image {
  /** Bytes from address 0, where the mps2-an386 has its code and its vector table. */
  readonly bytes: Uint8Array;
  readonly symbols: ReadonlyMap<string, number>;
  readonly elf: string;
}

const LINK =
  'SECTIONS { . = 0; .text : { *(.vectors) *(.text*) *(.rodata*) } . = 0x20000000; .bss : { *(.data*) *(.bss*) *(COMMON) } }';

/** Assembles or compiles files (name -> text) and links them at 0, data at 0x20000000 (uninitialised). */
export function build(directory: string, files: Readonly<Record<string, string>>, flags: readonly string[]): Image {
  for (const [name, text] of Object.entries(files)) writeFileSync(`${directory}/${name}`, text);
  writeFileSync(`${directory}/link.ld`, LINK);
  const run = (command: string, args: readonly string[]): string =>
    execFileSync(command, args, { cwd: directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const common = ['-mthumb', '-nostdlib', '-nostartfiles', '-ffreestanding', '-T', 'link.ld', '-Wl,--build-id=none'];
  run('arm-none-eabi-gcc', [...flags, ...common, '-o', 'image.elf', ...Object.keys(files), '-lgcc']);
  run('arm-none-eabi-objcopy', ['-O', 'binary', '-j', '.text', 'image.elf', 'image.bin']);
  const symbols = new Map<string, number>();
  for (const line of run('arm-none-eabi-nm', ['image.elf']).split('\n')) {
    const [address, , name] = line.split(' ');
    if (name) symbols.set(name, Number.parseInt(address!, 16));
  }
  return { bytes: new Uint8Array(readFileSync(`${directory}/image.bin`)), symbols, elf: `${directory}/image.elf` };
}

/** Runs an image that writes `out.bin` by semihosting and exits. */
export function runInQemu(directory: string, image: Image, machine = 'mps2-an386'): Uint8Array {
  const args = ['-M', machine, '-nographic', '-monitor', 'none', '-serial', 'none'];
  execFileSync('qemu-system-arm', [...args, '-semihosting-config', 'enable=on,target=native', '-kernel', image.elf], {
    cwd: directory,
    timeout: 120_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Uint8Array(readFileSync(`${directory}/out.bin`));
}

/**
 * Start-up: vectors, `main`, then the words from `out` to `out_end` written to out.bin by semihosting. A core that is not
 * qemu stops at the first BKPT.
 */
export const START = startUp('fault', 'fault');

/** The same with handlers of one's own. */
export function startUp(hardFault: string, svCall: string): string {
  return `
  .syntax unified
  .section .vectors, "a"
  .word 0x20200000, reset, fault, ${hardFault}, fault, fault, fault, 0, 0, 0, 0, ${svCall}, fault, 0, fault, fault
  .text
  .thumb
  .global reset, fault
  .thumb_func
reset:
  bl main
finish:
  ldr r1, =open_block
  movs r0, #1
  bkpt #0xab
  ldr r1, =write_block
  str r0, [r1]
  ldr r2, =out
  str r2, [r1, #4]
  ldr r3, =out_end
  subs r3, r3, r2
  str r3, [r1, #8]
  movs r0, #5
  bkpt #0xab
  ldr r1, =0x20026
  movs r0, #0x18
  bkpt #0xab
  .thumb_func
fault:
  b fault
  .pool
  .balign 4
name: .asciz "out.bin"
  .balign 4
open_block: .word name, 5, 7
  .data
write_block: .space 12
`;
}
