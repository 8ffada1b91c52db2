/**
 * Flashing Kaluma boards: `.flash -w` and YMODEM, `.flash -s` and `-r` to verify, `.load` to start.
 *
 * The board stores the source as it is. `-r` prints each LF as CR LF and one CR LF at the end; taking exactly one CR
 * away before each LF gives the stored bytes back, so the comparison is byte-exact, CRLF sources included.
 * The previous program is gone once the header was taken: the board erases its program area first.
 * References: kaluma src/repl.c, src/ymodem.c; docs/flashing.md, "Kaluma".
 */
import { exitCodes, Problem } from '../../boards/problem.ts';
import {
  checkProgram,
  type Flashed,
  type Flasher,
  type FlashOptions,
  type Identity,
  phaseProgress,
  type Started,
  type StartOptions,
  sameBytes,
  startedFacts,
  throwIfAborted,
} from './flasher.ts';
import { command, commandMs, gp22, promptEnd, promptStart, reachPrompt } from './kaluma-console.ts';
import { fromLatin1, type Link, latin1, plainText, textBeforeFrames } from './link.ts';
import { cancelYmodem, lastWords, sendYmodem, TransferBroken } from './ymodem.ts';

/** The program area less the NUL that ends the text (kaluma src/prog.c). */
export const programAreaBytes = 512 * 1024 - 1;
const defaultAttempts = 4;
/** USB carries tens of kilobytes a second: this long without a byte is the end of an answer, or of the line. */
const silenceMs = 3_000;
const verifyReads = 3;
/** What is kept of a program's output. */
const longestText = 4_000;

export class KalumaFlasher implements Flasher {
  readonly identity: Identity;
  readonly #link: Link;
  readonly #capacityBytes: number;

  constructor(link: Link, identity: Identity, capacityBytes: number = programAreaBytes) {
    this.#link = link;
    this.identity = identity;
    this.#capacityBytes = capacityBytes;
  }

