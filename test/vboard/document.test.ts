// docs/virtual-boards.md is executed: its transcripts are what the boards say.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { openSession } from './support.ts';

const text = readFileSync(join(packageRoot, 'docs/virtual-boards.md'), 'utf8');
const transcripts = [...text.matchAll(/```transcript (\S+)\n([\s\S]*?)```/g)].map(([, boardId, lines]) => ({
  boardId: boardId!,
  lines: lines!.trimEnd().split('\n'),
}));

const bytesOf = (hex: string): Uint8Array => Buffer.from(hex.replaceAll(' ', ''), 'hex');

test('there are transcripts of both engines', () => {
  expect(transcripts.map(({ boardId }) => boardId)).toEqual(['kaluma-pico', 'pico_r1_3']);
});

test.each(transcripts)('the transcript of $boardId', async ({ boardId, lines }) => {
  const board = await openSession(boardId);
  for (let i = 0; i < lines.length; i += 2) {
    expect(lines[i]).toMatch(/^>/);
    expect(lines[i + 1]).toMatch(/^</);
    const said = await board.send(bytesOf(lines[i]!.slice(1)));
    expect(Buffer.from(said, 'latin1').toString('hex')).toBe(
      Buffer.from(bytesOf(lines[i + 1]!.slice(1))).toString('hex'),
    );
  }
});
