/** Makes the engine of a virtual board: source text in, an outcome and a cycle count out. */
import type { Board } from '../../boards/board.ts';
import { espruinoCosts, jerryscriptCosts } from './costs.ts';
import type { Engine, EngineOptions } from './engine.ts';
import { espruinoModel } from './espruino/model.ts';
import { jerryscriptModel } from './jerryscript/model.ts';
import type { CostModel } from './model.ts';
import { type CallProfiledEngine, ModelEngine, type ProfiledEngine } from './model-engine.ts';
import type { HostFunctions } from './sandbox.ts';

export type { CallProfiledEngine, ProfiledEngine } from './model-engine.ts';

export function createEngine(board: Board, functions: HostFunctions = {}, options: EngineOptions = {}): Engine {
  return new ModelEngine(board, modelOf(board, options.withFlashCache), functions, options, 'nothing');
}

/** An engine that also counts features apart: for fitting prices. */
export function createProfiledEngine(board: Board): ProfiledEngine {
  return new ModelEngine(board, modelOf(board), {}, {}, 'features');
}

/** An engine that also tells apart what each place of its programs and each call takes (profile.ts). */
export function createCallProfiledEngine(
  board: Board,
  functions: HostFunctions = {},
  options: EngineOptions = {},
): CallProfiledEngine {
  return new ModelEngine(board, modelOf(board, options.withFlashCache), functions, options, 'calls');
}

/** `withFlashCache`: what misses of the RP2040's flash cache cost is in the prices. */
function modelOf(board: Board, withFlashCache = false): CostModel {
  if (board.engine === 'espruino') return espruinoModel(espruinoCosts.prices);
  const { prices, flashMisses, allocations } = jerryscriptCosts;
  const missCycles = withFlashCache ? (board.flashMissCycles ?? 0) : 0;
  const names = Object.keys({ ...prices, ...flashMisses });
  const all = names.map((name) => [name, (prices[name] ?? 0) + missCycles * (flashMisses[name] ?? 0)]);
  return jerryscriptModel(Object.fromEntries(all), allocations);
}
