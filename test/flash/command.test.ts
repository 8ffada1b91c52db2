// `heapglass flash` and `heapglass ports` as people call them, with a virtual board at the other end.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { parseArguments } from '../../host/arguments.ts';
import type { Command } from '../../host/command.ts';
import { command as flash } from '../../host/commands/flash.ts';
import { command as ports } from '../../host/commands/ports.ts';
import { judgePorts } from '../../host/flash/boards.ts';
import { choosePort } from '../../host/flash/choose-port.ts';
import { listen } from '../../host/sim/listen.ts';
import { createVirtualBoard } from '../../sim/board/create.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A virtual board behind a TCP port, as fast as it can. */
async function boardOnTcp(boardId: string): Promise<string> {
  const board = createVirtualBoard(loadBoard(boardId), { seed: 1 });
  const listener = await listen(board, { host: '127.0.0.1', port: 0 }, { realTime: true });
  closers.push(() => listener.close());
  return `tcp://127.0.0.1:${listener.port}`;
}

const folder = mkdtempSync(join(tmpdir(), 'heapglass-flash-'));
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

const app = file(
  'app.js',
  `import { createHeap } from 'heapglass';
const heap = createHeap({ bytes: 2048 });
const held = [];
setInterval(() => {
  held.push(heap.malloc(24));
  if (held.length > 8) heap.free(held.shift());
}, 50);
`,
);

const hello = file('hello.js', 'print("hi");\n');

async function run(command: Command, ...words: string[]) {
  let out = '';
  let err = '';
  const io = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    ...{ isTerminal: false, columns: 80, rows: 24, color: false },
    signal: new AbortController().signal,
  };
  try {
    const exitCode = await command.run(parseArguments(command, words), io);
    return { exitCode, out, err, problem: null };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { exitCode: error.exitCode, out, err, problem: error };
  }
}

