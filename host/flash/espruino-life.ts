/**
 * What an Espruino board shows after a program was started: its first telemetry frame, or that it still answers, or the
 * engine's words for what went wrong. A program that fails is an answer, not an exception.
 */
import { exitCodes, Problem } from '../../boards/problem.ts';
import type { Started, StartOptions } from './flasher.ts';
import { fromLatin1, type Link, plainText, textBeforeFrames } from './link.ts';

/** How long a started board is left alone before it is asked whether it still answers, and how often. */
const probeMs = 1_000;
const probesAtMost = 4;
const alive = '<hgalive>';
/** What is kept of a program's output. */
const longestText = 2_000;

/** Waits until the program that was just started, or sent to RAM, shows that it runs. A Problem when it does not. */
export async function awaitLife(
  link: Link,
  { isFrame, needsFrame = isFrame !== undefined, timeoutMs = 8_000 }: StartOptions,
): Promise<Started> {
  const startMs = link.clock.nowMs();
  let text = '';
  let error: string | null = null;
  let quietMs = 0;
  let probes = 0;
  let endMs = startMs + timeoutMs;
  while (link.clock.nowMs() < endMs + probes * probeMs) {
    const bytes = await link.readSome(probeMs / 4);
    text = (text + fromLatin1(bytes)).slice(-longestText);
    quietMs = bytes.length === 0 ? quietMs + probeMs / 4 : 0;
    const elapsedMs = link.clock.nowMs() - startMs;
    if (error === null && startError(text) !== null) {
      // What is printed with the error follows at once.
      endMs = Math.min(endMs, link.clock.nowMs() + probeMs / 2);
      error = startError(text);
    }
    if (bytes.length > 0 && isFrame?.(bytes)) {
      return { proof: 'frame', text: textBeforeFrames(text), error, elapsedMs };
    }
    if (text.includes(alive)) return { proof: 'prompt', text: printed(text), error, elapsedMs };
    // Input that comes while the interpreter starts is lost, so the question may have to be asked again.
    const isLate = link.clock.nowMs() >= endMs;
    const isTime = quietMs >= probeMs / 2 || elapsedMs >= 2 * probeMs * (probes + 1);
    if ((isLate || (!needsFrame && isTime)) && probes < probesAtMost) {
      probes++;
      quietMs = 0;
      await link.write(`\x10print("<"+"${alive.slice(1)}")\n`);
    }
  }
  if (error !== null) {
    return { proof: 'prompt', text: printed(text), error, elapsedMs: link.clock.nowMs() - startMs };
  }
  const elapsedMs = link.clock.nowMs() - startMs;
  throw new Problem(
    exitCodes.failed,
    'the program is on the board and verified, and the board does not answer since it was started',
    [
      `nothing for ${Math.round(elapsedMs / 1000)} s`,
      ...(printed(text).trim() ? [`it printed ${JSON.stringify(printed(text).trim().slice(-80))}`] : []),
    ],
    'A loop that never ends keeps the console: flash a mended program (it is interrupted by Ctrl-C), or hold the button while resetting the board.',
  );
}

/** What a program printed, without the prompts and the question among it. */
const printed = (text: string): string => textBeforeFrames(text).replace(alive, '').replace(/^>+/gm, '');

/** The engine's own words for a program that failed, from what it printed; null when it did not. */
export function startError(text: string): string | null {
  const plain = plainText(text);
  const memory = /(?:OUT OF MEMORY|New interpreter error:|Execution Interrupted|LOW_MEMORY)[^\n]*/.exec(plain);
  return (memory ?? /Uncaught[^\n]*/.exec(plain))?.[0] ?? null;
}
