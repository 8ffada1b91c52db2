// Espruino's variables after loading, beside what Espruino 2v29 has: an ARM build of it, run with the text in its heap
// and, by a native string, outside of it as in flash. The difference of `process.memory().usage` around the load.
import { expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { callWorld } from '../../sim/engine/call-world.ts';
import { createEngine } from '../../sim/engine/create.ts';

const board = loadBoard('puckjs');

function variablesOf(source: string, where: 'ram' | 'flash'): number {
  const engine = createEngine(
    board,
    callWorld(board, () => 0),
    {},
  );
  const before = engine.jsvars!;
  engine.run(source, 'program.js', where);
  return engine.jsvars! - before;
}

/** Methods by closure, by shorthand, by arrow; with and without variables that they keep. */
const programs = [
  ['function f(){var a=1,b=2;return {m(){return a},n:function(){return b++}, k:()=>a};}var o=f();', 24, 30],
  ['function f(){var a=1,b=2;function g(){return a}return {m(x){return a+x},g,n(y){b++}};}var o=f();', 27, 33],
  ['function f(){return {m(x){return x},n:function(y){return y}};}var o=f();', 19, 23],
] as const;

test.each(programs)('%s', (source, inFlash, inRam) => {
  expect(Math.abs(variablesOf(source, 'flash') - inFlash)).toBeLessThanOrEqual(6);
  // What a call makes is text of the outer function to the model, and a copy of its own to the engine.
  expect(Math.abs(variablesOf(source, 'ram') - inRam)).toBeLessThanOrEqual(6);
});

test('the text of functions stays in flash: each keeps a pointer of one variable', () => {
  const body = 'x'.repeat(520);
  const source = `function f(){return "${body}";}`;
  expect(variablesOf(source, 'ram') - variablesOf(source, 'flash')).toBeGreaterThan(520 / board.jsvars!.bytesEach);
});
