/**
 * What a watch ends with when something was wrong: the Problem whose message is the closing line and whose exit code a
 * script sees. A board that ran out of memory comes before one that fell silent, because silence is what follows.
 */
import { exitCodes, Problem } from '../../boards/problem.ts';
import { visible } from '../view/escape.ts';
import { bytesText, durationText, plural } from '../view/units.ts';
import type { BoardWatch } from './board-watch.ts';

/** A recorder tells its counters every second (firmware/src/telemetry/recorder.ts): so long without a frame is no pause. */
const SILENT_MS = 5000;

/** Null when every board was well to the end. */
export function watchVerdict(boards: readonly BoardWatch[]): Problem | null {
  return outOfMemory(boards) ?? fellSilent(boards);
}

function outOfMemory(boards: readonly BoardWatch[]): Problem | null {
  const dry = boards.filter(({ session }) => session.engineFailure !== null || failuresOf(session) > 0);
  const [first] = dry;
  if (first === undefined) return null;
  const isEngine = dry.some(({ session }) => session.engineFailure !== null);
  return new Problem(
    exitCodes.outOfMemory,
    closingLine(first),
    dry.flatMap((board) => factsOf(board, dry.length > 1 ? `${visible(board.name, 40)}: ` : '')),
    isEngine
      ? "The engine's own memory is used up, not the arena: keep fewer values, or give the arena fewer bytes."
      : 'A request that fails gives 0, and the program may go on. `monitor --record` keeps the map of that moment.',
  );
}

const failuresOf = (session: BoardWatch['session']): number => session.figures().failures;

/** `sim:puckjs ran out of memory: malloc(106) at app.js:4, the largest free block 264 B`. */
function closingLine({ port, session }: BoardWatch): string {
  const { engineFailure, lastUnmet } = session;
  if (engineFailure !== null) return `the engine on ${port} ran out of memory: ${visible(engineFailure, 80)}`;
  if (lastUnmet === null) return `${port} ran out of memory: ${plural(failuresOf(session), 'request')} failed`;
  return `${port} ran out of memory: ${requestText(lastUnmet)}`;
}

function requestText({ asked, place, largestFreeBytes, isSwept }: NonNullable<BoardWatch['session']['lastUnmet']>) {
  const swept = isSwept ? ' at its last sweep' : '';
  return `${asked}${place === null ? '' : ` at ${place}`}, the largest free block ${bytesText(largestFreeBytes)}${swept}`;
}

function factsOf({ session, silentMs }: BoardWatch, before: string): string[] {
  const { lastUnmet, engineFailure } = session;
  const { failures } = session.figures();
  const engine = session.model.engineHeap.figures();
  const facts = session.answers().filter((answer) => / requests? failed/.test(answer));
  if (facts.length === 0)
    facts.push(`${failures === 0 ? 'no request' : plural(failures, 'request')} of its heap failed`);
  if (engineFailure !== null) {
    if (lastUnmet !== null) facts.push(`the last: ${requestText(lastUnmet)}`);
    if (engine !== null) {
      const figures = `${bytesText(engine.usedBytes)} of ${bytesText(engine.totalBytes)}`;
      facts.push(`the engine had ${figures} in use when it was asked last`);
    }
  }
  if (silentMs >= SILENT_MS) facts.push(`nothing came from it for the last ${durationText(silentMs)}`);
  return facts.map((fact) => before + fact);
}

function fellSilent(boards: readonly BoardWatch[]): Problem | null {
  const silent = boards.filter(({ silentMs }) => silentMs >= SILENT_MS);
  const [first] = silent;
  if (first === undefined) return null;
  return new Problem(
    exitCodes.noBoard,
    `${first.port} fell silent: nothing came for the last ${durationText(first.silentMs)}`,
    silent.map(
      ({ name, session }) =>
        `${visible(name, 40)}: ${plural(session.decoder.statistics.frames, 'frame')} until ${durationText(session.elapsedMs)}`,
    ),
    'A Kaluma board whose engine ran out of memory stops without a word, and a loop that never ends keeps any board from telling.',
  );
}
