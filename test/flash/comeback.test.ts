// A line that is lost in the middle of a flash: waited for, begun again, and told when it does not come back.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { parseArguments } from '../../host/arguments.ts';
import { command as flash } from '../../host/commands/flash.ts';
import { withComebacks } from '../../host/flash/comeback.ts';
import { listen } from '../../host/sim/listen.ts';
import { portMissing } from '../../host/transport/problems.ts';
import { createVirtualBoard } from '../../sim/board/create.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const lost = () => new Problem(exitCodes.lineLost, 'the line was lost', ['the cable'], 'Plug it in.');

/** Runs the steps one after the other; the last one for ever. */
function inTurn(...steps: (() => string)[]) {
  const told: string[] = [];
  let runs = 0;
  let released = 0;
  const options = {
    mayBeginAgain: () => true,
    release: async () => void released++,
    onLost: ({ message }: Problem) => void told.push(message),
    signal: new AbortController().signal,
    ...{ withinMs: 0, tryEveryMs: 1 },
  };
  const work = async () => steps[Math.min(runs++, steps.length - 1)]!();
  return { work, options, told, counts: () => ({ runs, released }) };
}

const fails = (problem: () => Problem) => () => {
  throw problem();
};

describe('work that loses its line', () => {
  test('begins again when the line is back', async () => {
    const { work, options, told, counts } = inTurn(fails(lost), () => 'done');
    expect(await withComebacks(work, options)).toBe('done');
    expect({ told, ...counts() }).toEqual({ told: ['the line was lost'], runs: 2, released: 1 });
  });

  test('is waited for while the port is not there, and then the loss is told with what the board holds', async () => {
    const { work, options, counts } = inTurn(
      fails(lost),
      fails(() => portMissing('/dev/ttyACM0', 'ENOENT')),
    );
    await expect(withComebacks(work, options)).rejects.toMatchObject({
      exitCode: exitCodes.lineLost,
      facts: ['the cable', 'it did not come back within 0 s: /dev/ttyACM0 is not there'],
    });
    expect(counts()).toEqual({ runs: 2, released: 1 });
  });

  test('is not begun again for ever', async () => {
    const { work, options, told } = inTurn(fails(lost));
    await expect(withComebacks(work, options)).rejects.toMatchObject({ exitCode: exitCodes.lineLost });
    expect(told.length).toBe(3);
  });

  test('is not begun again where that is not safe, nor for another problem', async () => {
    const { work, options, counts } = inTurn(fails(lost));
    await expect(withComebacks(work, { ...options, mayBeginAgain: () => false })).rejects.toThrow(/was lost/);
    expect(counts().runs).toBe(1);
    const other = inTurn(fails(() => new Problem(exitCodes.tooBig, 'too big', [], '')));
    await expect(withComebacks(other.work, other.options)).rejects.toThrow(/too big/);
  });

  test('Ctrl-C ends the wait', async () => {
    const control = new AbortController();
    const { work, options } = inTurn(fails(lost));
    const waiting = withComebacks(work, { ...options, signal: control.signal, release: async () => control.abort() });
    await expect(waiting).rejects.toMatchObject({ exitCode: exitCodes.interrupted, facts: ['the cable'] });
  });
});

const folder = mkdtempSync(join(tmpdir(), 'heapglass-comeback-'));
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

async function run(signal: AbortSignal, ...words: string[]) {
  const said = { out: '', err: '' };
  const exitCode = await flash
    .run(parseArguments(flash, words), {
      out: (text) => {
        said.out += text;
      },
      err: (text) => {
        said.err += text;
      },
      ...{ isTerminal: false, columns: 80, rows: 24, color: false, signal },
    })
    .catch((error) => {
      if (!(error instanceof Problem)) throw error;
      said.err += error.message;
      return error.exitCode;
    });
  return { exitCode, ...said };
}

const never = new AbortController().signal;
// A script is stored as it is, so that it is long on its way.
const long = file(
  'long.js',
  `${Array.from({ length: 1200 }, (_, i) => `// line ${i} of it\n"${i}";`).join('\n')}\nprint("up");\n`,
);

/** A line to `port` that breaks once, when so many bytes went to the board; a new connection works. */
async function lineThatBreaksOnce(port: number, afterBytes: number): Promise<number> {
  let leftBytes = afterBytes;
  const proxy = createServer((near) => {
    const far = createConnection({ host: '127.0.0.1', port });
    const cut = () => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on('error', cut).on('close', cut);
    far.on('data', (bytes) => near.write(bytes));
    near.on('data', (bytes) => {
      const isBreaking = leftBytes > 0 && leftBytes <= bytes.length;
      leftBytes -= bytes.length;
      if (isBreaking) cut();
      else far.write(bytes);
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  closers.push(() => proxy.close());
  return (proxy.address() as { port: number }).port;
}

test('a board that was unplugged in the middle is flashed when it is back; the backup of before is not written over', async () => {
  const board = createVirtualBoard(loadBoard('pico_r1_3'), { seed: 1 });
  const listener = await listen(board, { host: '127.0.0.1', port: 0 }, { realTime: true });
  closers.push(() => listener.close());
  const before = file('before.js', 'print("before");\n');
  await run(never, '--restore', before, '--port', `tcp://127.0.0.1:${listener.port}`);
  const backup = join(folder, 'backup.js');
  const port = await lineThatBreaksOnce(listener.port, 20_000);
  const words = ['--restore', long, '--backup', backup, '--port', `tcp://127.0.0.1:${port}`, '--json'];
  const { exitCode, out, err } = await run(never, ...words);
  expect({ exitCode, err }).toEqual({
    exitCode: exitCodes.done,
    err: expect.stringMatching(/was lost: .*; .*before is gone.*\nwaiting 15 s for it to come back\n$/),
  });
  const storedBytes = readFileSync(long).length;
  expect(JSON.parse(out)).toMatchObject({ losses: 1, upload: { isVerified: true, storedBytes } });
  expect(readFileSync(backup, 'utf8')).toBe(readFileSync(before, 'utf8'));
});

test('Ctrl-C ends the questions to a port where nothing answers', async () => {
  const silent = createServer(() => control.abort());
  const control = new AbortController();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  closers.push(() => silent.close());
  const { port } = silent.address() as { port: number };
  const { exitCode, err } = await run(control.signal, long, '--port', `tcp://127.0.0.1:${port}`);
  expect({ exitCode, err }).toEqual({ exitCode: exitCodes.interrupted, err: 'interrupted' });
});
