// 32-bit instructions, exclusive accesses, IT blocks and special registers, each from random registers, flags and memory.
// vectors.txt holds cases with the bytes that gcc's assembler made of them and what qemu's Cortex-M4 made of the
// registers; it is checked everywhere. Where arm-none-eabi-gcc and qemu-system-arm are installed, more cases are run
// afresh. HEAPGLASS_CASES: cases a template (default 4); HEAPGLASS_SEED: the first seed; HEAPGLASS_RECORD=1 writes
// vectors.txt again.
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { packageRoot } from '../../../boards/root.ts';
import { cortexM4 } from '../../../firmware/toolchain/native/timing.ts';
import { Core } from '../../../sim/cortex-m/core.ts';
import { Memory } from '../../../sim/cortex-m/memory.ts';
import { readApsr, writeApsr } from '../../../sim/cortex-m/special.ts';
import { type Case, caseOf, SCRATCH_WORDS, scratchPattern, templates } from './cases.ts';
import { build, hasTools, inTemporaryDirectory, runInQemu, START } from './toolchain.ts';

const perTemplate = Number(process.env.HEAPGLASS_CASES ?? 4);
const firstSeed = Number(process.env.HEAPGLASS_SEED ?? 1);
const VECTORS = `${packageRoot}/test/native/arm/vectors.txt`;
/** Cases that one program for qemu holds. */
const BATCH = 500;
/** APSR, r0 to r12, the scratch area. */
const RECORD_WORDS = 14 + SCRATCH_WORDS;
const CODE = 0x1000;
/** A case is not longer than this many instructions, skipped ones included. */
const MOST_STEPS = 12;

const SCRATCH = 0x20000000;

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');

/** The state after a case on the core: as qemu's program records it. */
function runOnCore(bytes: Uint8Array, { registers, apsr }: Case): Uint32Array {
  const ram = new Uint8Array(4096);
  const code = new Uint8Array(256);
  code.set(bytes);
  const scratch = new Uint32Array(ram.buffer, 0, SCRATCH_WORDS);
  scratch.set(scratchPattern());
  const memory = new Memory([
    { name: 'ram', base: SCRATCH, bytes: ram, writable: true },
    { name: 'code', base: CODE, bytes: code, writable: false },
  ]);
  const core = new Core({ memory, timing: cortexM4() });
  registers.forEach((value, k) => {
    core.r[k] = k === 6 || k === 10 ? SCRATCH + value : value;
  });
  writeApsr(core, apsr | 0);
  core.ge = (apsr >>> 16) & 15;
  core.r[13] = SCRATCH + 2048;
  core.r[15] = CODE;
  for (let step = 0; core.r[15]! !== CODE + bytes.length; step++) {
    if (step > MOST_STEPS) throw new Error('the case does not end');
    core.step();
  }
  const after = new Uint32Array(RECORD_WORDS);
  after[0] = readApsr(core);
  for (let k = 0; k < 13; k++) after[1 + k] = k === 6 || k === 10 ? core.r[k]! - SCRATCH : core.r[k]!;
  after.set(scratch, 14);
  return after;
}

/** What changed, as `r3=0000ffff apsr=80000000 m2=...`. */
function changes({ registers, apsr }: Case, after: Uint32Array): string {
  const before = [apsr, ...registers, ...scratchPattern()];
  const names = ['apsr', ...registers.map((_, k) => `r${k}`), ...Array.from(scratchPattern(), (_, k) => `m${k}`)];
  return [...after].flatMap((word, k) => (word === before[k]! >>> 0 ? [] : [`${names[k]}=${hex(word)}`])).join(' ');
}

/** A program that runs the cases one after the other and records the state after each. */
function program(cases: readonly Case[]): string {
  const lines = [START, '  .text', '  .thumb', '  .global main', '  .thumb_func', 'main:', '  push {lr}'];
  cases.forEach(({ text }, k) => {
    lines.push(`  ldr r0, =${k}`, '  bl prepare', `case_${k}:`, ...text.split('\n').map((line) => `  ${line}`));
    // `record` gets the registers as they are: only lr and the stack are its own.
    lines.push(`end_${k}:`, '  bl record');
    if (k % 20 === 19) lines.push('  b 9f', '  .pool', '9:');
  });
  lines.push('  pop {pc}', '  .pool', SUPPORT, '  .balign 4', 'inputs:');
  for (const { registers, apsr } of cases) {
    const words = registers.map((value, k) => (k === 6 || k === 10 ? `scratch + ${value}` : `${value}`));
    lines.push(`  .word ${apsr}, ${words.join(', ')}`);
  }
  lines.push(`pattern: .word ${[...scratchPattern()].join(', ')}`, '  .bss', `scratch: .space ${4 * SCRATCH_WORDS}`);
  lines.push('  .space 2048', '  .global out, out_end', `out: .space ${4 * RECORD_WORDS * cases.length}`, 'out_end:');
  lines.push('place: .space 4', 'keep: .space 4');
  return `${lines.join('\n')}\n`;
}

