/**
 * Espruino's REPL as a tool uses it: reach the prompt out of whatever the board is in, and ask questions whose answers
 * cannot be taken for anything else on the line.
 *
 * A question is sent with 0x10 before it (no echo) and prints its answer between marks with a running number. The marks
 * are joined on the board, so that an echo of the question, when the 0x10 was lost, does not look like the answer.
 */
import { exitCodes, Problem } from '../../boards/problem.ts';
import { fromLatin1, type Link, latin1, plainText } from './link.ts';

/** A whole line about an error. */
const uncaught = /Uncaught[^\r\n]*[\r\n]/;
const afterErrorMs = 700;
const CTRL_C = '\x03';
const answerMs = 2_000;
/** A board that waits for the rest of a packet takes everything for its content, for 5 s. */
const packetTimeoutMs = 5_200;

/** Why an upload stopped; the caller starts over or says so. */
export class UploadBroken extends Error {}

export class EspruinoConsole {
  readonly link: Link;
  /** Is given what comes beside the answers: the output of a program that runs already. */
  onOutput: ((bytes: Uint8Array) => void) | null = null;
  #asked = 0;

  constructor(link: Link) {
    this.link = link;
    link.flowControl = true;
  }

  /**
   * The value of an expression, by JSON; undefined without an answer. An error on the board is an UploadBroken: its
   * answer will not come any more, but for a moment the error may be a running program's.
   */
  async ask(expression: string, timeoutMs = answerMs): Promise<unknown> {
    const mark = `hg${++this.#asked}`;
    this.#hear(fromLatin1(this.link.takeAll()));
    await this.link.write(`\x10print("<"+"${mark}|"+JSON.stringify(${expression})+"|"+"${mark}>")\n`);
    const answer = new RegExp(`<${mark}\\|([\\s\\S]*?)\\|${mark}>`);
    let { value, text } = await this.link.readUntil(
      (all) => answer.exec(all)?.[1] ?? (uncaught.test(all) ? '' : null),
      timeoutMs,
    );
    if (value === '') {
      const seen = text;
      const late = await this.link.readUntil(
        (more) => answer.exec(seen + more)?.[1] ?? null,
        Math.min(timeoutMs, afterErrorMs),
      );
      value = late.value;
      text += late.text;
    }
    this.#hear(text.replace(answer, ''));
    if (value === null) {
      const error = uncaught.exec(text)?.[0].trim();
      if (error) throw new UploadBroken(`the board printed "${error}"`);
      return undefined;
    }
    try {
      return JSON.parse(value);
    } catch {
      return undefined;
    }
  }

  /** Like `ask`, again after a Ctrl-C when nothing came: for questions that change nothing on the board. */
  async askAgain(expression: string, timeoutMs = answerMs): Promise<unknown> {
    for (let tries = 0; tries < 4; tries++) {
      try {
        const value = await this.ask(expression, timeoutMs);
        if (value !== undefined) return value;
      } catch (error) {
        // A damaged question is a syntax error on the board.
        if (!(error instanceof UploadBroken)) throw error;
      }
      await this.link.write(CTRL_C);
      await this.link.takeUntilQuiet(150, 600);
    }
    throw new UploadBroken('the board does not answer questions (its answers are lost or damaged)');
  }

  /**
   * Stops the program and gives a prompt with an empty interpreter: Ctrl-C ends what runs, `reset()` frees a heap that
   * is full. Where `reset()` does not come back (`.bootrst` runs after it) the prompt in a Ctrl-C window must do.
   */
  async reach(): Promise<void> {
    let heard = '';
    for (let tries = 0; tries < 8; tries++) {
      await this.link.write(CTRL_C);
      heard += plainText(String.fromCharCode(...(await this.link.takeUntilQuiet(120, 500))));
      const isResetting = tries < 4;
      await this.link.write(isResetting ? '\x10reset();\n' : '\x10clearInterval();clearTimeout();\n');
      const text = await this.link.takeUntilQuiet(300, 2_500);
      heard += plainText(String.fromCharCode(...text.slice(-200)));
      try {
        if ((await this.ask('6*7', 1_000)) === 42) return;
      } catch (error) {
        if (!(error instanceof UploadBroken)) throw error;
      }
      if (tries === 1) await this.link.takeUntilQuiet(packetTimeoutMs, packetTimeoutMs);
    }
    throw noPrompt(this.link.name, heard);
  }

  #hear(text: string): void {
    if (text !== '') this.onOutput?.(latin1(text));
  }
}

function noPrompt(name: string, heard: string): Problem {
  const last = heard.trim().slice(-60);
  return last === ''
    ? new Problem(
        exitCodes.noBoard,
        `the board on ${name} does not answer`,
        ['no prompt, not even to Ctrl-C'],
        'Check the rate (--baud), reset the board while the command runs, or start it without saved code (hold its button while resetting).',
      )
    : new Problem(
        exitCodes.noBoard,
        `no Espruino prompt on ${name}`,
        [`it sent ${JSON.stringify(last)}`],
        'A program that never lets go of the console: hold the button of the board while resetting it, and flash again.',
      );
}
