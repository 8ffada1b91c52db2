// docs/flashing.md is executed: its commands run or parse, its hex is what the code makes, its rule is the one printed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exitCodes } from '../../boards/problem.ts';
import { packageRoot } from '../../boards/root.ts';
import { parseArguments } from '../../host/arguments.ts';
import { command as flash } from '../../host/commands/flash.ts';
import { command as ports } from '../../host/commands/ports.ts';
import { encodePacket, packetTypes } from '../../host/flash/packet.ts';
import { packet } from '../../host/flash/ymodem.ts';
import { udevRule } from '../../host/transport/problems.ts';

const document = readFileSync(join(packageRoot, 'docs', 'flashing.md'), 'utf8');
const commands = { flash, ports };

function blocks(kind: string): string[] {
  return [...document.matchAll(new RegExp(`^\`\`\`${kind}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, body]) =>
    body!.trim(),
  );
}

const linesOf = (kind: string): string[] => blocks(kind).flatMap((body) => body.split('\n'));

const words = (line: string) => {
  const [, name, ...rest] = line.split(' ');
  return { command: commands[name as keyof typeof commands], rest };
};

test.each(linesOf('sh tested'))('%s', async (line) => {
  const { command, rest } = words(line);
  const inPackage = rest.map((word) => (word.startsWith('examples/') ? join(packageRoot, word) : word));
  const io = { out: () => {}, err: () => {}, isTerminal: false, columns: 80, rows: 24, color: false };
  const exitCode = await command.run(parseArguments(command, inPackage), {
    ...io,
    signal: new AbortController().signal,
  });
  expect(exitCode).toBe(exitCodes.done);
});

test.each(linesOf('sh'))('its options are known: %s', (line) => {
  const { command, rest } = words(line);
  expect(() => parseArguments(command, rest)).not.toThrow();
});

const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
const bytesOf = (text: string) => new TextEncoder().encode(text);

test('the YMODEM packet', () => {
  const bytes = packet(1, bytesOf('x'));
  expect(blocks('hex')[0]).toBe(`${hex(bytes.subarray(0, 6))} ... ${hex(bytes.subarray(130))}`);
});

test('the Espruino packets', () => {
  expect(blocks('hex')[1]!.split('\n')).toEqual([
    hex(encodePacket(packetTypes.fileSend, bytesOf(JSON.stringify({ fn: '.bootcde', s: 16 })))),
    hex(encodePacket(packetTypes.data, bytesOf('print'))),
  ]);
});

test('the udev rule is the one that a refused port prints', () => {
  expect(blocks('udev')).toEqual([udevRule]);
});