const SUPPORT = `
  .thumb_func
prepare:
  ldr r4, =keep
  str lr, [r4]
  ldr r1, =scratch
  ldr r2, =pattern
  movs r3, #${SCRATCH_WORDS}
1: ldr r4, [r2], #4
  str r4, [r1], #4
  subs r3, #1
  bne 1b
  cbnz r0, 2f
  ldr r1, =place
  ldr r2, =out
  str r2, [r1]
2: ldr r1, =inputs
  movs r2, #56
  mla lr, r0, r2, r1
  ldr r0, [lr], #4
  msr APSR_nzcvqg, r0
  ldmia lr, {r0-r12}
  push {r0}
  ldr r0, =keep
  ldr lr, [r0]
  pop {r0}
  bx lr
  .thumb_func
record:
  push {r0-r12}
  mrs r0, APSR
  push {r0}
  mov r1, sp
  ldr r0, =place
  ldr r2, [r0]
  movs r3, #14
1: ldr r4, [r1], #4
  str r4, [r2], #4
  subs r3, #1
  bne 1b
  ldr r1, =scratch
  movs r3, #${SCRATCH_WORDS}
2: ldr r4, [r1], #4
  str r4, [r2], #4
  subs r3, #1
  bne 2b
  str r2, [r0]
  movs r0, #0
  msr PRIMASK, r0
  add sp, #56
  bx lr
  .pool
`;

interface Outcome {
  readonly bytes: Uint8Array;
  readonly after: Uint32Array;
}

/** Assembles the cases and runs them in qemu. */
function runInReference(cases: readonly Case[]): Outcome[] {
  return inTemporaryDirectory((directory) => {
    const image = build(directory, { 'cases.s': program(cases) }, ['-mcpu=cortex-m4']);
    const out = runInQemu(directory, image);
    const words = new Uint32Array(out.buffer, out.byteOffset, out.length / 4);
    const scratch = image.symbols.get('scratch')!;
    return cases.map((_, k) => {
      const after = words.slice(k * RECORD_WORDS, (k + 1) * RECORD_WORDS);
      for (const pointer of [6, 10]) after[1 + pointer]! -= scratch;
      return { bytes: image.bytes.slice(image.symbols.get(`case_${k}`)!, image.symbols.get(`end_${k}`)!), after };
    });
  });
}

function casesFrom(count: number, seed: number): { seed: number; template: number; of: Case }[] {
  return templates.flatMap((text, template) =>
    Array.from({ length: count }, (_, n) => {
      const own = seed + template * 1000 + n;
      return { seed: own, template, of: caseOf(text, own) };
    }),
  );
}

const tools = hasTools('arm-none-eabi-gcc', 'qemu-system-arm');

test.skipIf(!tools || process.env.HEAPGLASS_RECORD !== '1')('vectors.txt is written', () => {
  const cases = casesFrom(2, 1);
  const lines = runInReference(cases.map((entry) => entry.of)).map(({ bytes, after }, k) => {
    const { seed, template, of } = cases[k]!;
    return `${template}.${seed} | ${of.text.replaceAll('\n', '; ')} | ${Buffer.from(bytes).toString('hex')} | ${changes(of, after)}`;
  });
  const head =
    '# template.seed | assembler text | bytes (GNU assembler) | what a Cortex-M4 changes (qemu-system-arm, mps2-an386)';
  writeFileSync(VECTORS, `${head}\n${lines.join('\n')}\n`);
});

test('the recorded instructions change what they changed on the reference', () => {
  const lines = readFileSync(VECTORS, 'utf8').trim().split('\n').slice(1);
  expect(lines.length).toBe(2 * templates.length);
  for (const line of lines) {
    const [place, text, bytes, expected] = line.split(' | ');
    const [template, seed] = place!.split('.').map(Number);
    const of = caseOf(templates[template!]!, seed!);
    expect(of.text.replaceAll('\n', '; ')).toBe(text);
    const after = runOnCore(new Uint8Array(Buffer.from(bytes!, 'hex')), of);
    expect([line, changes(of, after)]).toEqual([line, expected ?? '']);
  }
});

test.skipIf(!tools)(
  `${perTemplate} cases of each of ${templates.length} templates against qemu (seeds from ${firstSeed})`,
  () => {
    const cases = casesFrom(perTemplate, firstSeed + 500);
    for (let at = 0; at < cases.length; at += BATCH) {
      const batch = cases.slice(at, at + BATCH);
      runInReference(batch.map((entry) => entry.of)).forEach(({ bytes, after }, k) => {
        const { seed, of } = batch[k]!;
        const where = `seed ${seed}: ${of.text} (${Buffer.from(bytes).toString('hex')})`;
        expect([where, changes(of, runOnCore(bytes, of))]).toEqual([where, changes(of, after)]);
      });
    }
  },
  600_000,
);
