// The Kaluma flasher against a virtual Pico in this process: contents, faults, refusals, starting.
import { describe, expect, test } from 'vitest';
import { KalumaFlasher } from '../../host/flash/kaluma.ts';
import { Link } from '../../host/flash/link.ts';
import { openSim } from '../../host/transport/sim.ts';

const identity = { engine: 'kaluma', version: '1.2.1', board: 'pico' } as const;

async function open(faults = '', seed = 1) {
  const transport = await openSim('kaluma-pico', { faults, seed });
  return { transport, flasher: new KalumaFlasher(new Link(transport), identity) };
}

const text = (source: string) => new TextEncoder().encode(source);

describe('contents', () => {
  test.each([
    ['plain', 'print("hello");\n'],
    ['no newline at the end', 'print(1)'],
    ['CRLF', 'var a = 1;\r\nvar b = 2;\r\n'],
    ['a CR at the end', 'var a = 1;\r'],
    ['CR, LF and CRLF in every order', '//\r\n\r\r\n\n\r\n\r//\n\r'],
    ['non-ASCII', 'var a = "äöü – 漢字 🙂";\n'],
    ['the prompt inside', 'var p = "\x1b8\x1b[2C";\n'],
    ['every byte that a source may hold', String.fromCharCode(...Array.from({ length: 255 }, (_, i) => i + 1))],
    ['exactly one packet', 'x'.repeat(1024)],
    ['one byte more', 'x'.repeat(1025)],
  ])('%s is stored byte for byte', async (_, source) => {
    const { transport, flasher } = await open();
    const program = source.includes('\xff') ? Uint8Array.from(source, (c) => c.charCodeAt(0)) : text(source);
    const flashed = await flasher.upload(program);
    expect(flashed).toMatchObject({ storedBytes: program.length, attempts: 1, resent: 0, isVerified: true });
    expect(await flasher.read()).toEqual(program);
    await transport.close();
  });
});
