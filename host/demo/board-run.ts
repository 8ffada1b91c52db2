/**
 * A trace on a virtual board, through everything that a real board would need: the bundle, the board's own flash
 * protocol, its paced line, the wire format, the decoder and the model. `demo` and `replay --board` show it.
 */
import { exitCodes, Problem } from '../../boards/problem.ts';
import type { Bundle } from '../../firmware/toolchain/bundle.ts';
import type { Flashed, Progress } from '../flash/flasher.ts';
import { openFlasher } from '../flash/open.ts';
import { Session } from '../monitor/session.ts';
import { openTransport } from '../transport/open.ts';
import type { Scene } from '../view/scene.ts';
import { plural } from '../view/units.ts';
import type { ReplayPlan } from './plan.ts';
import { type BoardReport, bundlePlan, cyclesPerCall, parseBoardReport } from './program.ts';

export interface BoardRunEvents {
  onStep?(text: string): void;
  onProgress?(progress: Progress): void;
  /** Called every `stepMs` of the board's time; the board stands still until it resolves. */
  onMoment?(session: Session): Promise<void> | void;
  signal?: AbortSignal;
}

export interface BoardRun {
  plan: ReplayPlan;
  bundle: Bundle;
  flashed: Flashed;
  session: Session;
  report: BoardReport;
  /** Mean core clocks of a call as the program on the board measured them, recording included. */
  cycles: { malloc: number; free: number };
  /** Board time from power-up to the end. */
  boardSeconds: number;
  wallSeconds: number;
  /** The host's figures are those that the board counted itself. */
  agrees: boolean;
  scene: Scene;
}

/** Moments are this far apart on the board's clock: 20 frames a second. */
const STEP_MS = 50;
/** What the board still has to say after its program is done. */
const SETTLE_MS = 3000;
/** A run takes its pace times this and no longer, before it is called stuck. */
const PATIENCE = 6;
const LEAST_PATIENCE_MS = 60_000;

/** Runs the plan on a new virtual board. Rejects with a Problem when the board, the line or the program fails. */
export async function runOnBoard(plan: ReplayPlan, seed: number, events: BoardRunEvents = {}): Promise<BoardRun> {
  const startedMs = performance.now();
  const built = await bundlePlan(plan);
  events.onStep?.(`bundled ${plan.trace.name} with ${plan.policy}: ${plural(built.bytes, 'byte')}`);

  const transport = await openTransport(`sim:${plan.board.id}`, { seed });
  try {
    const { flasher, release } = await openFlasher(transport, { board: plan.board });
    const { engine, version, board } = flasher.identity;
    events.onStep?.(`${transport.name}: ${engine} ${version} on ${board || plan.board.id} answers`);
    const flashed = await flasher.upload(new TextEncoder().encode(built.code), {
      onProgress: (progress) => events.onProgress?.(progress),
      ...(events.signal && { signal: events.signal }),
    });
    events.onStep?.(
      `stored and verified ${plural(flashed.storedBytes, 'byte')} in ${(flashed.uploadMs / 1000).toFixed(1)} s of the board's time`,
    );

    const printed: string[] = [];
    let report: BoardReport | null = null;
    const sites = new Map(built.sites.map(({ site, file, line }) => [site, `${file}:${line}`]));
    const session = new Session({
      source: transport.name,
      program: plan.trace.name,
      siteName: (site) => sites.get(site),
      onText: (line) => {
        report ??= parseBoardReport(line);
        if (printed.push(line) > 20) printed.shift();
      },
    });
    let lostBecause: string | null = null;
    const started = await flasher.start({
      isFrame: (bytes) => {
        session.push(bytes);
        return session.decoder.statistics.frames > 0;
      },
    });
    session.push(release());
    transport.onData((bytes) => session.push(bytes));
    transport.onClose((reason) => {
      lostBecause = reason;
    });
    if (started.error !== null) throw stopped(plan, null, [started.error], session);
    events.onStep?.(
      `started: ${started.proof === 'frame' ? 'its first frame came after' : 'the prompt came back after'} ${Math.round(started.elapsedMs)} ms`,
    );

    const ticks = plan.trace.kinds.length / plan.opsPerTick;
    const endMs = transport.clock.nowMs() + Math.max(LEAST_PATIENCE_MS, ticks * plan.tickMs * PATIENCE);
    let settledMs = Number.POSITIVE_INFINITY;
    while (transport.clock.nowMs() < settledMs) {
      await transport.clock.sleep(STEP_MS);
      await events.onMoment?.(session);
      if (events.signal?.aborted) throw new Problem(exitCodes.interrupted, 'interrupted', [], 'Run the command again.');
      if (lostBecause !== null || transport.clock.nowMs() > endMs) throw stopped(plan, lostBecause, printed, session);
      if (report !== null && settledMs === Number.POSITIVE_INFINITY) settledMs = transport.clock.nowMs() + SETTLE_MS;
    }
    const done = report as BoardReport | null;
    if (done === null) throw stopped(plan, null, printed, session);
    const metrics = session.model.metrics();
    return {
      plan,
      bundle: built,
      flashed,
      session,
      report: done,
      cycles: cyclesPerCall(done, plan.board.clockHz),
      boardSeconds: transport.clock.nowMs() / 1000,
      wallSeconds: (performance.now() - startedMs) / 1000,
      agrees:
        metrics.exact &&
        metrics.liveBytes === done.live &&
        metrics.liveBlocks === done.blocks &&
        metrics.largestFreeBytes === done.largest,
      scene: session.scene('ended'),
    };
  } finally {
    await transport.close();
  }
}

function stopped(plan: ReplayPlan, lostBecause: string | null, printed: readonly string[], session: Session): Problem {
  const { model, decoder } = session;
  return new Problem(
    lostBecause === null ? exitCodes.failed : exitCodes.lineLost,
    lostBecause === null
      ? `the program on ${plan.board.id} did not come to its end`
      : `the line to ${plan.board.id} was lost: ${lostBecause}`,
    [
      `${plural(model.operations, 'operation')} of ${plural(plan.trace.kinds.length, 'operation')} were heard, in ${plural(decoder.statistics.frames, 'frame')}`,
      ...printed.slice(-4).map((line) => `the board said: ${line}`),
    ],
    'Out of memory ends an engine without a word: try a smaller --arena, or a larger board.',
  );
}
