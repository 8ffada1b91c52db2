// Bundles the command line into dist/, so that `heapglass` starts without transpiling.
// Every output file lies directly in dist/: boards/root.ts relies on being one level below the package root,
// in the sources as in the bundle.
import { createHash } from 'node:crypto';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
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
await writeFile(`${root}/dist/heapglass.html`, await page());
await chmod(`${root}/dist/heapglass.js`, 0o755);

/** The page of `monitor --web`: one file, whose policy allows its own script and style and nothing else. */
async function page() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: { page: 'host/web/main.ts' },
    outdir: 'dist',
    write: false,
    bundle: true,
    format: 'iife',
    platform: 'browser',
    target: ['chrome110', 'firefox115', 'safari16.4'],
    minify: true,
    charset: 'ascii',
    loader: { '.hgrec': 'base64' },
    logLevel: 'warning',
  });
  const text = (extension) => outputFiles.find(({ path }) => path.endsWith(extension)).text;
  const script = text('.js').replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');
  const style = text('.css');
  const hash = (content) => `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
  // What the page loads is its own server's WebSocket and recordings, and blobs of its own.
  const policy = [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const parts = { policy, style, script };
  const shell = await readFile(`${root}/host/web/page/page.html`, 'utf8');
  return shell.replace(/\/\* (policy|style|script) \*\//g, (_, name) => parts[name]);
}
