/**
 * A boot ROM of our own for rp2040js: the tables that the SDK looks up, with each function a stub that hands over to
 * the host. So nobody needs the ROM's image; who has it can bring it, and only its flash functions are replaced then.
 *
 *   0x10  'M' 'u' 1, version      0x100  function table: code, address | ... | 0
 *   0x14  function table          0x180  data table
 *   0x16  data table              0x200  stubs: BKPT #n; BX LR
 *   0x18  look-up function        0x400  pointers of the float table, 0x500 of the double table
 *
 * Reference: RP2040 datasheet 2.8.2 and 2.8.3 (contents of the ROM, its functions).
 */
import { doubleFunctions, floatFunctions } from './float-functions.ts';

export const romBytes = 16 * 1024;
/** The third ROM has all the functions that the SDK asks for (RP2040-B2). */
const romVersion = 3;

/** The functions of the table, by their two letters. Their place here is the number of their stub. */
export const romFunctionNames = [
  'P3',
  'R3',
  'L3',
  'T3',
  'MS',
  'S4',
  'MC',
  'C4',
  'UB',
  'IF',
  'EX',
  'RE',
  'RP',
  'FC',
  'CX',
] as const;
export type RomFunctionName = (typeof romFunctionNames)[number];
/** What rp2040js cannot do itself, with any ROM: its flash interface is a stub, and there is no boot loader. */
const alwaysReplaced: readonly RomFunctionName[] = ['UB', 'IF', 'EX', 'RE', 'RP', 'FC', 'CX'];

export const lookUpStub = romFunctionNames.length;
export const floatStubs = lookUpStub + 1;
export const doubleStubs = floatStubs + floatFunctions.length;
const stubCount = doubleStubs + doubleFunctions.length;

const functionTable = 0x100;
const dataTable = 0x180;
const stubs = 0x200;
const floatTable = 0x400;
const doubleTable = 0x500;
const copyright = 0x600;

const breakpoint = 0xbe00;
const branchToLink = 0x4770;
const thumb = 1;

const codeOf = (name: string): number => name.charCodeAt(0) | (name.charCodeAt(1) << 8);
const stubAddress = (stub: number): number => stubs + 4 * stub;

/** The ROM's words. */
export function buildRom(): Uint32Array {
  const view = new DataView(new ArrayBuffer(romBytes));
  view.setUint32(0, 0x2004_2000, true);
  view.setUint32(4, stubAddress(lookUpStub) | thumb, true);
  view.setUint32(0x10, 0x0001_754d | (romVersion << 24), true);
  view.setUint16(0x14, functionTable, true);
  view.setUint16(0x16, dataTable, true);
  view.setUint16(0x18, stubAddress(lookUpStub) | thumb, true);
  writeTable(
    view,
    functionTable,
    romFunctionNames.map((name, stub) => [name, stubAddress(stub) | thumb]),
  );
  writeTable(view, dataTable, [
    ['SF', floatTable],
    ['SD', doubleTable],
    ['CR', copyright],
    ['GR', copyright],
  ]);
  for (let stub = 0; stub < stubCount; stub++) writeStub(view, stubAddress(stub), stub);
  for (const [table, first, { length }] of [
    [floatTable, floatStubs, floatFunctions],
    [doubleTable, doubleStubs, doubleFunctions],
  ] as const) {
    // The SDK asserts the table's length, in words, two bytes before it.
    view.setUint8(table - 2, length);
    for (let i = 0; i < length; i++) view.setUint32(table + 4 * i, stubAddress(first + i) | thumb, true);
  }
  new Uint8Array(view.buffer).set(new TextEncoder().encode('Heapglass boot ROM\0'), copyright);
  return new Uint32Array(view.buffer);
}

/** A real ROM with stubs in place of what rp2040js lacks. Null when it is none: no magic, another length. */
export function patchRom(image: Uint8Array): Uint32Array | null {
  if (image.length !== romBytes) return null;
  const view = new DataView(image.slice().buffer);
  if ((view.getUint32(0x10, true) & 0x00ff_ffff) !== 0x0001_754d) return null;
  for (const name of alwaysReplaced) {
    const address = addressOf(view, name);
    if (address === null) return null;
    writeStub(view, address & ~thumb, romFunctionNames.indexOf(name));
  }
  return new Uint32Array(view.buffer);
}

/** What the look-up function answers: the pointer behind `code` in the table at `table`, 0 where there is none. */
export function lookUp(read16: (address: number) => number, table: number, code: number): number {
  for (let at = table; read16(at) !== 0; at += 4) if (read16(at) === code) return read16(at + 2);
  return 0;
}

function addressOf(view: DataView, name: RomFunctionName): number | null {
  const read16 = (address: number): number => (address < romBytes ? view.getUint16(address, true) : 0);
  const address = lookUp(read16, view.getUint16(0x14, true), codeOf(name));
  return address > 0 && address < romBytes ? address : null;
}

function writeTable(view: DataView, at: number, entries: readonly (readonly [string, number])[]): void {
  entries.forEach(([name, pointer], i) => {
    view.setUint16(at + 4 * i, codeOf(name), true);
    view.setUint16(at + 4 * i + 2, pointer, true);
  });
}

function writeStub(view: DataView, at: number, stub: number): void {
  view.setUint16(at, breakpoint | stub, true);
  view.setUint16(at + 2, branchToLink, true);
}
