// Pins: what a program reads of the outside, what it reads back of its own, and watches, as the engines' sources have them.
import { expect, test } from 'vitest';
import { loadBoard } from '../../boards/board.ts';
import { parsePins, pinNumbers } from '../../sim/board/pins.ts';
import { openSession } from './support.ts';

/** A board with the program on its flash, and what it printed until `untilMs` of virtual time. */
async function printed(boardId: string, program: string, pins: string, untilMs: number): Promise<string[]> {
  const session = await openSession(boardId, { pinChanges: parsePins(pins, loadBoard(boardId)) });
  const text = boardId.startsWith('kaluma') ? `${program}\r` : `\x10${program}\n`;
  const said = await session.send(text, untilMs);
  // Kaluma echoes the line, where the marks stand in quotes.
  return said.match(/<[^>"]*>/g) ?? [];
}

const puckjs = (program: string, pins = '', untilMs = 5000) => printed('puckjs', program, pins, untilMs);

test('names: ports in the order of their numbers, and what names one of them', () => {
  const puck = pinNumbers(loadBoard('puckjs'));
  expect([puck.get('D0'), puck.get('D31'), puck.get('LED1'), puck.get('BTN')]).toEqual([0, 31, 5, 0]);
  expect(pinNumbers(loadBoard('pico_r1_3')).get('B2')).toBe(18);
  expect(pinNumbers(loadBoard('kaluma-pico')).size).toBe(0);
});

test('every name of every board is one of its pins', () => {
  for (const id of ['puckjs', 'pixljs', 'mdbt42q', 'banglejs2', 'microbit1', 'microbit2', 'esp32', 'esp8266_board']) {
    const { pins } = loadBoard(id);
    for (const [name, pin] of Object.entries(pins!.named))
      expect(pinNumbers(loadBoard(id)).get(name), `${id} ${name} ${pin}`).toBeTypeOf('number');
  }
});

test.each([
  ['BTN1', 'says of no pin'],
  ['BTN1=2', 'says of no pin'],
  ['BTN1=1@soon', 'says of no pin'],
  ['BTN9=1', 'puckjs has no pin BTN9'],
])('--pins %s is a Problem', (spec, problem) => {
  expect(() => parsePins(spec, loadBoard('puckjs'))).toThrow(problem);
});

test('Espruino: an output is read back, several pins are bits with the last one lowest', async () => {
  const program =
    'LED1.set();digitalWrite([LED2,LED3],2);print("<"+[typeof LED1,LED1.read(),digitalRead([LED1,LED2,LED3]),LED1.toggle(),LED1.getMode()]+">")';
  expect(await puckjs(program)).toEqual(['<number,true,6,false,output>']);
});

test('Espruino: an input is what drives it, else what its pull resistor makes it', async () => {
  const program =
    'pinMode(D1,"input_pullup");pinMode(D2,"input_pulldown");print("<"+[D1.read(),D2.read(),D3.read(),analogRead(D4)]+">")';
  expect(await puckjs(program, 'D3=1,D4=0.25')).toEqual(['<true,false,true,0.25>']);
});

test('Espruino: a pin that the board does not have is an error', async () => {
  expect(await puckjs('try{digitalWrite(99,1)}catch(e){print("<"+e.message+">")}')).toEqual(['<Invalid pin>']);
});

test('Espruino: a watch of a button waits out its bouncing, and tells the times of the pin', async () => {
  const watch =
    'setWatch(function(e){print("<"+[e.state,e.time,e.lastTime,e.pin]+">")},BTN1,{repeat:true,edge:"both"})';
  const pins = 'BTN1=1@2000,BTN1=0@2005,BTN1=1@2010,BTN1=0@3000';
  expect(await puckjs(watch, pins)).toEqual(['<true,2.01,,0>', '<false,3,2.01,0>']);
});

test('Espruino: a watch without repeat is over after one call; clearWatch ends one', async () => {
  const once =
    'setWatch(function(){print("<once>")},D1);var id=setWatch(function(){print("<never>")},D1,true);clearWatch(id)';
  expect(await puckjs(once, 'D1=1@2000,D1=0@2100')).toEqual(['<once>']);
});

test('Espruino: reset() ends watches and lets pins go', async () => {
  const session = await openSession('puckjs', { pinChanges: parsePins('D1=1@3000', loadBoard('puckjs')) });
  await session.send('\x10setWatch(function(){print("<late>")},D1);LED1.set();reset()\n', 500);
  expect(await session.send('\x10print("<"+LED1.read()+">")\n', 4000)).toContain('<false>');
  expect(await session.wait(1000)).not.toContain('<late>');
});

test('Kaluma: an output toggles, a watch is given the pin, debounced', async () => {
  const program =
    'digitalWrite(25,1);digitalToggle(25);pinMode(15,INPUT_PULLUP);print("<"+[digitalRead(25),digitalRead(15)]+">");' +
    'setWatch(function(pin){print("<"+[pin,digitalRead(pin)]+">")},15,CHANGE,5)';
  const pins = '15=1,15=0@2000,15=1@2002,15=0@2500';
  expect(await printed('kaluma-pico', program, pins, 4000)).toEqual(['<0,1>', '<15,0>']);
});

test('Kaluma: a watch of one edge', async () => {
  const program = 'setWatch(function(pin){print("<"+digitalRead(pin)+">")},14,RISING)';
  expect(await printed('kaluma-pico', program, '14=1@2000,14=0@2100,14=1@2200', 4000)).toEqual(['<1>', '<1>']);
});
