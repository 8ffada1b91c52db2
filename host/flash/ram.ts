/**
 * Espruino: a program into RAM only, verified piece by piece before it runs.
 *
 * The program's text is put together in a variable on the board. After each piece the board computes the CRC-32 of all
 * that it has so far, and only text that is right to the byte is evaluated; a piece that is not is taken off and sent
 * again. Statements are evaluated in groups at the top level, where `var`, `let`, `const` and functions become globals
 * as they do at the prompt (Espruino src/jsparse.c: jswrap_eval keeps the scope, block scope begins with a block).
 * At the end the board is asked for the functions and classes that the program declares.
 *
 * Invariant R1: nothing is evaluated that is not what was sent, and nothing is evaluated twice.
 */
import { parse } from 'acorn';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { crc32 } from './crc32.ts';
import { type EspruinoConsole, UploadBroken } from './espruino-console.ts';
import { throwIfAborted } from './flasher.ts';
import { latin1 } from './link.ts';
import { stringLiteral } from './storage.ts';

/** On the board: `t` the text so far, `d` the groups that were evaluated, `s` the checksum of boards without E.CRC32. */
const holder = '$hg';
const text = `${holder}.t`;
const done = `${holder}.d`;
const sum = `${holder}.s`;
/** A piece that arrives damaged is sent again as smaller ones. */
const mostPieceBytes = 384;
const leastPieceBytes = 48;
/** A group of statements ends when it is as long as this; a longer statement is one of its own. */
const groupBytes = 768;
const evaluateWithinMs = 10_000;
const resendsAtMost = 8;
/** Names in one question: short enough to come through a line that damages one byte in a thousand. */
const namesAtOnce = 6;

interface Statement {
  source: Uint8Array;
  /** The function or class that it declares. */
  declares: string | null;
}

/** The program's top-level statements, in order, as UTF-8 bytes. A Problem when it does not parse. */
export function statements(program: Uint8Array): Statement[] {
  const source = new TextDecoder().decode(program);
  try {
    const { body } = parse(source, { ecmaVersion: 2022, sourceType: 'script', allowReturnOutsideFunction: false });
    return body.map((node) => ({
      source: new TextEncoder().encode(source.slice(node.start, node.end)),
      declares:
        node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration' ? (node.id?.name ?? null) : null,
    }));
  } catch (error) {
    throw new Problem(
      exitCodes.badInput,
      'the program cannot be taken apart for a RAM upload',
      [(error as Error).message],
      'Mend the syntax error.',
    );
  }
}

/** Statements joined by line breaks into groups of about `groupBytes`. */
export function groups(program: readonly Statement[]): Uint8Array[] {
  const joined: number[][] = [];
  for (const { source } of program) {
    const last = joined.at(-1);
    if (last && last.length + source.length < groupBytes) last.push(10, ...source);
    else joined.push([...source]);
  }
  return joined.map((bytes) => Uint8Array.from(bytes));
}

/** What boards without E.CRC32 compute: 31 x sum + character, 32 bits, signed. */
export function simpleSum(bytes: Uint8Array): number {
  return bytes.reduce((total, byte) => ((total << 5) - total + byte) | 0, 0);
}

const sumFunction = 'function(s,c,i){for(c=i=0;i<s.length;i++)c=(c<<5)-c+s.charCodeAt(i)|0;return c}';

/** Sends and runs `program`. Returns how many pieces were sent again. The board is at its prompt, freshly reset. */
export async function uploadToRam(
  board: EspruinoConsole,
  program: Uint8Array,
  onSent: (doneBytes: number) => void,
  signal?: AbortSignal,
): Promise<number> {
  const parts = statements(program);
  const sender = new RamSender(board, await prepare(board));
  let doneBytes = 0;
  for (const group of groups(parts)) {
    await sender.send(group, (sentBytes) => {
      throwIfAborted(signal, ['a part of the program runs on the board']);
      onSent(Math.min(program.length, doneBytes + sentBytes));
    });
    doneBytes += group.length;
  }
  onSent(program.length);
  await sender.finish(parts.flatMap(({ declares }) => declares ?? []));
  return sender.resent;
}

/** Sets the holder up. Whether the board has E.CRC32; it is given `simpleSum` where it has not. */
async function prepare(board: EspruinoConsole): Promise<boolean> {
  const hasCrc = (await board.askAgain('typeof E.CRC32')) === 'function';
  const fields = `t:"",d:0${hasCrc ? '' : `,s:${sumFunction}`}`;
  if ((await board.askAgain(`(${holder}={${fields}}).d`)) !== 0) throw new UploadBroken('the upload was not set up');
  return hasCrc;
}

class RamSender {
  readonly #board: EspruinoConsole;
  readonly #hasCrc: boolean;
  #evaluated = 0;
  #pieceBytes = mostPieceBytes;
  resent = 0;

