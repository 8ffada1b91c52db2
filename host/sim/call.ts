/** `sim --call`: prints what one call of a program costs on a board, without booting its console. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Board } from '../../boards/board.ts';
import { cannotRead, type ExitCode, exitCodes, Problem } from '../../boards/problem.ts';
import { type CallFigures, measureCall } from '../../sim/engine/call.ts';
import type { Io } from '../command.ts';

export interface CallOptions {
  isJson: boolean;
  withFlashCache: boolean;
}

export function printCall(board: Board, path: string, call: string, options: CallOptions, io: Io): ExitCode {
  const { isJson, withFlashCache } = options;
  if (withFlashCache && (board.flashMissCycles === null || board.engine !== 'kaluma'))
    throw new Problem(
      exitCodes.usage,
      `no flash cache is modelled on ${board.id}`,
      ['misses are measured for Kaluma on the RP2040 only'],
      'Leave --xip out, or choose --board kaluma-pico.',
    );
  const program = { source: readProgram(path), fileName: basename(path) };
  const figures = measureCall(board, program, call, { withFlashCache });
  io.out(isJson ? `${JSON.stringify(figures, null, 2)}\n` : textOf(figures, board, call));
  return exitCodes.done;
}

function readProgram(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw cannotRead(path, error, 'Give the path of a program.');
  }
}

function textOf({ value, cycles, instructions, load }: CallFigures, board: Board, call: string): string {
  const ms = (cycles / board.clockHz) * 1000;
  const lines = [`${call} = ${JSON.stringify(value)}`, `${cycles} cycles, ${ms.toFixed(3)} ms on ${board.id}`];
  if (instructions !== null) lines.push(`${instructions} instructions`);
  if (load.engineHeapBytes !== null) lines.push(`${load.engineHeapBytes} bytes of the engine's heap to load`);
  if (load.jsvars !== null) lines.push(`${load.jsvars} variables to load`);
  return `${lines.join('\n')}\n`;
}
