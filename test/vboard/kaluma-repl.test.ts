// Kaluma's REPL as bytes: each expectation is what the firmware's source prints (docs/virtual-boards.md).
import { expect, test } from 'vitest';
import { openKaluma, prompt } from './support.ts';

test('CR gives the prompt with its escapes, the banner was lost before the host came', async () => {
  const board = await openKaluma();
  expect(await board.send('\r')).toBe(`\r\n${prompt}`);
});

test.each([
  ['1+1', '\x1b[95m2\x1b[0m\r\n'],
  ['"a"', "\x1b[93m'a'\x1b[0m\r\n"],
  ['undefined', '\x1b[90mundefined\x1b[0m\r\n'],
  ['null', '\x1b[90mnull\x1b[0m\r\n'],
  ['[1,[2]]', '[\r\n  \x1b[95m1\x1b[0m,\r\n  [\r\n    \x1b[95m2\x1b[0m\r\n  ]\r\n]\r\n'],
  ['({a:1})', '{\r\n  a: \x1b[95m1\x1b[0m\r\n}\r\n'],
  ['throw Error("boom")', '\x1b[31mError: boom\r\n\x1b[0m'],
  ['console.log("hi", 3)', '\x1b[2K\r\x1b[0mhi \x1b[95m3\x1b[0m\r\n\x1b[90mundefined\x1b[0m\r\n'],
  ['print("hi")', 'hi\x1b[90mundefined\x1b[0m\r\n'],
  ['.flash -t', '524288\r\n'],
  ['.flash -s', '0\r\n'],
  ['.flash -r', '\r\n'],
  ['.nope', '\x1b[31mUnknown command: .nope\r\n\x1b[0m'],
  ['.reset', '\r\nsoft reset\r\n'],
])('%s', async (line, printed) => {
  const board = await openKaluma();
  await board.send('\r');
  expect(await board.send(`${line}\r`)).toBe(`${line}\r\n${printed}${prompt}`);
});

test('.echo off leaves the colour reset of the prompt', async () => {
  const board = await openKaluma();
  await board.send('.echo off\r');
  expect(await board.send('1\r')).toBe('\x1b[95m1\x1b[0m\r\n\x1b[0m');
});

test('LF is a character of the line', async () => {
  const board = await openKaluma();
  await board.send('\r');
  expect(await board.send('\n.flash -s\r')).toContain('SyntaxError');
});

test('Ctrl-C in a run that ends: what it had still to say is not said', async () => {
  const board = await openKaluma();
  await board.send('\r');
  await board.send('for (let i = 0; i < 3000; i++) print("line " + i + " ");\r', 20);
  const said = await board.send('\x03', 500);
  expect(said).toMatch(/line \d+ ?[a-z]*\x1b\[31mAborted\r\n\x1b\[0m/);
  expect(said).not.toContain('line 2999');
  expect(await board.wait(5000)).toBe('');
  expect(await board.send('1+1\r')).toContain('\x1b[95m2\x1b[0m');
});

test('Ctrl-C while the board waits in delay(): the rest of the run is too short to be broken off', async () => {
  const board = await openKaluma();
  await board.send('\r');
  await board.send('delay(300); print("done")\r', 50);
  expect(await board.send('\x03', 400)).toContain('done\x1b[90mundefined');
});

test('a program waits for a new VM and the parser, as long as on the real engine', async () => {
  const statement = 'function f(a){var b=a*2;if(b>3){b=b-1}return b};';
  const timed = async (source: string): Promise<number> => {
    const board = await openKaluma({ program: `print("X");${source}` });
    let atMs = Number.NaN;
    board.port.onData((bytes) => {
      if (Buffer.from(bytes).includes('X')) atMs = board.port.clock.nowMs();
    });
    const startedMs = board.port.clock.nowMs();
    await board.port.write(Buffer.from('.load\r'));
    await board.port.clock.sleep(1000);
    await board.port.close();
    return atMs - startedMs;
  };
  const empty = await timed('');
  // Recorded: 19 ms.
  expect(empty).toBeGreaterThan(17);
  expect(empty).toBeLessThan(22);
  const [ten, twenty] = [await timed(statement.repeat(10)), await timed(statement.repeat(20))];
  expect((twenty - empty) / (ten - empty)).toBeCloseTo(2, 0);
});