describe('flash', () => {
  test.each([
    ['kaluma-pico', 5_000],
    ['puckjs', 15_000],
  ])('--monitor on a virtual %s: one command to the first heap map', async (boardId, withinMs) => {
    const { exitCode, out } = await run(flash, app, '--board', boardId, '--dry-run', '--seconds', '2', '--json');
    const result = JSON.parse(out);
    expect(exitCode).toBe(exitCodes.done);
    expect(result).toMatchObject({
      ...{ board: boardId, upload: { isVerified: true, attempts: 1 }, started: { proof: 'frame', error: null } },
      monitor: { figures: { liveBlocks: 8 }, line: { framesLost: 0, framesBad: 0 } },
    });
    console.info(
      `${boardId}: first heap map after ${(result.monitor.firstMapMs / 1000).toFixed(1)} s of the board's time (${result.program.bytes} bytes), the command took ${(result.elapsed.wallMs / 1000).toFixed(1)} s`,
    );
    expect(result.monitor.firstMapMs).toBeLessThan(withinMs);
  });

  test('says what it does on the way, with rate and remaining time', async () => {
    const { err, exitCode } = await run(flash, app, '--port', 'sim:puckjs');
    expect(exitCode).toBe(exitCodes.done);
    expect(err).toMatch(/sim:puckjs: Espruino 2v\S+ on PUCKJS/);
    expect(err).toMatch(/KB of [\d.]+ KB {2}\d+ B\/s {2}[\d.]+ s left/);
    expect(err).toMatch(/stored and verified: [\d ]+ bytes/);
    expect(err).toMatch(/running: its first telemetry frame came after \d+ ms/);
  });

  test('a program that fails at start is exit code 1, in the words of the engine', async () => {
    const broken = file('broken.js', 'nothing.there();\n');
    const { exitCode, err } = await run(flash, broken, '--port', 'sim:kaluma-pico');
    expect(exitCode).toBe(exitCodes.failed);
    expect(err).toMatch(/the program failed when it was started: .*ReferenceError/);
  });

  test.each([
    [
      'a program that is not there',
      [join(folder, 'none.js'), '--port', 'sim:puckjs'],
      exitCodes.badInput,
      /cannot be read/,
    ],
    [
      'syntax that the engine lacks',
      [file('new.js', 'class A { #x = 1; }\nnew A();\n'), '--port', 'sim:puckjs'],
      exitCodes.unsupported,
      /new\.js:1/,
    ],
    [
      'an arena larger than the heap',
      [
        file('big.js', "import { createHeap } from 'heapglass';\ncreateHeap({ bytes: 200000 });\n"),
        '--port',
        'sim:kaluma-pico',
      ],
      exitCodes.tooBig,
      /does not fit the memory/,
    ],
    // What is wrong with a program is said before a port is looked for.
    [
      'a program that is not there, and no port',
      [join(folder, 'none.js')],
      exitCodes.badInput,
      /there is no such file/,
    ],
    ['a folder', [folder], exitCodes.badInput, /it is a folder/],
    ['an empty program', [file('empty.js', '')], exitCodes.badInput, /the program is empty/],
    ['a syntax error', [file('wrong.js', 'let x = ;\n')], exitCodes.badInput, /wrong\.js:1:9/],
    ['a backup that is not there', ['--restore', join(folder, 'none.js')], exitCodes.badInput, /there is no such file/],
    ['a backup over the program itself', [app, '--backup', app], exitCodes.usage, /write over what is flashed/],
    [
      '--ram where a Kaluma answers',
      [app, '--ram', '--port', 'sim:kaluma-pico'],
      exitCodes.usage,
      /--ram is for Espruino/,
    ],
    ['an unknown policy', [app, '--policy', 'foo'], exitCodes.usage, /there is no policy/],
    ['an unknown board', [app, '--board', 'puckjz'], exitCodes.usage, /there is no board/],
    [
      'a board of another engine',
      [app, '--board', 'puckjs', '--port', 'sim:kaluma-pico'],
      exitCodes.usage,
      /is no puckjs/,
    ],
    [
      'another board of the same engine',
      [app, '--board', 'puckjs', '--port', 'sim:pico_r1_3'],
      exitCodes.usage,
      /is no puckjs[\s\S]*those of pico_r1_3/,
    ],
    ['a port that is not there', [app, '--port', '/dev/ttyNone'], exitCodes.noBoard, /is not there/],
    ['a port by its bare name', [app, '--port', 'ttyACM0'], exitCodes.usage, /names no port/],
    ['a file as a port', [app, '--port', file('port', '')], exitCodes.noBoard, /it is a file/],
    ['a folder as a port', [app, '--port', folder], exitCodes.noBoard, /it is a folder/],
    ['a host that is not there', [app, '--port', 'tcp://nowhere.invalid:9'], exitCodes.noBoard, /no host of that name/],
    ['no program', ['--port', 'sim:puckjs'], exitCodes.usage, /needs a program/],
    ['--dry-run without a board', [app, '--dry-run'], exitCodes.usage, /needs --board/],
    ['1200 baud', [app, '--port', '/dev/ttyACM0', '--baud', '1200'], exitCodes.usage, /1200 baud/],
    ['--erase with a program', [app, '--erase'], exitCodes.usage, /takes no program/],
  ] as const)('%s', async (_, words, exitCode, message) => {
    const { problem } = await run(flash, ...words);
    expect(problem).toMatchObject({ exitCode });
    expect([problem!.message, ...problem!.facts].join('\n')).toMatch(message);
  });

  test('--restore flashes bytes as they are, --backup of an empty board writes nothing, --erase erases', async () => {
    const bytes = file('as-it-is.js', 'var a = 1;\r\n// äöü\r\n');
    const backup = join(folder, 'backup.js');
    const { exitCode, out, err } = await run(
      flash,
      '--restore',
      bytes,
      '--backup',
      backup,
      '--port',
      'sim:pico_r1_3',
      '--json',
    );
    expect(exitCode).toBe(exitCodes.done);
    expect(JSON.parse(out)).toMatchObject({ program: { bytes: readFileSync(bytes).length }, backup: { file: null } });
    expect(err).toMatch(/stores no program/);
    expect((await run(flash, '--erase', '--port', 'sim:kaluma-pico')).err).toMatch(/erased/);
  });

  test('a backup that cannot be written is refused before anything else', async () => {
    const path = join(folder, 'no', 'such', 'folder.js');
    const { problem } = await run(flash, app, '--backup', path, '--port', 'sim:pico_r1_3');
    expect(problem).toMatchObject({ exitCode: exitCodes.badInput, message: `${path} cannot be written` });
  });

  test('a backup with telemetry runs again, one without as well, and neither is waited for in vain', async () => {
    const port = await boardOnTcp('pico_r1_3');
    const backup = join(folder, 'with-telemetry.js');
    await run(flash, app, '--port', port);
    expect((await run(flash, hello, '--port', port, '--backup', backup)).exitCode).toBe(exitCodes.done);
    const restored = await run(flash, '--restore', backup, '--port', port);
    expect(restored.err).toMatch(/running: (?:its first telemetry frame|the prompt) came/);
    expect(restored.err).not.toMatch(/board: /);
    expect((await run(flash, '--restore', hello, '--port', port)).err).toMatch(/it printed "hi"/);
  });

  test('--ram with telemetry: the first frame is the proof, and the map begins with it', async () => {
    const { exitCode, out } = await run(flash, app, '--ram', '--port', 'sim:puckjs', '--seconds', '2', '--json');
    expect(exitCode).toBe(exitCodes.done);
    expect(JSON.parse(out)).toMatchObject({
      ...{ upload: { isVerified: true, attempts: 1, resent: 0 }, started: { proof: 'frame', error: null } },
      monitor: { figures: { liveBlocks: 8 }, line: { framesLost: 0, framesBad: 0 } },
    });
  });

  test('--ram verifies what is in RAM before it runs, and stores nothing', async () => {
    const { exitCode, err } = await run(
      flash,
      file('ram.js', 'var a = 6;\nprint(a * 7);\n'),
      '--ram',
      '--port',
      'sim:puckjs',
    );
    expect(exitCode).toBe(exitCodes.done);
    expect(err).toMatch(/in RAM, verified before it ran: \d+ bytes/);
  });
});

