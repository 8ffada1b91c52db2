// The object for C as firmware links it: a C program that allocates and frees through the header leaves what the policy
// leaves in JavaScript, on the core and on qemu's Cortex-M4; and what is cut, changed in length, or for another processor
// is refused when it is built. Needs arm-none-eabi-gcc, the runs on qemu qemu-system-arm as well.
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { bindArena } from '../../../firmware/src/arena.ts';
import { type PolicyName, policies } from '../../../firmware/src/policies/index.ts';
import { type Cpu, cpus } from '../../../firmware/toolchain/native/compile.ts';
import { assemblerFile, headerFile } from '../../../firmware/toolchain/native/object.ts';
import { compilePolicy } from '../../../firmware/toolchain/native/policy.ts';
import { cortexM0Plus, cortexM4 } from '../../../firmware/toolchain/native/timing.ts';
import { Core } from '../../../sim/cortex-m/core.ts';
import { Fault, Memory } from '../../../sim/cortex-m/memory.ts';
import { build, hasTools, inTemporaryDirectory, runInQemu, START } from './toolchain.ts';

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const hasGcc = hasTools('arm-none-eabi-gcc');
const hasQemu = hasTools('qemu-system-arm');
const ARENA_BYTES = 4096;
const RAM = 0x20000000;
const STEPS = 300;

/** Allocates, reallocates and frees by a linear congruential sequence, sixteen blocks at a time; `arena` stays behind. */
const program = (policy: string): string => `#include "policy.h"
uint8_t out[${ARENA_BYTES}] __attribute__((aligned(8)));
__asm__(".global out_end\\n.set out_end, out + ${ARENA_BYTES}");
int main(void) {
  uint32_t held[16];
  uint32_t state = 1;
  for (int i = 0; i < ${ARENA_BYTES}; i++) out[i] = 0;
  for (int i = 0; i < 16; i++) held[i] = 0;
  heapglass_${policy}_init(out, ${ARENA_BYTES});
  for (int i = 0; i < ${STEPS}; i++) {
    state = state * 1103515245u + 12345u;
    uint32_t slot = (state >> 16) & 15, size = (state >> 20) & 255;
    if (held[slot] == 0) held[slot] = heapglass_${policy}_malloc(out, size);
    else if (size & 1) { heapglass_${policy}_free(out, held[slot]); held[slot] = 0; }
    else { uint32_t moved = heapglass_${policy}_realloc(out, held[slot], size); if (moved) held[slot] = moved; }
  }
  return 0;
}
`;

function inJavaScript(name: PolicyName): Buffer {
  const policy = policies[name];
  const buffer = new ArrayBuffer(ARENA_BYTES);
  bindArena(buffer);
  policy.init(ARENA_BYTES);
  const held = new Uint32Array(16);
  let state = 1;
  for (let i = 0; i < STEPS; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    const slot = (state >>> 16) & 15;
    const size = (state >>> 20) & 255;
    if (held[slot] === 0) held[slot] = policy.malloc(size);
    else if (size & 1) {
      policy.free(held[slot]!);
      held[slot] = 0;
    } else held[slot] = policy.realloc(held[slot]!, size) || held[slot]!;
  }
  return Buffer.from(buffer);
}

const filesFor = (policy: PolicyName, cpu: Cpu): Record<string, string> => {
  const compiled = compilePolicy(policy, cpu);
  return {
    'start.s': START,
    'policy.s': assemblerFile(policy, compiled),
    'policy.h': headerFile(policy, compiled),
    'main.c': program(policy.replaceAll('-', '_')),
  };
};

function onCore(image: { bytes: Uint8Array; symbols: ReadonlyMap<string, number> }, cpu: Cpu): Buffer {
  const code = new Uint8Array((image.bytes.length + 3) & ~3);
  code.set(image.bytes);
  const ram = new Uint8Array(4 << 20);
  const memory = new Memory([
    { name: 'ram', base: RAM, bytes: ram, writable: true },
    { name: 'code', base: 0, bytes: code, writable: false },
  ]);
  const core = new Core({ memory, timing: cpu === 'cortex-m4' ? cortexM4() : cortexM0Plus() });
  core.r[13] = memory.load32(0);
  core.r[15] = memory.load32(4) & ~1;
  try {
    core.run(5_000_000);
  } catch (error) {
    if (!(error instanceof Fault) || error.kind !== 'breakpoint') throw error;
  }
  const start = image.symbols.get('out')! - RAM;
  return Buffer.from(ram.subarray(start, start + ARENA_BYTES));
}

