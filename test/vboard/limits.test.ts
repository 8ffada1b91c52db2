// Out of memory as the boards have it: it cannot be caught. Kaluma is silent and deaf until a power cycle; Espruino
// prints its lines, drops the interval, and goes on. The engine's answer is scripted: OOM() in a text stands for it.
import { expect, test } from 'vitest';
import type { EngineFactory } from '../../sim/board/machine.ts';
import { createEngine } from '../../sim/engine/create.ts';
import { openSession } from './support.ts';

const engine: EngineFactory = (board, functions, limits) => {
  let isExhausted = false;
  const OOM = () => {
    isExhausted = true;
  };
  const inner = createEngine(board, { ...functions, OOM }, limits);
  const judge = (run: () => ReturnType<typeof inner.run>): ReturnType<typeof inner.run> => {
    isExhausted = false;
    const outcome = run();
    return isExhausted ? { kind: 'outOfMemory' } : outcome;
  };
  return Object.create(inner, {
    cycles: { get: () => inner.cycles },
    jsvars: { get: () => inner.jsvars },
    heapBytes: { get: () => inner.heapBytes },
    run: { value: (source: string, name: string) => judge(() => inner.run(source, name)) },
    call: { value: (fn: unknown, args: unknown[]) => judge(() => inner.call(fn, args)) },
  });
};

test('Kaluma: no word, no answer, until a power cycle; a program that does it at boot does it each time', async () => {
  const board = await openSession('kaluma-pico', { engine });
  await board.send('\r');
  expect(await board.send('try { OOM() } catch (e) { print("caught") }\r', 1000)).toBe(
    'try { OOM() } catch (e) { print("caught") }\r\n',
  );
  expect(await board.send('\r\x03\r', 1000)).toBe('');
  expect(board.port.board.firmware.isDead).toBe(true);
  const { board: same } = board.port;
  same.powerCycle();
  await board.port.close();
  const again = await openSession('kaluma-pico', { board: same });
  expect(await again.send('1\r', 2000)).toContain('\x1b[95m1\x1b[0m');
  const booting = await openSession('kaluma-pico', { engine, program: 'OOM();' });
  expect(booting.port.board.firmware.isDead).toBe(true);
  booting.port.board.powerCycle();
  booting.port.board.advanceTo(booting.port.board.nowNs + 1e9);
  expect(booting.port.board.firmware.isDead).toBe(true);
});

test('Espruino: three lines at the prompt, and it goes on', async () => {
  const board = await openSession('pico_r1_3', { engine });
  await board.send('\n');
  expect(await board.send('OOM()\n')).toBe(
    'OOM()\r\nOUT OF MEMORY    at REPL (:1:1)\r\nOOM()\r\n^\r\nExecution Interrupted\r\n' +
      'New interpreter error: LOW_MEMORY,MEMORY\r\n>',
  );
  expect(await board.send('1+1\n')).toBe('1+1\r\n=2\r\n>');
});

test('Espruino: an interval whose callback ran out of memory is removed', async () => {
  const board = await openSession('pico_r1_3', { engine });
  await board.send('\x10var n=0;setInterval(function(){if(n++==2)OOM()},100)\n', 50);
  const said = await board.wait(1000);
  expect(said).toContain('ERROR: Ctrl-C while processing interval - removing it.\r\n');
  expect(said).toContain('Execution Interrupted during event processing.\r\n');
  expect(said).toContain('New interpreter error: CALLBACK,LOW_MEMORY,MEMORY\r\n');
  expect(await board.send('\x10print(n)\n')).toContain('3\r\n');
});

test('a UART board whose input ring is full loses characters and says so', async () => {
  const board = await openSession('microbit2', { console: 'uart', engine });
  await board.send('\x10E.delay(4000)\n', 100);
  const said = await board.send('x'.repeat(3000), 15_000);
  expect(said).toContain('New interpreter error: FIFO_FULL\r\n');
});

test('an interval that is always due keeps the board busy, and the host is still heard', async () => {
  const board = await openSession('puckjs');
  await board.send('\x10var n=0;setInterval(function(){n++},0)\n', 500);
  await board.send('\x10clearInterval();print("still here",n>10)\n', 500);
  expect(await board.wait(500)).toBe('');
  expect(await board.send('\x10print("still here",n>10)\n', 500)).toContain('still here true\r\n');
});
