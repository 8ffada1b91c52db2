// What a program printed, out of what the REPL around it sends.
import { describe, expect, test } from 'vitest';
import { PrintedLines } from '../../host/view/escape.ts';

function printed(...pieces: string[]): string[] {
  const lines: string[] = [];
  const cut = new PrintedLines((line) => lines.push(line));
  for (const piece of pieces) cut.push(piece);
  cut.end();
  return lines;
}

describe('a prompt is not what the program printed', () => {
  test.each([
    ['Espruino, taken back', '>\r\x1b[Jhello\r\n>', ['hello']],
    ['Espruino without echo', '>>hello\r\n>', ['hello']],
    ['Kaluma', '\x1b[0m\r\x1b7> \x1b[H\x1b8\x1b[2C\x1b[2K\r\x1b[0mhello\r\n', ['hello']],
    ['an empty line of the program', '>\r\x1b[J\r\n>\r\x1b[Jb\r\n', ['', 'b']],
    ['its own sign after a prompt', '>\r\x1b[J> quoted\r\n', ['> quoted']],
    ['its own sign without echo', '> quoted\r\n', ['> quoted']],
    ['a line without an end', 'a\r\nb', ['a', 'b']],
    ['colours', '\x1b[31mError: boom\r\n\x1b[0m', ['Error: boom']],
  ])('%s', (_, text, lines) => {
    expect(printed(text)).toEqual(lines);
    expect(printed(...text)).toEqual(lines);
  });
});

test('a line without an end takes no more memory', () => {
  expect(printed('x'.repeat(10_000)).map(({ length }) => length)).toEqual([4096, 4096, 1808]);
});