  constructor(board: EspruinoConsole, hasCrc: boolean) {
    this.#board = board;
    this.#hasCrc = hasCrc;
  }

  /**
   * Sends a group of statements and runs it. Around it the text that is evaluated takes itself away as it begins and
   * counts the group as it ends, so that a lost question or answer is told from a program that failed (R1).
   */
  async send(group: Uint8Array, onSent: (sentBytes: number) => void): Promise<void> {
    const number = ++this.#evaluated;
    const wrapped = Uint8Array.from([...latin1(`${text}="";`), ...group, ...latin1(`\n;${done}=${number}`)]);
    let failures = 0;
    for (let at = 0; at < wrapped.length; ) {
      onSent(Math.min(at, group.length));
      const end = Math.min(wrapped.length, at + this.#pieceBytes);
      if (await this.#append(wrapped, at, end, failures > 0)) {
        at = end;
        failures = 0;
        continue;
      }
      this.resent++;
      this.#pieceBytes = Math.max(leastPieceBytes, this.#pieceBytes >> 1);
      if (++failures > resendsAtMost)
        throw new UploadBroken(`a piece of ${end - at} bytes was sent ${failures} times and never arrived whole`);
    }
    await this.#evaluate(number);
  }

  /** Appends bytes `at` to `end` to the text on the board, which holds those before them. Whether it is right then. */
  async #append(bytes: Uint8Array, at: number, end: number, isAgain: boolean): Promise<boolean> {
    const whole = bytes.subarray(0, end);
    const [check, expected] = this.#hasCrc ? ['E.CRC32', crc32(whole) | 0] : [sum, simpleSum(whole)];
    // Sent again, a piece replaces whatever came of it before.
    const before = at === 0 ? '""' : isAgain ? `${text}.substr(0,${at})` : text;
    const expression = `${check}(${text}=${before}+${stringLiteral(bytes.subarray(at, end))})|0`;
    return (await this.#board.ask(expression, evaluateWithinMs).catch(failure)) === expected;
  }

  /** Runs the text on the board once. The program's own error is a Problem in the words of the engine. */
  async #evaluate(number: number): Promise<void> {
    for (let tries = 0; tries <= resendsAtMost; tries++) {
      let error = '';
      const answer = await this.#board.ask(`(eval(${text}),${done})`, evaluateWithinMs).catch((thrown) => {
        error = thrown instanceof UploadBroken ? thrown.message : '';
        return failure(thrown);
      });
      if (answer === number) return;
      const { textLength, groupsDone } = await this.#state();
      if (groupsDone === number) return;
      if (textLength === 0) {
        if (error !== '') throw programFailed(error);
        throw new UploadBroken('the program was begun, and neither ended nor failed');
      }
      this.resent++;
    }
    throw new UploadBroken('the board did not evaluate what it holds');
  }

  /** Two answers must agree: a digit may be damaged. */
  async #state(): Promise<{ textLength: number; groupsDone: number }> {
    let last = '';
    for (let tries = 0; tries < 6; tries++) {
      const state = await this.#board.askAgain(`[${text}.length,${done}]`);
      if (Array.isArray(state) && String(state) === last) return { textLength: state[0], groupsDone: state[1] };
      last = String(state);
    }
    throw new UploadBroken('the answer about what was evaluated is damaged');
  }

  /** Asks for what the program declares, and takes the holder away. */
  async finish(names: readonly string[]): Promise<void> {
    for (let at = 0; at < names.length; at += namesAtOnce) {
      const asked = names.slice(at, at + namesAtOnce);
      const question = `[${asked.map((name) => `typeof ${name}`)}].join()`;
      let answer: unknown;
      // A name that was damaged on the way is unknown too.
      for (let tries = 0; tries < 4 && answer !== asked.map(() => 'function').join(); tries++) {
        answer = await this.#board.askAgain(question);
      }
      const types = String(answer).split(',');
      const absent = asked.filter((_, nth) => types[nth] !== 'function');
      if (absent.length > 0) throw new UploadBroken(`the board does not know ${absent.join(', ')}`);
    }
    await this.#board.link.write(`\x10delete global.${holder}\n`);
    await this.#board.link.takeUntilQuiet(30, 300);
  }
}

/** A damaged question is an error on the board, and no answer. */
function failure(error: unknown): undefined {
  if (!(error instanceof UploadBroken)) throw error;
  return undefined;
}

function programFailed(message: string): Problem {
  return new Problem(
    exitCodes.failed,
    'the program was sent to RAM and verified, and it failed when it ran',
    [/"(Uncaught[^"]*)/.exec(message)?.[1] ?? message],
    'Mend the error; the program that the board stores was not touched.',
  );
}