test
  .skipIf(!hasGcc)
  .each(cpus.flatMap((cpu) => (['tlsf', 'slab', 'trie-fit'] as const).map((name) => [name, cpu] as const)))(
  '%s for %s, linked into a C program',
  (policy, cpu) => {
    const expected = digest(inJavaScript(policy));
    inTemporaryDirectory((directory) => {
      const image = build(directory, filesFor(policy, cpu), [
        `-mcpu=${cpu}`,
        '-mfloat-abi=soft',
        '-O2',
        '-Wall',
        '-Werror',
      ]);
      expect(digest(onCore(image, cpu))).toBe(expected);
      if (hasQemu) expect(digest(runInQemu(directory, image))).toBe(expected);
    });
  },
  120_000,
);

/** What gcc says to a build that fails; 'built' where it does not. */
function refusal(files: Record<string, string>, cpu: Cpu): string {
  return inTemporaryDirectory((directory) => {
    try {
      build(directory, files, [`-mcpu=${cpu}`, '-mfloat-abi=soft', '-O2']);
      return 'built';
    } catch (error) {
      return `${(error as { stderr?: Buffer }).stderr ?? error}`;
    }
  });
}

test.skipIf(!hasGcc)(
  'an assembler file that is cut, anywhere, or lacks lines, does not build',
  () => {
    const files = filesFor('tlsf', 'cortex-m0plus');
    const lines = files['policy.s']!.split('\n');
    const without = (from: number, to: number): string => [...lines.slice(0, from), ...lines.slice(to)].join('\n');
    for (const keep of [8, 20, lines.length >> 1, lines.length - 30, lines.length - 6]) {
      expect([keep, refusal({ ...files, 'policy.s': lines.slice(0, keep).join('\n') }, 'cortex-m0plus')]).toEqual([
        keep,
        expect.stringMatching(/policy\.s.*Error|\.Lend|undefined/),
      ]);
    }
    const middle = lines.findIndex((line, i) => i > lines.length >> 1 && line.startsWith('  .short'));
    expect(refusal({ ...files, 'policy.s': without(middle, middle + 1) }, 'cortex-m0plus')).toMatch(
      /policy\.s:\d+: Error: lines are missing from this file/,
    );
  },
  60_000,
);

test.skipIf(!hasGcc)(
  'code for a Cortex-M4 in firmware for a Cortex-M0+ does not build',
  () => {
    expect(refusal(filesFor('tlsf', 'cortex-m4'), 'cortex-m0plus')).toMatch(
      /policy\.h:\d+:2: error: #error "heapglass: tlsf was compiled for cortex-m4, which this processor is not/,
    );
    // The other way round it runs.
    expect(refusal(filesFor('tlsf', 'cortex-m0plus'), 'cortex-m4')).toBe('built');
  },
  60_000,
);

test.skipIf(!hasGcc)(
  'another policy behind the header, and routines that are no entries, are undefined',
  () => {
    const files = filesFor('tlsf', 'cortex-m0plus');
    const other = assemblerFile('slab', compilePolicy('slab', 'cortex-m0plus'));
    expect(refusal({ ...files, 'policy.s': other }, 'cortex-m0plus')).toMatch(
      /undefined reference to `heapglass_tlsf_/,
    );
    const inner = compilePolicy('slab', 'cortex-m0plus').routines.filter(({ isEntry }) => !isEntry);
    expect(inner.length).toBeGreaterThan(3);
    for (const { name } of inner) {
      expect(other).not.toContain(`heapglass_slab_${name}`);
      expect(headerFile('slab', compilePolicy('slab', 'cortex-m0plus'))).not.toContain(`heapglass_slab_${name}(`);
    }
  },
  60_000,
);
