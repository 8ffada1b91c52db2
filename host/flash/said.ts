/** What `heapglass flash` says of each step that was done. Pure. */
import type { MemoryEstimate } from '../../firmware/toolchain/estimate.ts';
import { bytesText, countText, durationText, plural } from '../view/units.ts';
import type { Flashed, Started } from './flasher.ts';
import type { Prepared } from './prepare.ts';

/** The rate of a shorter upload says nothing. */
const leastRatedBytes = 1024;
/** Characters of what a program printed. */
const mostQuoted = 60;

export function preparedText({ code, bundle, memory }: Prepared, name: string): string {
  const heap = bundle?.usesHeap ? ` with ${bundle.policy}` : '';
  const native = bundle?.native ? ` as ${bundle.native.blobBytes} bytes of code for ${bundle.native.cpu}` : '';
  const fit = memory ? `; ${freeText(memory)} stay free` : '';
  return `bundled ${name}${heap}${native}: ${plural(code.length, 'byte')}${fit}`;
}

const freeText = ({ left, total, unit }: MemoryEstimate): string =>
  unit === 'bytes' ? `${bytesText(left)} of ${bytesText(total)}` : `${countText(left)} of ${plural(total, 'variable')}`;

export function uploadText(
  { storedBytes, attempts, resent, uploadMs, bytesPerSecond }: Flashed,
  inRam: boolean,
): string {
  const again = [attempts > 1 && `${attempts} attempts`, resent > 0 && `${plural(resent, 'packet')} sent again`].filter(
    Boolean,
  );
  const what = inRam ? 'in RAM, verified before it ran' : 'stored and verified';
  const time = durationText(uploadMs);
  // Of a few bytes, most of the time is the board's: it erases first.
  const rate = storedBytes >= leastRatedBytes && `${bytesText(bytesPerSecond)}/s`;
  return `${what}: ${plural(storedBytes, 'byte')} in ${[time, rate, ...again].filter(Boolean).join(', ')}`;
}

export function startedText({ proof, elapsedMs, error, text }: Started, hasFrames: boolean): string {
  if (error !== null) return `the program failed when it was started: ${error}`;
  if (proof === 'frame') return `running: its first telemetry frame came after ${Math.round(elapsedMs)} ms`;
  const printed = text.trim();
  const more = printed.length > mostQuoted ? ' and more' : '';
  const said = printed ? `; it printed ${JSON.stringify(printed.slice(0, mostQuoted))}${more}` : '';
  return hasFrames
    ? `running, but no telemetry came within ${Math.round(elapsedMs)} ms${said}`
    : `running: the prompt came back after ${Math.round(elapsedMs)} ms${said}`;
}
