/**
 * Runs a program as it would be flashed on a virtual board and tells apart what each part of it took: for some virtual
 * seconds with its timers and interrupts, or for one call of it.
 */
import { basename } from 'node:path';
import type { Board } from '../../boards/board.ts';
import { exitCodes, Problem } from '../../boards/problem.ts';
import type { PolicyName } from '../../firmware/src/policies/index.ts';
import { type Bundle, bundle, type TelemetryLevel } from '../../firmware/toolchain/bundle.ts';
import { createVirtualBoard } from '../../sim/board/create.ts';
import { nsPerMs } from '../../sim/board/time.ts';
import { callWorld } from '../../sim/engine/call-world.ts';
import { type CallProfiledEngine, createCallProfiledEngine } from '../../sim/engine/create.ts';
import type { ExecutionProfile } from '../../sim/engine/profile.ts';
import { openBoard } from '../transport/sim.ts';

export interface ProfileRequest {
  entry: string;
  board: Board;
  policy?: PolicyName;
  telemetry: TelemetryLevel;
  /** What is called once the program is loaded; without it the program runs by itself. */
  call: string | null;
  /** Virtual time that the program runs before and while it is profiled; not for a call. */
  skipMs: number;
  forMs: number;
  signal: AbortSignal;
}

export interface ProfiledRun {
  board: Board;
  built: Bundle;
  profile: ExecutionProfile;
  /** Number of the bundle among the profile's texts. */
  programText: number;
  cyclesPerUnit: number;
  cycles: number;
  /** Virtual time that the profile covers. */
  ms: number;
  /** The program ended the engine: nothing came after. */
  isDead: boolean;
}

/** Rejects with a Problem when the program cannot be bundled or loaded, or the call fails. */
export async function profileRun(request: ProfileRequest): Promise<ProfiledRun> {
  const { entry, board, policy, telemetry } = request;
  const built = await bundle({ entry, board, telemetry, ...(policy !== undefined && { policy }) });
  const measured = request.call === null ? await runBoard(built, request) : runCall(built, request.call, request);
  const { engine, cycles, isDead } = measured;
  const profile = engine.callProfile();
  const programText = profile.texts.findIndex(({ source }) => source === built.code);
  if (programText < 0)
    throw new Problem(
      exitCodes.failed,
      `${basename(entry)} did not run on ${board.id}`,
      ['the board never started it'],
      'Run `heapglass flash --dry-run` for why.',
    );
  const ms = request.call === null ? request.forMs : (cycles / board.clockHz) * 1000;
  return { board, built, profile, programText, cyclesPerUnit: engine.cyclesPerUnit, cycles, ms, isDead };
}

interface Measured {
  engine: CallProfiledEngine;
  cycles: number;
  isDead: boolean;
}

async function runBoard(built: Bundle, { board, skipMs, forMs, signal }: ProfileRequest): Promise<Measured> {
  // A reset starts another engine: the one that runs last is the program's.
  const engines: CallProfiledEngine[] = [];
  const virtual = createVirtualBoard(board, {
    program: built.code,
    engine: (...parts) => {
      const engine = createCallProfiledEngine(...parts);
      engines.push(engine);
      return engine;
    },
  });
  const transport = openBoard(virtual);
  const end = () => void transport.close();
  signal.addEventListener('abort', end);
  await transport.clock.sleep(skipMs);
  const skipped = engines.at(-1);
  if (skipMs > 0) skipped?.resetProfile();
  const from = skipMs > 0 ? (skipped?.cycles ?? 0) : 0;
  await transport.clock.sleep(forMs);
  signal.removeEventListener('abort', end);
  await transport.close();
  const engine = engines.at(-1);
  if (engine === undefined)
    throw new Problem(
      exitCodes.failed,
      `${board.id} did not start within ${(virtual.nowNs / nsPerMs).toFixed(0)} ms`,
      ['it starts no program before'],
      'Give it more time: --seconds N.',
    );
  const isDead = virtual.firmware.isDead;
  return { engine, cycles: engine.cycles - (engine === skipped ? from : 0), isDead };
}

function runCall(built: Bundle, call: string, { board, entry }: ProfileRequest): Measured {
  const engine: CallProfiledEngine = createCallProfiledEngine(
    board,
    callWorld(board, () => engine.cycles / board.clockHz),
    { cycleBudget: longestCallCycles },
  );
  // Both engines name their global object; it cannot be handed in.
  engine.run('this.global=this', 'boot');
  need(engine.run(built.code, basename(entry)), `${basename(entry)} does not load`);
  engine.resetProfile();
  const from = engine.cycles;
  need(engine.run(call, 'call'), `${call} fails`);
  return { engine, cycles: engine.cycles - from, isDead: false };
}

/** Ends what never ends: some minutes of board time. */
const longestCallCycles = 50e9;

function need(outcome: ReturnType<CallProfiledEngine['run']>, what: string): void {
  if (outcome.kind === 'value') return;
  const facts = {
    error: () => (outcome.kind === 'error' ? `${outcome.name}: ${outcome.message}` : ''),
    outOfMemory: () => 'the engine ran out of memory or stack',
    interrupted: () => 'it did not end within 50 000 million cycles',
  };
  throw new Problem(
    exitCodes.failed,
    what,
    [facts[outcome.kind]()],
    'What the program exports can be called by its name: export function run() {} and --call "run()".',
  );
}
