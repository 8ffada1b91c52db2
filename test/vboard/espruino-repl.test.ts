// Espruino's console as bytes: each expectation is what the firmware's source prints (docs/virtual-boards.md).
import { expect, test } from 'vitest';
import { openSession } from './support.ts';

const open = (boardId = 'pico_r1_3') => openSession(boardId);

test('a newline gives the prompt', async () => {
  const board = await open();
  expect(await board.send('\n')).toBe('\r\n>');
});

test.each([
  ['1+1', '=2\r\n'],
  ['"a\\n\\1"', '="a\\n\\1"\r\n'],
  ['null', '=null\r\n'],
  ['var a', '=undefined\r\n'],
  ['[1,"a",[2]]', '=[ 1, \r\n  "a", \r\n  [ 2 ]\r\n ]\r\n'],
  ['({a:1,"b c":"x"})', '={ a: 1, \r\n  "b c": "x"\r\n }\r\n'],
  ['new Uint8Array(8)', '=new Uint8Array(8)\r\n'],
  ['new Uint8Array([1,2])', '=new Uint8Array([1, 2])\r\n'],
  ['(function(a,b){return a})', '=function (a,b) { ... }\r\n'],
  ['throw Error("boom")', 'Uncaught Error: boom\r\n    at REPL (:1:1)\r\nthrow Error("boom")\r\n^\r\n'],
  ['print("hi",1)', 'hi 1\r\n=undefined\r\n'],
  ['require("Storage").read("none")', '=undefined\r\n'],
])('%s', async (line, printed) => {
  const board = await open();
  await board.send('\n');
  expect(await board.send(`${line}\n`)).toBe(`${line}\r\n${printed}>`);
});

test('DLE at the start of a line: no echo, no result', async () => {
  const board = await open();
  await board.send('\n');
  expect(await board.send('\x10print("hi")\n')).toBe('hi\r\n>');
  expect(await board.send('\x101+1\n')).toBe('');
});

test('ENQ on an empty line says what it is', async () => {
  const board = await open('puckjs');
  expect(await board.send('\x05')).toBe('Espruino 2v29.277 PUCKJS\r\n');
});

test('open brackets go on, ESC LF goes on, a closing bracket runs', async () => {
  const board = await open();
  await board.send('\n');
  expect(await board.send('(1+\n2)\n')).toBe('(1+\r\n:2)\r\n=3\r\n>');
  expect(await board.send('\x101\x1b\n+1;print(5)\n')).toBe('5\r\n>');
});

test('Ctrl-C clears the line, and ends a loop', async () => {
  const board = await open();
  await board.send('\n');
  expect(await board.send('abc\x03')).toBe('abc\x1b[D\x1b[D\x1b[D\r\x1b[J>');
  expect(await board.send('while(1);\n', 1000)).toBe('while(1);\r\n');
  // At the second tick of the system timer: 0.2 s each at 84 MHz.
  expect(await board.send('\x03', 190)).toBe('');
  expect(await board.wait(220)).toContain('Execution Interrupted\r\n');
});

test('Ctrl-C in a run that ends: broken off at the second tick, not hurt when it ends before', async () => {
  const board = await open();
  await board.send('\n');
  await board.send('\x10function spin(n){for(var i=0;i<n;i++);return n}\n', 500);
  const whole = await board.send('spin(20000)\n', 60_000);
  expect(whole).toContain('=20000\r\n>');
  await board.send('spin(20000)\n', 300);
  const broken = await board.send('\x03', 500);
  expect(broken).toMatch(/^\r\x1b\[JExecution Interrupted\r\n {4}at REPL |^Execution Interrupted\r\n/);
  expect(broken).not.toContain('=20000');
  expect(await board.wait(60_000)).toBe('');
  await board.send('spin(200)\n', 5);
  expect(await board.send('\x03', 600)).toContain('=200\r\n>');
});

test('an endless loop that prints is silent soon after Ctrl-C', async () => {
  const board = await open('puckjs');
  await board.send('\n');
  expect(await board.send('\x10while(1)print("again");\n', 1000)).toMatch(/(again\r\n){50}/);
  // Two ticks of 0.26 s at 9600 baud, and what the output buffer holds.
  expect((await board.send('\x03', 1000)).length).toBeLessThan(960);
  expect(await board.wait(2000)).toBe('');
  expect(await board.send('\x10print(1)\n')).toBe('1\r\n>');
});

test('text printed by a timer moves the line aside', async () => {
  const board = await open();
  await board.send('\x10setTimeout(function(){print("tick")},300)\n');
  expect(await board.send('ab', 400)).toBe('ab\x1b[D\x1b[D\r\x1b[Jtick\r\n>ab');
});

test('reset() forgets the program and prints the banner', async () => {
  const board = await open();
  await board.send('\x10var a=1;setInterval(function(){print("x")},50)\n');
  const said = await board.send('\x10reset();\n', 300);
  expect(said).toContain(
    '|____|___|  _|_| |___|_|_|_|___|\r\n         |_| espruino.com\r\n 2v29.277 (c) 2026 G.Williams\r\n',
  );
  expect(said.endsWith('\r\n>')).toBe(true);
  expect(await board.wait(300)).toBe('');
  expect(await board.send('typeof a\n')).toContain('="undefined"');
});

test('saved code runs after load() and a power cycle, .bootrst even after reset()', async () => {
  const board = await open();
  const save = (name: string, text: string) =>
    board.send(`\x10require("Storage").write(${JSON.stringify(name)},${JSON.stringify(text)},0,${text.length});\n`);
  expect(await save('.bootcde', 'print("booted")')).toBe('');
  expect(await board.send('\x10load()\n')).toContain('booted\r\n>');
  expect(await board.send('\x10reset()\n')).not.toContain('booted');
  await save('.bootrst', 'print("always")');
  expect(await board.send('\x10reset()\n')).toContain('always');
});

test('a load() that boot code itself asks for is not heard: the board comes to its prompt', async () => {
  const board = await open();
  await board.send('\x10require("Storage").write(".bootcde","print(\\"up\\");load()")\n');
  expect(await board.send('\x10load()\n')).toMatch(/^\r\x1b\[Jup\r\n>$/);
});

test('Storage says false nothing: names are cut, what does not fit throws', async () => {
  const board = await open('puckjs');
  const long = 'a-name-of-more-than-28-characters';
  await board.send(`\x10require("Storage").write("${long}","x")\n`, 400);
  const listed = await board.send('\x10print(require("Storage").list().join())\n', 400);
  expect(listed).toBe(`${long.slice(0, 28)}\r\n>`);
  expect(await board.send('\x10require("Storage").write("big","x",0,50000)\n', 400)).toContain(
    'Uncaught Error: Unable to find or create file\r\n',
  );
});

test('process.memory() and E.CRC32', async () => {
  const board = await open('puckjs');
  const said = await board.send('\x10print(E.toJS(process.memory(false).rx), E.CRC32("123456789"))\n', 500);
  expect(said).toContain('total:1024} 3421780262');
});
