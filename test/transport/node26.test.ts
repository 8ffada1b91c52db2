// The mend for Node 26.4 and later, where it is needed: under such a Node, named by HEAPGLASS_NODE26 or running this.
// `npm install --prefix /tmp/node26 node@26` gets one: HEAPGLASS_NODE26=/tmp/node26/node_modules/.bin/node
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { hasSocat, openTtyPair } from '../support/tty.ts';

/** The first release whose native callbacks leave promise jobs waiting (nodejs/node#62969). */
const firstWithDefect = [26, 4] as const;

function hasDefect(node: string): boolean {
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  const [, major = '0', minor = '0'] = /^v(\d+)\.(\d+)/.exec(stdout ?? '') ?? [];
  const [firstMajor, firstMinor] = firstWithDefect;
  return Number(major) > firstMajor || (Number(major) === firstMajor && Number(minor) >= firstMinor);
}

const node = [process.env.HEAPGLASS_NODE26 ?? '', process.execPath].find((path) => path !== '' && hasDefect(path));
if (!node) console.warn('SKIPPED: the mend for Node 26.4 and later needs such a Node (HEAPGLASS_NODE26=PATH)');

async function duplex(...options: string[]): Promise<string> {
  const pair = await openTtyPair();
  try {
    const script = join(packageRoot, 'test/support/duplex.ts');
    const { stdout } = await promisify(execFile)(node!, [script, pair.a, pair.b, String(1 << 20), ...options]);
    return stdout.trim();
  } finally {
    pair.close();
  }
}

test.skipIf(!node || !hasSocat)(
  'a full-duplex stream in an otherwise idle process: ends when mended',
  { timeout: 60_000 },
  async () => {
    // The defect needs an event loop that nothing else wakes: a busy machine can hide it, and then this run proves less.
    const unmended: string[] = [];
    while (unmended.length < 3 && !unmended.some((line) => /stalled after \d+ bytes/.test(line))) {
      unmended.push(await duplex('unmended'));
    }
    if (!/stalled/.test(unmended.at(-1)!)) console.warn(`the defect did not show unmended: ${unmended.join('; ')}`);
    for (let run = 0; run < 3; run++) expect(await duplex()).toMatch(/done$/);
  },
);
