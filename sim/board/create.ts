/** Puts a virtual board together from its data: the engine's firmware, its flash and its line. */
import type { Board } from '../../boards/board.ts';
import { nativeFunction, UNPRICED_CALL_INSTRUCTIONS } from '../cortex-m/native-call.ts';
import { espruinoCyclesPerInstruction } from '../engine/costs.ts';
import { createEngine } from '../engine/create.ts';
import { EspruinoFirmware } from './espruino/firmware.ts';
import type { NativeCall } from './espruino/globals.ts';
import { FlashMemory } from './flash-memory.ts';
import { KalumaFirmware } from './kaluma/firmware.ts';
import { pageBytes, programPageNs, sectorBytes } from './kaluma/program-area.ts';
import type { LineFacts } from './line.ts';
import type { EngineFactory } from './machine.ts';
import { preload } from './preload.ts';
import { nsPerMs, nsPerUs } from './time.ts';
import { VirtualBoard, type VirtualBoardOptions } from './virtual-board.ts';

export interface CreateBoardOptions extends VirtualBoardOptions {
  engine?: EngineFactory;
  /** Runs machine code for E.nativeCall; the counting core if not given. */
  nativeCall?: NativeCall;
  /** A program that is on the flash when the board is first powered up. */
  program?: string;
  /** Another line than the board's default console, for boards that have several. */
  console?: LineFacts['kind'];
}

/** What the wire carries at once: a character, a full-speed bulk packet, a notification at the default ATT MTU of 23. */
const unitBytes: Record<LineFacts['kind'], number> = { uart: 1, usb: 64, ble: 20 };
const defaultBaud = 9600;
const bitsPerCharacter = 10;
/** Models: a full-speed packet each 1 ms frame; a notification each connection interval of 7.5 ms. */
const modelRates = { usb: 64_000, ble: 2667 } as const;
/** raspberrypi/pico-sdk@95ea6aca src/rp2_common/pico_stdio_usb/include/tusb_config.h CFG_TUD_CDC_TX_BUFSIZE. */
const usbFifoBytes = 256;
/** Nordic nRF52832 product specification, NVMC: 41 us a word of 4 bytes. A block of 256 bytes is one operation here. */
const espruinoProgramBytes = 256;
const espruinoProgramNs = (espruinoProgramBytes / 4) * 41 * nsPerUs;
/** Where a board's data names no time: the nRF52's. */
const defaultErasePageMs = 90;

export function createVirtualBoard(facts: Board, options: CreateBoardOptions = {}): VirtualBoard {
  const board = options.console ? withConsole(facts, options.console) : facts;
  const engine = options.engine ?? createEngine;
  if (board.engine === 'kaluma') {
    const sectors = (board.programAreaBytes ?? 0) / sectorBytes;
    const eraseSectorNs = ((board.flash.eraseProgramAreaMs ?? 0) * nsPerMs) / sectors;
    const flash = new FlashMemory(board.flashBytes ?? 0, sectorBytes, pageBytes, { eraseSectorNs, programPageNs });
    // What lies behind the program area is a formatted file system: its first byte is not 0xFF.
    flash.bytes.fill(0, 0x180000);
    if (options.program !== undefined) preload(board, flash, options.program);
    return new VirtualBoard(
      { board, firmware: (machine) => new KalumaFirmware(machine), engine, flash, line: lineOf(board) },
      options,
    );
  }
  const erasePageBytes = board.savedCode?.pageBytes ?? 4;
  const flash = new FlashMemory((board.savedCode?.pages ?? 0) * erasePageBytes, erasePageBytes, espruinoProgramBytes, {
    eraseSectorNs: (board.flash.erasePageMs ?? defaultErasePageMs) * nsPerMs,
    programPageNs: espruinoProgramNs,
  });
  if (options.program !== undefined) preload(board, flash, options.program);
  return new VirtualBoard(
    {
      board,
      firmware: (machine) => new EspruinoFirmware(machine, options.nativeCall ?? runNative),
      engine,
      flash,
      line: lineOf(board),
    },
    options,
  );
}

/** E.nativeCall on the counting core, its cycles spent as the board's. */
const runNative: NativeCall = (machine, address, signature, code, buffers) => {
  const { cpu, clockHz } = machine.board;
  const callCycles = UNPRICED_CALL_INSTRUCTIONS * espruinoCyclesPerInstruction(machine.board);
  const spendCycles = (cycles: number): void => machine.spend(((cycles + callCycles) / clockHz) * 1e9);
  return nativeFunction({ cpu, spendCycles }, address, signature, code, buffers);
};

/** The board's default console as a line. */
export function lineOf(board: Board): LineFacts {
  const { kind, bytesPerSecond, outputBufferBytes } = board.console;
  return { kind, bytesPerSecond, unitBytes: unitBytes[kind], outputBufferBytes: outputBufferBytes ?? usbFifoBytes };
}

/** The board with its console on another line. */
function withConsole(board: Board, kind: LineFacts['kind']): Board {
  if (kind === board.console.kind) return board;
  const bytesPerSecond = kind === 'uart' ? (board.console.baud ?? defaultBaud) / bitsPerCharacter : modelRates[kind];
  return { ...board, console: { ...board.console, kind, bytesPerSecond } };
}