  async read(options: FlashOptions = {}): Promise<Uint8Array> {
    await reachPrompt(this.#link);
    const sizeBytes = await this.#storedBytes();
    if (sizeBytes === 0) return new Uint8Array(0);
    let last: Uint8Array | null = null;
    // Nothing tells a damaged byte from a stored one: two readings must agree.
    for (let reads = 0; reads < verifyReads + 1; reads++) {
      throwIfAborted(options.signal);
      const progress = phaseProgress('backup', sizeBytes, () => this.#link.clock.nowMs(), options.onProgress);
      const text = await this.#readStored(sizeBytes, progress);
      if (text && last && sameBytes(text, last)) return text;
      last = text;
    }
    throw new Problem(
      exitCodes.notVerified,
      'the program on the board cannot be read reliably',
      [`${verifyReads + 1} readings of ${sizeBytes} bytes did not agree`],
      'Use another cable or port.',
    );
  }

  async upload(program: Uint8Array, options: FlashOptions = {}): Promise<Flashed> {
    checkProgram(program, this.#capacityBytes, 'the program area of the board');
    const attempts = options.attempts ?? defaultAttempts;
    const reasons: string[] = [];
    let isErased = false;
    let resent = 0;
    for (let attempt = 1; attempt <= attempts; attempt++) {
      throwIfAborted(options.signal, [previousProgram(isErased)]);
      try {
        await reachPrompt(this.#link);
        const startMs = this.#link.clock.nowMs();
        const sent = await this.#transfer(program, options, () => {
          isErased = true;
        });
        const uploadMs = this.#link.clock.nowMs() - startMs;
        resent += sent.resent;
        await this.#verify(program, options);
        const bytesPerSecond = (program.length * 1000) / Math.max(1, uploadMs);
        return { storedBytes: program.length, attempts: attempt, resent, uploadMs, bytesPerSecond, isVerified: true };
      } catch (error) {
        if (!(error instanceof TransferBroken)) {
          // Interrupted in the middle: the board is not left waiting for packets.
          if (error instanceof Problem && error.exitCode === exitCodes.interrupted) await cancelYmodem(this.#link);
          throw withState(error, isErased);
        }
        reasons.push(`attempt ${attempt}: ${error.message}`);
        options.onProgress?.({
          ...{ phase: 'upload', doneBytes: 0, totalBytes: program.length, bytesPerSecond: 0, remainingMs: null },
          note: `${error.message}; starting over`,
        });
        await cancelYmodem(this.#link);
      }
    }
    throw new Problem(
      exitCodes.notVerified,
      `the program could not be stored in ${attempts} attempts`,
      [...reasons, previousProgram(isErased)],
      'The line damages or loses bytes: use another cable, port or hub, and flash again.',
    );
  }

  async erase(): Promise<void> {
    await reachPrompt(this.#link);
    const answer = await command(this.#link, '.flash -e', 20_000);
    if (!answer?.includes('Flash has erased') || (await this.#storedBytes()) !== 0) {
      throw new Problem(
        exitCodes.notVerified,
        'the program area was not erased',
        [plainText(answer ?? 'no answer').trim()],
        'Try it again, with another cable or port if it stays.',
      );
    }
  }

  async start(options: StartOptions = {}): Promise<Started> {
    if (options.signal) this.#link.interruption = { signal: options.signal, facts: startedFacts };
    return this.#start(options).finally(() => {
      this.#link.interruption = null;
    });
  }

  async #start({ isFrame, needsFrame = isFrame !== undefined, timeoutMs = 8_000 }: StartOptions): Promise<Started> {
    const startMs = this.#link.clock.nowMs();
    // One sum for waiting and for being late: differences of fractions may fall short of the limit without an end.
    const endMs = startMs + timeoutMs;
    this.#link.takeAll();
    await this.#link.write('.load\r');
    let text = '';
    let error: string | null = null;
    let isPrompted = false;
    try {
      // The echo of the command is not the program's. It may end only when the program was parsed.
      const echo = await this.#link.readUntil((all) => (/[\n\0]/.test(all) ? true : null), commandMs);
      let bytes = latin1(echo.text.replace(/^\.load\r?\n/, ''));
      for (; ; bytes = await this.#link.readSomeUntil(endMs)) {
        text = (text + fromLatin1(bytes)).slice(-longestText);
        const elapsedMs = this.#link.clock.nowMs() - startMs;
        error ??= /\x1b\[31m([^\x1b]*)/.exec(text)?.[1]?.trim() ?? null;
        if (bytes.length > 0 && isFrame?.(bytes)) {
          return { proof: 'frame', text: textBeforeFrames(text), error, elapsedMs };
        }
        isPrompted ||= text.includes(promptEnd);
        const isLate = this.#link.clock.nowMs() >= endMs;
        if (isPrompted && (!needsFrame || error !== null || isLate)) {
          // An error is printed before the prompt; what a program prints later is its own affair.
          return { proof: 'prompt', text: printed(text), error, elapsedMs };
        }
        if (isLate) break;
      }
      await this.#link.write('\r');
      const late = await this.#link.readUntil((answer) => (answer.includes(promptEnd) ? true : null), commandMs);
      if (late.value) {
        const elapsedMs = this.#link.clock.nowMs() - startMs;
        return { proof: 'prompt', text: printed(text + late.text), error: null, elapsedMs };
      }
      // A loop lets go at Ctrl-C, an engine that is dead does not.
      await this.#link.write('\x03');
      const freed = await this.#link.readUntil((answer) => (answer.includes(promptEnd) ? true : null), commandMs);
      if (freed.value) throw keepsBusy(timeoutMs + commandMs);
    } catch (error) {
      if (!(error instanceof Problem) || error.exitCode !== exitCodes.lineLost) throw error;
      throw this.#died(['the port went away', ...error.facts]);
    }
    throw this.#died([`no answer for ${(timeoutMs + commandMs) / 1000} s, not even to Ctrl-C`]);
  }

  #died(facts: string[]): Problem {
    return new Problem(
      exitCodes.failed,
      'the program is stored and verified, and the board died when it was started',
      [...facts, 'running out of memory ends the engine without a word; so does too deep a recursion'],
      `Power-cycle the board. ${gp22}`,
    );
  }

  async #transfer(program: Uint8Array, options: FlashOptions, onErase: () => void): Promise<{ resent: number }> {
    const link = this.#link;
    link.takeAll();
    await link.write('.flash -w\r');
    const { value } = await link.readUntil((text) => (/YMODEM[^\n]*\n/.test(text) ? true : null), commandMs);
    if (value === null) throw new TransferBroken('the board did not take `.flash -w`');
    const nowMs = () => link.clock.nowMs();
    let progress = phaseProgress('erase', 0, nowMs, options.onProgress);
    let isErasing = true;
    const sent = await sendYmodem(
      link,
      'app.js',
      program,
      (doneBytes, erases) => {
        if (isErasing && !erases) progress = phaseProgress('upload', program.length, nowMs, options.onProgress);
        isErasing = erases;
        if (erases) onErase();
        progress(doneBytes);
      },
      options.signal,
    );
    const saysEnd = (text: string) => lastWords.exec(sent.tail + text)?.[1] ?? null;
    const end = await link.readUntil(saysEnd, saysEnd('') === null ? commandMs : 0);
    const said = end.value ?? saysEnd('');
    // A "Done" that was damaged on the way is no failure: what the board holds is asked next.
    if (said !== null && said !== 'Done') throw new TransferBroken(`the board said "${said}"`);
    return sent;
  }

  async #verify(program: Uint8Array, options: FlashOptions): Promise<void> {
    await reachPrompt(this.#link);
    const storedBytes = await this.#storedBytes();
    if (storedBytes !== program.length) {
      throw new TransferBroken(`the board holds ${storedBytes} bytes, ${program.length} were sent`);
    }
    const progress = phaseProgress('verify', program.length, () => this.#link.clock.nowMs(), options.onProgress);
    const differences: number[] = [];
    for (let reads = 0; reads < verifyReads; reads++) {
      throwIfAborted(options.signal, ['the program is stored, not verified']);
      const stored = await this.#readStored(program.length, progress);
      if (stored && sameBytes(stored, program)) return;
      if (stored) differences.push(program.findIndex((byte, at) => byte !== stored[at]));
    }
    const isStored = differences.length === verifyReads && new Set(differences).size === 1;
    throw new TransferBroken(
      isStored
        ? `byte ${differences[0]} of what the board holds is not what was sent`
        : `${verifyReads} readings of what the board holds were damaged on the way, each in another place`,
    );
  }

  /** The length that the board gives for its program. Asked until two answers agree: a digit may be damaged. */
  async #storedBytes(): Promise<number> {
    const seen = new Set<number>();
    for (let tries = 0; tries < 6; tries++) {
      const answer = await command(this.#link, '.flash -s', commandMs);
      const digits = /(?:^|\n)(\d+)\n/.exec(plainText(answer ?? ''))?.[1];
      if (digits === undefined) {
        await reachPrompt(this.#link);
        continue;
      }
      if (seen.has(Number(digits))) return Number(digits);
      seen.add(Number(digits));
    }
    throw new TransferBroken('the board gave no length for what it holds');
  }

  /** `.flash -r`: the stored bytes, or null when what came has not the form it must have. */
  async #readStored(sizeBytes: number, progress: (doneBytes: number) => void): Promise<Uint8Array | null> {
    const link = this.#link;
    link.takeAll();
    await link.write('.flash -r\r');
    const echo = await link.readUntil((text) => {
      const end = text.indexOf('.flash -r\r\n');
      return end < 0 ? null : text.slice(end + '.flash -r\r\n'.length);
    }, commandMs);
    const stored = new Uint8Array(sizeBytes);
    let count = 0;
    let isAfterCr = false;
    const take = (bytes: ArrayLike<number>) => {
      for (let at = 0; at < bytes.length && count < sizeBytes; at++) {
        const byte = bytes[at]!;
        // A CR is held back until the next byte shows whether it was inserted before an LF.
        if (isAfterCr && byte !== 10) stored[count++] = 13;
        isAfterCr = byte === 13;
        if (!isAfterCr && count < sizeBytes) stored[count++] = byte;
      }
    };
    if (echo.value !== null) {
      take(latin1Codes(echo.value));
      while (count < sizeBytes) {
        const bytes = await link.readSome(silenceMs);
        if (bytes.length === 0) break;
        take(bytes);
        progress(count);
      }
    }
    // The closing CR LF and the prompt; an answer that is longer than it may be is none either.
    const rest = await link.takeUntilQuiet(20, 1_000);
    return count === sizeBytes && rest.length < 64 ? stored : null;
  }
}

function keepsBusy(silentMs: number): Problem {
  return new Problem(
    exitCodes.failed,
    'the program is stored and verified, and it keeps the board busy since it was started',
    [`no answer for ${silentMs / 1000} s, and the prompt came back with Ctrl-C: a loop that never ends`],
    'The program was interrupted and runs again at the next boot. Let it come to its end (setTimeout and setInterval go on from there), and flash it again.',
  );
}

/** What a program printed, without the prompt among it. */
const printed = (text: string): string => textBeforeFrames(text.replaceAll(promptStart, ''));

const latin1Codes = (text: string): number[] => Array.from(text, (character) => character.charCodeAt(0));

const previousProgram = (isErased: boolean): string =>
  isErased
    ? 'the program that the board held before is gone: it erases its program area first'
    : 'the board still holds the program it had';

/** A Problem with what the board holds now among its facts (F3); anything else unchanged. */
function withState(error: unknown, isErased: boolean): unknown {
  if (!(error instanceof Problem)) return error;
  return new Problem(error.exitCode, error.message, [...error.facts, previousProgram(isErased)], error.advice, {
    cause: error,
  });
}
