// On a virtual board calibrate recovers the costs of its engine's model: what it finds at the prompt, through the clock
// of whole microseconds, is what the model charges for the same statement. What is left is the collections of garbage
// that fall into one run and not into the other: one in two thousand rounds is 61 cycles, 8.4 % of the cheapest load.
import { expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { calibrate } from '../../host/calibrate/calibrate.ts';
import { statements } from '../../host/calibrate/statements.ts';
import { openSim } from '../../host/transport/sim.ts';
import { measureCall } from '../../sim/engine/call.ts';

/** Cycles of one round of `source`, the empty loop taken off: from the model itself, without a board around it. */
function modelCycles(boardId: string, source: string): number {
  const loop = (body: string, name: string): string =>
    `function ${name}(n){var x=1,y=2,z=3,u=new Uint8Array(8),w=new Uint32Array(8),o={p:1},a=[1,2,3];function f(){}function g(p,q){}for(var i=0;i<n;i++){${body}}}`;
  const board = loadBoard(boardId);
  const cyclesOf = (body: string, rounds: number): number =>
    measureCall(board, { source: loop(body, 'r'), fileName: 'loop.js' }, `r(${rounds})`).cycles;
  const round = (body: string): number => (cyclesOf(body, 2000) - cyclesOf(body, 1000)) / 1000;
  return round(source) - round('');
}

test.each(['kaluma-pico', 'puckjs'])('%s: each statement within 9 %, all within 1 % on average', async (boardId) => {
  const port = await openSim(boardId);
  const table = await calibrate(port);
  await port.close();
  expect(table.statements.length).toBe(statements.length);
  const rows = table.statements.map(({ source, cycles }) => {
    const model = modelCycles(boardId, source);
    return { source, cycles, model, percent: Math.abs(cycles / model - 1) * 100 };
  });
  const mean = rows.reduce((sum, { percent }) => sum + percent, 0) / rows.length;
  const worst = rows.reduce((a, b) => (a.percent > b.percent ? a : b));
  console.log(`${boardId}: mean error ${mean.toFixed(2)} %, worst ${worst.percent.toFixed(2)} % (${worst.source})`);
  expect(rows.filter(({ percent }) => percent > 9)).toEqual([]);
  expect(mean).toBeLessThan(1);
});