describe('--watch', () => {
  /** Runs until `until` holds after each of `steps`; what was flashed, and what was said. */
  function watchFile(name: string, content: string, ...words: string[]) {
    const source = file(name, content);
    const control = new AbortController();
    const rounds: { started: { text: string } }[] = [];
    const said = { err: '' };
    const running = flash.run(parseArguments(flash, [source, '--watch', '--json', ...words]), {
      ...{ isTerminal: false, columns: 80, rows: 24, color: false, signal: control.signal },
      out: (text) => void rounds.push(JSON.parse(String(text))),
      err: (text) => {
        said.err += text;
      },
    });
    const until = async (isDone: () => boolean) => {
      for (let tries = 0; !isDone() && tries < 600; tries++) await new Promise((done) => setTimeout(done, 20));
      expect(isDone()).toBe(true);
      // A change must have another time than what it changes.
      await new Promise((done) => setTimeout(done, 50));
    };
    const end = () => {
      control.abort();
      return running;
    };
    return { rounds, said, until, end, running };
  }
  const printed = ({ started }: { started: { text: string } }) => /one|two|three/.exec(started.text)?.[0];

  test('flashes again when a source changes, goes on after an error, and ends with Ctrl-C', async () => {
    const { rounds, said, until, end } = watchFile('watched.js', 'print("one");\n', '--port', 'sim:pico_r1_3');
    await until(() => rounds.length === 1);
    file('watched.js', 'print("two";\n');
    await until(() => /watched\.js/.test(said.err));
    file('watched.js', 'print("three");\n');
    await until(() => rounds.length === 2);
    expect(await end()).toBe(exitCodes.done);
    expect(rounds.map(printed)).toEqual(['one', 'three']);
  });

  test('flashes once, however long it takes, while nothing changes; and again when an imported file does', async () => {
    file('part.js', 'export const word = "one";\n');
    const port = await boardOnTcp('kaluma-pico');
    const { rounds, until, end } = watchFile(
      'whole.js',
      'import { word } from "./part.js";\nprint(word);\n',
      '--port',
      port,
    );
    await until(() => rounds.length === 1);
    await new Promise((done) => setTimeout(done, 700));
    expect(rounds.length).toBe(1);
    file('part.js', 'export const word = "two";\n');
    await until(() => rounds.length === 2);
    await end();
    expect(rounds.map(printed)).toEqual(['one', 'two']);
  });

  test('a line that was lost is opened again for the next change', async () => {
    const { rounds, said, until, end } = watchFile(
      'lost.js',
      'print("one");\n',
      ...['--port', 'sim:kaluma-pico', '--faults', 'unplug=2500:200'],
    );
    await until(() => /the line to sim:kaluma-pico was lost/.test(said.err));
    file('lost.js', 'print("two");\n');
    await until(() => (said.err.match(/was lost/g) ?? []).length === 2 || rounds.length > 0);
    expect(await end()).toBe(exitCodes.done);
  });

  test('a port that is not there at first ends it', async () => {
    const { running } = watchFile('none.js', 'print("one");\n', '--port', '/dev/ttyNone');
    await expect(running).rejects.toMatchObject({ exitCode: exitCodes.noBoard });
  });
});

describe('ports', () => {
  test('a named port is asked, enumerated or not', async () => {
    const { exitCode, out } = await run(ports, 'sim:kaluma-pico', '--json');
    expect(exitCode).toBe(exitCodes.done);
    expect(JSON.parse(out).ports[0]).toMatchObject({
      engine: 'kaluma',
      board: 'kaluma-pico',
      answer: 'Kaluma 1.2.1 on pico',
    });
  });

  test('a named port that is not there is exit code 4, with the reason', async () => {
    const { exitCode, out } = await run(ports, '/dev/ttyNone');
    expect(exitCode).toBe(exitCodes.noBoard);
    expect(out).toMatch(/is not there/);
  });

  test('the list runs on a machine without any', async () => {
    expect((await run(ports)).exitCode).toBe(exitCodes.done);
  });
});

describe('choosing among what is connected', () => {
  const io = { err: () => {}, isTerminal: true };
  const two = judgePorts([
    { path: '/dev/ttyACM0', vendorId: '2e8a', productId: '000a' },
    { path: '/dev/ttyACM1', vendorId: '0483', productId: '5740' },
    { path: '/dev/ttyS0' },
  ]);

  test('one is taken, several are asked about, none is a Problem', async () => {
    expect(await choosePort(two.slice(0, 1), io)).toBe('/dev/ttyACM0');
    expect(await choosePort(two, io, { ask: async () => '2' })).toBe('/dev/ttyACM1');
    await expect(choosePort(two, io, { ask: async () => '7' })).rejects.toThrow(/no board was chosen/);
    await expect(choosePort(two, { ...io, isTerminal: false })).rejects.toThrow(/more than one/);
    await expect(choosePort(two.slice(2), io)).rejects.toMatchObject({ exitCode: exitCodes.noBoard });
  });
});
