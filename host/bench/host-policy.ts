/**
 * A policy bundled for this machine: its source over one arena that never changes, so that V8 knows the views as
 * constants. In the place of what boards lack stand this engine's builtins: `Math.clz32` and `copyWithin`. The toolchain
 * does the like for boards (firmware/toolchain/bundle.ts).
 */
import { join } from 'node:path';
import { build } from 'esbuild';
import { packageRoot } from '../../boards/root.ts';
import type { PolicyName } from '../../firmware/src/policies/index.ts';
import type { Policy } from '../../firmware/src/policy.ts';

/** By the end of a module's path: what stands in its place. `arena` is a parameter of the bundle. */
const replacements: [RegExp, string][] = [
  [
    /src[\\/]arena\.ts$/,
    'export const u8 = new Uint8Array(arena), u16 = new Uint16Array(arena), u32 = new Int32Array(arena);',
  ],
  [
    /src[\\/]bits\.ts$/,
    'export const highestBit = (x) => 31 - Math.clz32(x); export const lowestBit = (x) => 31 - Math.clz32(x & -x);',
  ],
  [
    /src[\\/]copy\.ts$/,
    "import { u8 } from './arena.ts'; export function moveBytes(to, from, bytes) { u8.copyWithin(to, from, from + bytes); }",
  ],
];

/** The policy's text, a script that leaves all its functions in `policy`. `arena` is free in it. */
export async function policyText(name: PolicyName): Promise<string> {
  const directory = join(packageRoot, 'firmware', 'src');
  const { outputFiles } = await build({
    stdin: { contents: `export * from './policies/${name}.ts';`, resolveDir: directory },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'policy',
    target: 'node20',
    plugins: [
      {
        name: 'host',
        setup({ onLoad }) {
          for (const [filter, contents] of replacements) {
            onLoad({ filter }, () => ({ contents, loader: 'js', resolveDir: directory }));
          }
        },
      },
    ],
  });
  return outputFiles[0]!.text.replace(/^( +)var (\w+) = /gm, '$1const $2 = ');
}

/** The policy over an arena of its own; `init` takes how much of it to use. */
export async function hostPolicy(name: PolicyName, arenaBytes: number): Promise<Policy> {
  return new Function('arena', `${await policyText(name)}\nreturn policy;`)(new ArrayBuffer(arenaBytes)) as Policy;
}
