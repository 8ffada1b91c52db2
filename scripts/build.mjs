// Bundles the command line into dist/, so that `heapglass` starts without transpiling, and what a program imports as
// 'heapglass', with its types.
// Every script lies directly in dist/: boards/root.ts relies on being one level below the package root,
// in the sources as in the bundle.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
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
// 'heapglass' in Node: the device code with all policies. The toolchain takes the sources instead.
await build({
  absWorkingDir: root,
  entryPoints: { index: 'firmware/src/index.ts' },
  outdir: 'dist',
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  sourcemap: true,
  logLevel: 'warning',
});
await declarations();
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

/** The types of 'heapglass', for editors and type checkers of the programs that import it. */
async function declarations() {
  const require = createRequire(import.meta.url);
  const compiler = join(dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  const options = ['--declaration', '--emitDeclarationOnly', '--rootDir', 'firmware', '--outDir', 'dist/types'];
  const language = ['--ignoreConfig', '--strict', '--target', 'es2022', '--module', 'esnext', '--types', ''];
  const resolution = ['--moduleResolution', 'bundler', '--allowImportingTsExtensions', '--verbatimModuleSyntax'];
  const words = [compiler, 'firmware/src/index.ts', ...options, ...language, ...resolution];
  await promisify(execFile)(process.execPath, words, { cwd: root });
  // A declaration says of which script it speaks: './heap.js' is the one that heap.d.ts declares.
  for (const name of await readdir(`${root}/dist/types`, { recursive: true })) {
    if (!name.endsWith('.d.ts')) continue;
    const path = `${root}/dist/types/${name}`;
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(/(from '|import\('|import\(")(\.[^'"]*)\.ts/g, '$1$2.js'));
  }
}

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
