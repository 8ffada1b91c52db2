// docs/boards.md is what the board data say, and the board it shows as an example is one.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { boardIds, loadBoard, parseBoardFile, resolveBoard } from '../../boards/board.ts';
import { packageRoot } from '../../boards/root.ts';
import { boardsDocument, documentPath } from '../../scripts/boards-doc.ts';

test('docs/boards.md is current (npx tsx scripts/boards-doc.ts writes it)', () => {
  expect(readFileSync(documentPath, 'utf8')).toBe(boardsDocument());
});

test('it names every board', () => {
  const text = readFileSync(documentPath, 'utf8');
  for (const id of boardIds()) expect(text).toContain(`\`${id}\``);
});

test('its example is a sound board', () => {
  const [, json] = /```json\n([\s\S]*?)```/.exec(readFileSync(documentPath, 'utf8'))!;
  const example = parseBoardFile(json!, 'the example');
  const files = ['espruino', 'nrf52', 'nrf52832'].map((id) =>
    parseBoardFile(readFileSync(`${packageRoot}/boards/data/${id}.json`, 'utf8'), id),
  );
  const board = resolveBoard(example, new Map([...files, example].map((file) => [file.id, file])));
  expect(board).toMatchObject({ id: 'myboard', clockHz: loadBoard('puckjs').clockHz, jsvars: { count: 2800 } });
  expect(board.console).toMatchObject({ baud: 9600, bytesPerSecond: 960, outputBufferBytes: 128 });
});
