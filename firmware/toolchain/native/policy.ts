/** Compiles a policy of firmware/src/policies by name. The result is kept: it depends on the files only. */
import { existsSync, readFileSync } from 'node:fs';
import { exitCodes, Problem } from '../../../boards/problem.ts';
import { packageRoot } from '../../../boards/root.ts';
import { type Compiled, type Cpu, compile } from './compile.ts';
import { readSource } from './source.ts';

/** The functions of a policy that native code offers. */
const policyEntries = [
  'malloc',
  'free',
  'realloc',
  'init',
  'memalign',
  'usableSize',
  'mallocMany',
  'freeMany',
  'usableMany',
] as const;

const compiled = new Map<string, Compiled>();
const BATCH = `${packageRoot}/firmware/src/native-batch.ts`;

/** The batch functions over this policy, with everything the policy exports. Lines stay where they are. */
function withBatches(policy: string): string {
  const text = readFileSync(BATCH, 'utf8').replace('./bound-policy.ts', `./policies/${policy}.ts`);
  return `${text}export * from './policies/${policy}.ts';\n`;
}

/** With `checks`, what a policy reads from its blocks is held against a second place where it need not be (checks.ts). */
export function compilePolicy(policy: string, cpu: Cpu, checks = false): Compiled {
  const key = `${policy} ${cpu} ${checks}`;
  const known = compiled.get(key);
  if (known) return known;
  const path = `${packageRoot}/firmware/src/policies/${policy}.ts`;
  if (!/^[a-z-]+$/.test(policy) || !existsSync(path)) {
    throw new Problem(
      exitCodes.usage,
      `there is no policy "${policy}"`,
      [],
      'Name a policy; `heapglass compile --help` lists them.',
    );
  }
  const result = compile(readSource(BATCH, withBatches(policy)), { cpu, checks, entries: policyEntries });
  compiled.set(key, result);
  return result;
}

/** Bytes of machine code for malloc, free and realloc with all they call and their literals: what a program carries. */
export function coreCodeBytes(policy: string, cpu: Cpu, checks = false): number {
  const key = `${policy} ${cpu} ${checks} core`;
  let core = compiled.get(key);
  if (!core) {
    const path = `${packageRoot}/firmware/src/policies/${policy}.ts`;
    core = compile(readSource(path), { cpu, checks, entries: ['malloc', 'free', 'realloc'] });
    compiled.set(key, core);
  }
  return core.layout.code.length;
}
