// docs/wire-format.md is executed: its frames are decoded and give the events that it prints, and its tables have the
// numbers of the code.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import * as format from '../../firmware/wire/format.ts';
import { TelemetryDecoder } from '../../host/model/decoder.ts';
import type { TelemetryListener } from '../../host/model/events.ts';

const document = readFileSync(join(packageRoot, 'docs', 'wire-format.md'), 'utf8');

function decode(hex: string): string[] {
  const told: string[] = [];
  const listener: TelemetryListener = {
    text: (bytes) => told.push(`text ${JSON.stringify(String.fromCharCode(...bytes))}`),
    hello: (h) =>
      told.push(`hello policy ${h.policy}, arena ${h.arenaBytes}, first block ${h.firstBlock}, boot ${h.boot}`),
    eventsBegin: (atMs) => told.push(`events at ${atMs} ms`),
    malloc: (offset, size, usable, site) =>
      told.push(`  malloc ${size} from site ${site}: ${offset}, ${usable} usable`),
    free: (offset) => told.push(`  free ${offset}`),
    realloc: (offset, to, size) => told.push(`  realloc ${offset} to ${size}: ${to}`),
    failure: (size, _alignment, offset, site) => told.push(`  failed ${size} from site ${site}, block ${offset}`),
    misuse: (offset, code) => told.push(`  misuse ${offset}, code ${code}`),
    map: (m) =>
      told.push(`map from ${m.startBlock}: ${m.kinds.map((kind, i) => `${'FLCB'[kind]}${m.sizes[i]}`).join(' ')}`),
    counters: (c) => told.push(`counters: ${c.operations} operations, ${c.liveBytes} live, ${c.failures} failures`),
    regions: ({ regions }) => {
      for (const { name, bytes, breakBytes, isLarge, pageBytes } of regions) {
        const kind = isLarge ? 'large blocks alone' : `break ${breakBytes}`;
        told.push(`region ${name}: ${bytes}, ${kind}, pages of ${pageBytes}`);
      }
    },
    postMortem: (p) => told.push(`post-mortem: ${p.size} from site ${p.site}, ${p.liveBytes} live`),
    lost: (frames, records) => told.push(`lost ${frames} frames, ${records} records`),
    damaged: (bytes) => told.push(`damaged ${bytes} bytes`),
  };
  const decoder = new TelemetryDecoder(listener);
  for (const line of hex.trim().split('\n')) {
    decoder.push(Uint8Array.from(line.trim().split(/\s+/), (byte) => Number.parseInt(byte, 16)));
  }
  decoder.end();
  return told;
}

const examples = [...document.matchAll(/```frame\n([\s\S]*?)```\s*```told\n([\s\S]*?)```/g)];

test('the page has examples', () => expect(examples.length).toBe(3));

test.each(examples.map(([, frames, told], index) => [index + 1, frames!, told!] as const))(
  'example %i decodes to what the page prints',
  (_index, frames, told) => {
    expect(decode(frames)).toEqual(told.trimEnd().split('\n'));
  },
);

test('the tables name every type and record with its number', () => {
  const rows = new Map(
    [...document.matchAll(/^\| `([0-9a-f]{2})`[^|]*\| ([A-Z_]+) \|/gm)].map(([, hex, name]) => [name, hex]),
  );
  const numbers = Object.entries(format).filter(([name]) => /^(FRAME|RECORD)_/.test(name));
  expect(numbers.length).toBeGreaterThan(20);
  for (const [name, value] of numbers) expect(rows.get(name), name).toBe(value.toString(16).padStart(2, '0'));
  expect(rows.size).toBe(numbers.length);
});
