// E.nativeCall on the virtual Espruino: the flashed blob's entries against the program's own buffer, faults with an
// address, and what a native pair, a native batch and the interpreted pair cost side by side.
import { expect, test } from 'vitest';
import { packBlob, unpackBlob } from '../../firmware/toolchain/native/blob.ts';
import { compilePolicy } from '../../firmware/toolchain/native/policy.ts';
import { NATIVE_CALL_INSTRUCTIONS, type NativeFunction, nativeFunction } from '../../sim/cortex-m/native-call.ts';

const ARENA = 0x20001000;

function board(policy: string, arenaBytes = 4096) {
  const bytes = packBlob(compilePolicy(policy, 'cortex-m0plus'));
  const blob = unpackBlob(bytes, 'cortex-m4');
  const arena = new Uint8Array(arenaBytes);
  const spent: number[] = [];
  const target = { cpu: 'cortex-m0plus', spendCycles: (cycles: number) => void spent.push(cycles) };
  const entry = (name: keyof typeof blob.entries, signature: string): NativeFunction =>
    nativeFunction(target, (blob.codeOffset + blob.entries[name]!) | 1, signature, bytes, () => [
      { address: ARENA, bytes: arena },
    ]);
  return { entry, spent, arena, bytes, target };
}

test('init, malloc, free and a batch of 32; side by side', () => {
  const { entry, spent } = board('segregated');
  const init = entry('init', 'int(int,int)');
  const malloc = entry('malloc', 'int(int,int)');
  const free = entry('free', 'int(int,int)');
  const mallocMany = entry('mallocMany', 'int(int,int,int,int)');
  const freeMany = entry('freeMany', 'int(int,int,int)');
  expect(init(ARENA, 4096)).toBeGreaterThan(3000);
  const list = malloc(ARENA, 128)!;
  spent.length = 0;
  const offset = malloc(ARENA, 24)!;
  expect(free(ARENA, offset)).toBe(0);
  const pair = spent[0]! + spent[1]!;
  spent.length = 0;
  expect(mallocMany(ARENA, 24, 32, list)).toBe(32);
  expect(freeMany(ARENA, 32, list)).toBe(32);
  const batch = spent[0]! + spent[1]!;
  console.info(
    `segregated on a Cortex-M0+: a native pair ${pair} cycles and two calls of ${NATIVE_CALL_INSTRUCTIONS} instructions from JavaScript; ` +
      `a batch of 32 pairs ${batch} cycles and two calls, ${Math.round((batch + 2 * NATIVE_CALL_INSTRUCTIONS) / 32)} a pair with them`,
  );
  expect(pair).toBeLessThan(140);
  expect(batch / 32).toBeLessThan(pair * 1.6);
});

test('code that reaches outside the buffers is a hard fault with the address, not an answer', () => {
  const { entry } = board('tlsf');
  const malloc = entry('malloc', 'int(int,int)');
  entry('init', 'int(int,int)')(ARENA, 4096);
  expect(() => malloc(ARENA + 2, 24)).toThrow(/HARD FAULT: unaligned access to 0x2000[0-9a-f]{4}, code offset \d+/);
  expect(() => malloc(0x30000000, 24)).toThrow(/HARD FAULT: access outside memory at 0x3000/);
});

test('a wrong offset, a signature with floats and ARM code are refused', () => {
  const { bytes, target } = board('tlsf');
  const none = () => [];
  expect(() => nativeFunction(target, 40, 'int(int)', bytes, none)).toThrow(/bit 0 clear/);
  expect(() => nativeFunction(target, 99_999, 'int(int)', bytes, none)).toThrow(/behind the code/);
  expect(() => nativeFunction(target, 41, 'float(int)', bytes, none)).toThrow(/cannot call float\(int\)/);
});

test("another processor's code is a fault with its place, not an answer", () => {
  // ARMv7E-M code, its header not looked at, on a Cortex-M0+: CLZ and RBIT are not there.
  const bytes = packBlob(compilePolicy('tlsf', 'cortex-m4'));
  const blob = unpackBlob(bytes, 'cortex-m4');
  const arena = new Uint8Array(4096);
  const target = { cpu: 'cortex-m0plus', spendCycles: () => {} };
  const call = (name: 'init' | 'malloc', second: number) =>
    nativeFunction(target, (blob.codeOffset + blob.entries[name]!) | 1, 'int(int,int)', bytes, () => [
      { address: ARENA, bytes: arena },
    ])(ARENA, second);
  expect(() => {
    call('init', 4096);
    call('malloc', 1000);
  }).toThrow(/HARD FAULT: undefined instruction at 0x0800[0-9a-f]{4}, code offset \d+/);
});
