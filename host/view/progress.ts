/** Flash progress: a bar redrawn in place on a terminal, a line at each quarter elsewhere. */
import type { Io } from '../command.ts';
import type { Progress } from '../flash/flasher.ts';
import { bytesText } from './units.ts';

/** A bar is as long as the line leaves room for, and is left out where it would say nothing. */
const mostBarCells = 24;
const leastBarCells = 8;
const phaseWords: Record<Progress['phase'], string> = {
  connect: 'connecting',
  backup: 'saving',
  erase: 'erasing',
  upload: 'sending',
  verify: 'reading back',
  start: 'starting',
};

/** One line of at most `columns`; the bar gives way to the figures. */
export function progressText(progress: Progress, columns = Number.POSITIVE_INFINITY): string {
  const { phase, doneBytes, totalBytes, bytesPerSecond, remainingMs } = progress;
  const word = phaseWords[phase].padEnd(12);
  if (totalBytes === 0) return word.trimEnd();
  const part = Math.min(1, doneBytes / totalBytes);
  const rate = bytesPerSecond > 0 ? `  ${bytesText(bytesPerSecond)}/s` : '';
  const left = remainingMs !== null && remainingMs > 0 ? `  ${(remainingMs / 1000).toFixed(1)} s left` : '';
  const figures = `${bytesText(doneBytes)} of ${bytesText(totalBytes)}${rate}${left}`;
  const cells = Math.min(mostBarCells, columns - word.length - figures.length - ' [] '.length);
  if (cells < leastBarCells) return `${word} ${figures}`.slice(0, columns);
  const filled = Math.round(part * cells);
  return `${word} [${'#'.repeat(filled)}${'.'.repeat(cells - filled)}] ${figures}`;
}

export function progressLine(io: Pick<Io, 'err' | 'isTerminal' | 'columns'>) {
  let open = false;
  let lastKey = '';
  return {
    show(progress: Progress): void {
      if (progress.note !== null) {
        this.end();
        io.err(`${progress.note}\n`);
      }
      if (io.isTerminal) {
        // The last column is left free: a terminal would begin a new line.
        io.err(`\r${progressText(progress, io.columns - 1)}\x1b[K`);
        open = true;
        return;
      }
      const quarter = progress.totalBytes === 0 ? 0 : Math.floor((progress.doneBytes / progress.totalBytes) * 4);
      const key = `${progress.phase} ${quarter}`;
      if (key !== lastKey) io.err(`${progressText(progress)}\n`);
      lastKey = key;
    },
    /** Ends the bar, so that the next line has a line of its own. */
    end(): void {
      if (open) io.err('\n');
      open = false;
    },
  };
}
