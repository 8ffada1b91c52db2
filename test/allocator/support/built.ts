// The allocator as one bundled module: the transformed modules of the test runner reach each view through a getter,
// which makes a million operations take minutes. Same sources, same code.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { packageRoot } from '../../../boards/root.ts';
import type * as arenaModule from '../../../firmware/src/arena.ts';
import type * as heapModule from '../../../firmware/src/heap.ts';
import type * as policiesModule from '../../../firmware/src/policies/index.ts';
import type * as regionHeapModule from '../../../firmware/src/regions/region-heap.ts';
import type * as safetyModule from '../../../firmware/src/safety/create.ts';
import type * as footprintModule from '../../../host/bench/footprint.ts';

export type Built = typeof arenaModule &
  typeof footprintModule &
  typeof heapModule &
  typeof policiesModule &
  typeof regionHeapModule &
  typeof safetyModule;

export async function builtAllocator(): Promise<Built> {
  const outfile = join(mkdtempSync(join(tmpdir(), 'heapglass-')), 'allocator.mjs');
  await build({
    stdin: {
      contents: [
        'firmware/src/arena',
        'firmware/src/heap',
        'firmware/src/policies/index',
        'firmware/src/regions/region-heap',
        'firmware/src/safety/create',
        'host/bench/footprint',
      ]
        .map((name) => `export * from './${name}.ts';`)
        .join('\n'),
      resolveDir: packageRoot,
      loader: 'ts',
    },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    outfile,
    logLevel: 'warning',
  });
  return (await import(pathToFileURL(outfile).href)) as Built;
}
