// docs/native.md: the commands it names run, and the bounds it states are those that are printed.
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { compile } from '../../firmware/toolchain/native/compile.ts';
import { listing } from '../../firmware/toolchain/native/listing.ts';
import { compilePolicy } from '../../firmware/toolchain/native/policy.ts';
import { parseSource } from '../../firmware/toolchain/native/source.ts';
import { cortexM0Plus } from '../../firmware/toolchain/native/timing.ts';
import { worstCases } from '../../firmware/toolchain/native/wcet.ts';
import { command } from '../../host/commands/compile.ts';
import {
  boundTableText,
  peerRows,
  peersPath,
  policyRows,
  policyTableHead,
  type Row,
  tableHead,
} from '../../scripts/native-doc.ts';
import { runCommand } from '../view/run-command.ts';

const text = readFileSync(`${packageRoot}/docs/native.md`, 'utf8');

test('the bounds of tlsf', () => {
  const bounds = worstCases(compilePolicy('tlsf', 'cortex-m0plus'), cortexM0Plus(), {});
  const stated = /control flow is (\d+) and (\d+) cycles/.exec(text)!;
  expect(bounds.get('malloc')).toEqual({ cycles: Number(stated[1]) });
  expect(bounds.get('free')).toEqual({ cycles: Number(stated[2]) });
});

test('one function through the stages: every block of the page is what comes out', () => {
  const section = text.slice(text.indexOf('## One function through the stages'), text.indexOf('## The blob, and C'));
  const [source, ...stated] = [...section.matchAll(/```(?:js)?\n([^`]*)```/g)].map(([, block]) => block!);
  const told: string[] = [];
  const compiled = compile(parseSource(source!, 'shorten.js'), {
    cpu: 'cortex-m0plus',
    entries: ['shorten'],
    observe: (_, __, stage) => told.push(stage),
  });
  expect(stated).toEqual([...told, listing(compiled)]);
});

test('every compile command of the page runs', async () => {
  const lines = text.split('\n').filter((line) => line.startsWith('heapglass compile ') && !line.includes('--out'));
  expect(lines.length).toBeGreaterThan(1);
  for (const line of lines) {
    const { code, out } = await runCommand(command, line.split(' ').slice(2));
    expect([line, code]).toEqual([line, 0]);
    expect(out).not.toBe('');
  }
});

test('every file that the page names is there', () => {
  const stages = [...text.matchAll(/`([a-z-]+\.ts)`/g)].map(([, name]) => name!);
  for (const name of stages) {
    const places = ['firmware/toolchain/native', 'firmware/src', 'sim/cortex-m'].map(
      (folder) => `${packageRoot}/${folder}/${name}`,
    );
    expect([name, places.some((path) => existsSync(path))]).toEqual([name, true]);
  }
});

test('the bounds for the arena of a trace', async () => {
  expect(text).toContain(await boundTableText());
}, 60_000);

/** Held to the written table; what was recorded of others is exact, ours may change a little between two writings. */
function expectStated(rows: readonly Row[], head: string): void {
  const stated = text.slice(text.indexOf(head)).split('\n\n')[0]!.split('\n').slice(2);
  for (const { name, isOurs, mallocMean, mallocMax, freeMean, freeMax, codeBytes } of rows) {
    const line = stated.find((row) => row.includes(` ${name} `) || row.includes(`**${name}**`));
    const numbers =
      line
        ?.replaceAll('*', '')
        .split(' | ')
        .slice(1)
        .join(' ')
        .match(/[\d.]+/g)
        ?.map(Number) ?? [];
    const measured = [mallocMean, mallocMax, freeMean, freeMax, codeBytes];
    const worst = Math.max(...measured.map((figure, k) => Math.abs((numbers[k] ?? 0) - figure) / figure));
    expect([name, worst < (isOurs ? 0.1 : 0.005)]).toEqual([name, true]);
  }
}

// The two that the page states bounds for; measuring all takes long, `scripts/native-doc.ts` does it.
test.skipIf(!existsSync(peersPath))(
  'the tables are what is measured',
  async () => {
    expectStated(await policyRows(['tlsf', 'segregated']), policyTableHead);
    expectStated(await peerRows(['tlsf', 'segregated']), tableHead);
  },
  120_000,
);

if (!existsSync(peersPath))
  console.warn(`native document: ${peersPath} is not there, its tables are not measured again`);
