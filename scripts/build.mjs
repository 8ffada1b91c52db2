// Bundles the command line into dist/, so that `heapglass` starts without transpiling.
// Every output file lies directly in dist/: boards/root.ts relies on being one level below the package root,
// in the sources as in the bundle.
import { chmod, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

await rm(`${root}/dist`, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: { heapglass: 'host/cli.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  sourcemap: true,
  banner: { js: '#!/usr/bin/env node' },
  logLevel: 'warning',
});
// The pages' scripts, each with all it needs: a report is one file, and a page loads nothing else.
await build({
  absWorkingDir: root,
  entryPoints: { 'report-client': 'host/web/report.ts' },
  outdir: 'dist',
  bundle: true,
  format: 'iife',
  platform: 'browser',
  target: 'es2022',
  minify: true,
  logLevel: 'warning',
});
await chmod(`${root}/dist/heapglass.js`, 0o755);
