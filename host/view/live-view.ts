/**
 * Shows scenes as they come: on a terminal a frame that is redrawn in place, elsewhere a line now and then.
 *
 * A terminal gets at most 20 frames a second, and fewer where it takes longer to show them: never more than half the time is
 * spent on writing. On leaving, the terminal is as it was, with the last frame's text left above the prompt.
 */
import process from 'node:process';
import type { Io } from '../command.ts';
import { drawFrame } from './frame.ts';
import type { Grid } from './grid.ts';
import { momentLine } from './lines.ts';
import { redraw, terminal } from './redraw.ts';
import type { Scene } from './scene.ts';
import { type Form, formFor } from './theme.ts';

export const FRAMES_PER_SECOND = 20;
/** Lines in a pipe: one a second of the board's time at most. */
const LINE_EVERY_MS = 1000;

export interface LiveView {
  /** Shows the scene, if it is time for one. The function is not called otherwise. */
  show(scene: () => Scene): void;
  /** Shows this scene whatever the time, and gives the terminal back. */
  finish(scene: Scene): void;
  readonly columns: number;
}

export function liveView(io: Io, keys: string, lineEveryMs = LINE_EVERY_MS): LiveView {
  const form = formFor(io.color, process.env);
  return io.isTerminal ? terminalView(io, form, keys) : lineView(io, form, lineEveryMs);
}

function terminalView(io: Io, form: Form, keys: string): LiveView {
  let previous: Grid | null = null;
  let dueAtMs = Number.NEGATIVE_INFINITY;
  io.out(terminal.enter);
  const leaveOnExit = () => io.out(terminal.leave);
  process.once('exit', leaveOnExit);
  const draw = (scene: Scene) => {
    const next = drawFrame(scene, { columns: io.columns, rows: io.rows, form, keys });
    const bytes = redraw(previous, next, form);
    previous = next;
    if (bytes !== '') io.out(bytes);
    return next;
  };
  return {
    columns: io.columns,
    show(scene) {
      const now = performance.now();
      if (now < dueAtMs) return;
      draw(scene());
      // Writing to a slow terminal waits for it: as long again goes to the board's line.
      const tookMs = performance.now() - now;
      dueAtMs = now + Math.max(1000 / FRAMES_PER_SECOND, 2 * tookMs);
    },
    finish(scene) {
      const last = draw(scene);
      process.removeListener('exit', leaveOnExit);
      io.out(`${terminal.leave}${last.lines(form).slice(0, -1).join('\n')}\n`);
    },
  };
}

function lineView(io: Io, form: Form, everyMs: number): LiveView {
  let nextAtMs = 0;
  let lastLine = '';
  const write = (scene: Scene) => {
    const line = momentLine(scene, form);
    if (line === lastLine) return;
    lastLine = line;
    io.out(`${line}\n`);
  };
  return {
    columns: 80,
    show(scene) {
      const shown = scene();
      if (shown.atMs < nextAtMs) return;
      nextAtMs = shown.atMs + everyMs;
      write(shown);
    },
    finish: write,
  };
}
