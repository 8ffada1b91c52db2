/** Puts a virtual board together from its data: the engine's firmware, its flash and its line. */
import type { Board } from '../../boards/board.ts';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { FlashMemory } from './flash-memory.ts';
import { KalumaFirmware } from './kaluma/firmware.ts';
import { pageBytes, programPageNs, sectorBytes } from './kaluma/program-area.ts';
import type { LineFacts } from './line.ts';
import type { EngineFactory } from './machine.ts';
import { createPlainEngine } from './plain-engine.ts';
import { nsPerMs } from './time.ts';
import { VirtualBoard, type VirtualBoardOptions } from './virtual-board.ts';

export interface CreateBoardOptions extends VirtualBoardOptions {
  engine?: EngineFactory;
}

const usbPacketBytes = 64;
const usbFifoBytes = 256;

export function createVirtualBoard(board: Board, options: CreateBoardOptions = {}): VirtualBoard {
  const engine = options.engine ?? createPlainEngine;
  if (board.engine === 'kaluma') {
    const sectors = (board.programAreaBytes ?? 0) / sectorBytes;
    const eraseSectorNs = ((board.flash.eraseProgramAreaMs ?? 0) * nsPerMs) / sectors;
    const flash = new FlashMemory(board.flashBytes ?? 0, sectorBytes, pageBytes, { eraseSectorNs, programPageNs });
    // What lies behind the program area is a formatted file system: its first byte is not 0xFF.
    flash.bytes.fill(0, 0x180000);
    return new VirtualBoard(
      { board, firmware: (machine) => new KalumaFirmware(machine), engine, flash, line: lineOf(board) },
      options,
    );
  }
  throw new Problem(exitCodes.unsupported, `${board.id} has no virtual board yet`, [], 'Choose a Kaluma board.');
}

function lineOf(board: Board): LineFacts {
  const { kind, bytesPerSecond } = board.console;
  return { kind, bytesPerSecond, unitBytes: usbPacketBytes, outputBufferBytes: usbFifoBytes };
}
