// Imports point one way: wire imports nothing; firmware/src imports wire; boards imports nothing of ours; the toolchain
// imports boards; sim imports boards, wire and the toolchain; host imports all and is imported by none. Within a layer no
// file needs itself by way of others, and the map in docs/design.md names the folders that there are.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
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

interface Import {
  target: string;
  /** Erased when the file is run. */
  isType: boolean;
}

function imports(file: string): Import[] {
  const source = readFileSync(join(packageRoot, file), 'utf8');
  return [...source.matchAll(/((?:import|export) type [^;]*?)?(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(
    ([, type, target]) => ({ target: normalize(join(dirname(file), target!)), isType: type !== undefined }),
  );
}

const filesOf = (layer: Layer): string[] =>
  readdirSync(join(packageRoot, layer), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(packageRoot, join(entry.parentPath, entry.name)));

test.each(layers)('%s imports only what lies below it', (layer) => {
  const wrong = filesOf(layer).flatMap((file) =>
    imports(file)
      .filter(({ target }) => {
        const other = layerOf(target);
        return other !== undefined && other !== layer && !mayImport[layer].includes(other);
      })
      .map(({ target }) => `${file} imports ${target}`),
  );
  expect(wrong).toEqual([]);
});

/** Expressions hold calls and calls hold expressions: the lowering is one recursion over the syntax, in several files. */
const oneRecursion = join('firmware', 'toolchain', 'native', 'lower') + sep;

test('no file needs itself by way of others, but for the recursion of the lowering', () => {
  const needs = new Map<string, string[]>();
  for (const file of layers.flatMap(filesOf)) {
    const targets = imports(file).filter(({ isType }) => !isType);
    needs.set(
      file,
      targets
        .map(({ target }) => target)
        .filter((target) => !(file.startsWith(oneRecursion) && target.startsWith(oneRecursion))),
    );
  }
  // Takes away what needs nothing that is left, until nothing goes: a circle stays.
  for (let before = -1; before !== needs.size; ) {
    before = needs.size;
    for (const [file, targets] of needs) if (!targets.some((target) => needs.has(target))) needs.delete(file);
  }
  // Neither what needs a circle is one.
  for (let before = -1; before !== needs.size; ) {
    before = needs.size;
    const needed = new Set([...needs.values()].flat());
    for (const file of needs.keys()) if (!needed.has(file)) needs.delete(file);
  }
  expect([...needs.keys()]).toEqual([]);
});

test('the map in docs/design.md has folders that exist, and every one of the firmware and its device code', () => {
  const foldersIn = (path: string): string[] =>
    readdirSync(join(packageRoot, path), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${path}/${name}`);
  const design = readFileSync(join(packageRoot, 'docs', 'design.md'), 'utf8');
  const mapped = /```\n([\s\S]*?)```/.exec(design)![1]!.match(/^\S+/gm)!;
  expect(mapped.filter((path) => !existsSync(join(packageRoot, path)))).toEqual([]);
  expect(mapped.filter((path) => path.startsWith('firmware/')).sort()).toEqual(
    [...foldersIn('firmware'), ...foldersIn('firmware/src')].sort(),
  );
});

test('CONTRIBUTING.md says what each script writes', () => {
  const scripts = readdirSync(join(packageRoot, 'scripts')).filter((name) => name.endsWith('.ts'));
  // What a script imports is a part of it.
  const parts = scripts.flatMap((name) => imports(`scripts/${name}`).map(({ target }) => target));
  const text = readFileSync(join(packageRoot, 'CONTRIBUTING.md'), 'utf8');
  const whole = scripts.map((name) => `scripts/${name}`).filter((path) => !parts.includes(normalize(path)));
  expect(whole.filter((path) => !text.includes(path))).toEqual([]);
});
