// Imports point one way: wire imports nothing; firmware/src imports wire; boards imports nothing of ours; the toolchain
// imports boards; sim imports boards, wire and the toolchain; host imports all and is imported by none.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../boards/root.ts';

const layers = ['firmware/wire', 'firmware/src', 'firmware/toolchain', 'boards', 'sim', 'host'] as const;
type Layer = (typeof layers)[number];

const mayImport: Record<Layer, readonly Layer[]> = {
  'firmware/wire': [],
  'firmware/src': ['firmware/wire'],
  'firmware/toolchain': ['boards', 'firmware/wire', 'firmware/src'],
  boards: [],
  sim: ['boards', 'firmware/wire', 'firmware/toolchain'],
  host: ['boards', 'firmware/wire', 'firmware/src', 'firmware/toolchain', 'sim'],
};

const layerOf = (path: string): Layer | undefined => layers.find((layer) => path.startsWith(`${layer}/`));

function imports(file: string): string[] {
  const source = readFileSync(join(packageRoot, file), 'utf8');
  return [...source.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, target]) =>
    normalize(join(dirname(file), target!)),
  );
}

test.each(layers)('%s imports only what lies below it', (layer) => {
  if (!existsSync(join(packageRoot, layer))) return;
  const files = readdirSync(join(packageRoot, layer), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(packageRoot, join(entry.parentPath, entry.name)));
  const wrong = files.flatMap((file) =>
    imports(file)
      .filter((target) => {
        const other = layerOf(target);
        return other !== undefined && other !== layer && !mayImport[layer].includes(other);
      })
      .map((target) => `${file} imports ${target}`),
  );
  expect(wrong).toEqual([]);
});
