// On a virtual Puck.js, from one program: what an interpreted malloc and free cost, what the same policy costs as machine
// code through E.nativeCall, and a batch of 32 of them. Times are the board's own, from getTime().
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { packBlob, unpackBlob } from '../../firmware/toolchain/native/blob.ts';
import { compilePolicy } from '../../firmware/toolchain/native/policy.ts';
import { prepareProgram } from '../../host/flash/prepare.ts';
import { openSim } from '../../host/transport/sim.ts';
import { createVirtualBoard } from '../../sim/board/create.ts';

const folder = mkdtempSync(`${tmpdir()}/heapglass-native-`);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ROUNDS = 20;
const BATCH = 32;

function program(): string {
  const bytes = packBlob(compilePolicy('segregated', 'cortex-m4'));
  const { codeOffset, entries } = unpackBlob(bytes, 'cortex-m4');
  const entry = (name: 'init' | 'malloc' | 'free' | 'mallocMany' | 'freeMany', words: number): string =>
    `E.nativeCall(${(codeOffset + entries[name]!) | 1}, 'int(${Array(words).fill('int').join(',')})', code)`;
  return `import { createHeap } from 'heapglass';
const heap = createHeap({ bytes: 4096 });
const arena = new Uint8Array(4096);
const code = atob('${Buffer.from(bytes).toString('base64')}');
const at = E.getAddressOf(arena, true);
const init = ${entry('init', 2)}, malloc = ${entry('malloc', 2)}, free = ${entry('free', 2)};
const mallocMany = ${entry('mallocMany', 4)}, freeMany = ${entry('freeMany', 3)};
init(at, 4096);
const list = malloc(at, ${4 * BATCH});
let last = 0;
function time(name, work) {
  const from = getTime();
  for (let n = 0; n < ${ROUNDS}; n++) work();
  console.log('took', name, Math.round((getTime() - from) * 1000000000 / ${ROUNDS}));
}
setTimeout(function () {
  time('nothing', function () {});
  time('interpreted', function () { last = heap.malloc(24); heap.free(last); });
  time('native', function () { last = malloc(at, 24); free(at, last); });
  time('batch', function () { last = mallocMany(at, 24, ${BATCH}, list); freeMany(at, ${BATCH}, list); });
  console.log('last', last);
}, 100);
`;
}

test('a native pair, a native batch and an interpreted pair, side by side', async () => {
  writeFileSync(`${folder}/pairs.js`, program());
  const board = loadBoard('puckjs');
  const { code } = await prepareProgram(`${folder}/pairs.js`, board, { policy: 'segregated', telemetry: 'off' });
  const port = await openSim(board.id, {
    board: createVirtualBoard(board, { program: new TextDecoder().decode(code), seed: 1 }),
  });
  let came = '';
  port.onData((bytes) => {
    came += Buffer.from(bytes).toString('latin1');
  });
  await port.clock.sleep(20_000);
  await port.close();
  expect(came).toContain(`last ${BATCH}`);
  const cycles = (name: string): number => {
    const nanoseconds = Number(new RegExp(`took ${name} (\\d+)`).exec(came)![1]);
    return (nanoseconds * board.clockHz) / 1e9;
  };
  const [interpreted, native, batch] = ['interpreted', 'native', 'batch'].map(
    (name) => cycles(name) - cycles('nothing'),
  );
  const pair = batch! / BATCH;
  console.info(
    `segregated on a virtual Puck.js, cycles a malloc and free: interpreted ${interpreted!.toFixed(0)}, native ${native!.toFixed(0)}, in a native batch of ${BATCH} ${pair.toFixed(0)} (the batch ${batch!.toFixed(0)})`,
  );
  expect(native).toBeLessThan(interpreted! / 4);
  expect(pair).toBeLessThan(native! / 8);
}, 60_000);
