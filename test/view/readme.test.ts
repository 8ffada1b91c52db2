// Every command of the README is run as it stands there, with the built bin. Two that serve or watch for long are cut
// short: the virtual board is ended when the last command has used it, and the monitor watches for a second.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';

const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8');
const bin = join(packageRoot, 'dist', 'heapglass.js');
const commands = [...readme.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block]) => block!.trim().split('\n'));
const servers: ChildProcess[] = [];
afterAll(() => {
  for (const server of servers) server.kill('SIGINT');
});

function start(words: readonly string[]): ChildProcess {
  return spawn(process.execPath, [bin, ...words], { cwd: packageRoot, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Runs to the end; what it wrote and its exit code. */
function finished(child: ChildProcess): Promise<{ code: number | null; out: string; err: string }> {
  let out = '';
  let err = '';
  child.stdout!.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr!.on('data', (chunk) => {
    err += chunk;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })));
}

/** Resolves when the server says where it listens. */
function listening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const heard = (chunk: Buffer) => {
      if (chunk.toString().includes('127.0.0.1')) resolve();
    };
    child.stdout!.on('data', heard);
    child.stderr!.on('data', heard);
    child.once('close', (code) => reject(new Error(`ended with ${code}`)));
  });
}

test('the README has commands, and every one is the bin’s', () => {
  expect(commands.length).toBeGreaterThan(7);
  for (const command of commands) expect(command).toMatch(/^npx heapglass [a-z]+/);
});

/** The README's port may be taken on this machine: its commands agree on another. */
const port = 20_000 + (process.pid % 20_000);

test.each(commands)('%s', async (command) => {
  const words = command
    .replaceAll('4321', String(port))
    .split(' ')
    .slice(2)
    .map((word, at, all) => (all[at - 1] === '--seconds' ? '1' : word));
  const child = start(words);
  if (words.includes('--listen')) {
    servers.push(child);
    await listening(child);
    return;
  }
  const { code, out, err } = await finished(child);
  expect(code, `${out.slice(-2000)}\n${err.slice(-2000)}`).toBe(0);
  expect(`${out}${err}`.length).toBeGreaterThan(50);
});

test('every page and picture the README names is there', () => {
  const named = [...readme.matchAll(/\]\(([^)]+)\)|`((?:docs\/)?[\w-]+\.md)`/g)].map(([, link, page]) => link ?? page!);
  for (const path of named) expect(existsSync(join(packageRoot, path)), path).toBe(true);
});

test('every figure of the README is in the page it names', () => {
  const rows = readme.split('\n').filter((line) => /^\|.*\*\*[\d.,]+\*\*.*`docs\//.test(line));
  expect(rows.length).toBeGreaterThan(6);
  for (const row of rows) {
    const page = readFileSync(join(packageRoot, /`(docs\/[\w-]+\.md)`/.exec(row)![1]!), 'utf8');
    for (const [, figure] of row.matchAll(/\*\*([\d.,]+)\*\*/g))
      expect(
        page.match(new RegExp(`(?<![\\d.,])${figure!.replaceAll('.', '\\.')}(?![\\d]|[.,]\\d)`)),
        row,
      ).not.toBeNull();
  }
});

test('every page of docs/ is named', () => {
  const pages = readdirSync(join(packageRoot, 'docs')).filter((name) => name.endsWith('.md'));
  for (const page of pages) expect(readme, page).toContain(`\`docs/${page}\``);
});

test('the bin starts in under 300 ms, or three times an empty script where the machine is busy', async () => {
  const best = { bin: Number.POSITIVE_INFINITY, empty: Number.POSITIVE_INFINITY };
  const most = (): number => Math.max(300, 3 * best.empty);
  for (let run = 0; run < 15 && !(best.bin < most()); run++) {
    for (const of of ['empty', 'bin'] as const) {
      const startedMs = performance.now();
      await finished(of === 'bin' ? start(['--version']) : spawn(process.execPath, ['-e', '0']));
      best[of] = Math.min(best[of], performance.now() - startedMs);
    }
  }
  expect(best.bin).toBeLessThan(most());
});
