/** Flash progress: a bar redrawn in place on a terminal, a line at each quarter elsewhere. */
import type { Io } from '../command.ts';
import type { Progress } from '../flash/flasher.ts';
import { bytesText } from './units.ts';

const BAR_CELLS = 24;
const phaseWords: Record<Progress['phase'], string> = {
  connect: 'connecting',
  backup: 'saving',
  erase: 'erasing',
  upload: 'sending',
  verify: 'reading back',
  start: 'starting',
};

export function progressText({ phase, doneBytes, totalBytes, bytesPerSecond, remainingMs }: Progress): string {
  const word = phaseWords[phase].padEnd(12);
  if (totalBytes === 0) return word.trimEnd();
  const part = Math.min(1, doneBytes / totalBytes);
  const filled = Math.round(part * BAR_CELLS);
  const bar = '#'.repeat(filled) + '.'.repeat(BAR_CELLS - filled);
  const rate = bytesPerSecond > 0 ? `  ${bytesText(bytesPerSecond)}/s` : '';
  const left = remainingMs !== null && remainingMs > 0 ? `  ${(remainingMs / 1000).toFixed(1)} s left` : '';
  return `${word} [${bar}] ${bytesText(doneBytes)} of ${bytesText(totalBytes)}${rate}${left}`;
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
      const text = progressText(progress).slice(0, io.columns - 1);
      if (io.isTerminal) {
        io.err(`\r${text}\x1b[K`);
        open = true;
        return;
      }
      const quarter = progress.totalBytes === 0 ? 0 : Math.floor((progress.doneBytes / progress.totalBytes) * 4);
      const key = `${progress.phase} ${quarter}`;
      if (key !== lastKey) io.err(`${text}\n`);
      lastKey = key;
    },
    /** Ends the bar, so that the next line has a line of its own. */
    end(): void {
      if (open) io.err('\n');
      open = false;
    },
  };
}
