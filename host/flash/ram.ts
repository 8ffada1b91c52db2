/**
 * Espruino: a program into RAM only, verified piece by piece before it runs.
 *
 * The program's text is put together in a variable on the board. After each piece the board computes the CRC-32 of all
 * that it has so far, and only text that is right to the byte is evaluated; a piece that is not is taken off and sent
 * again. Statements are evaluated in groups at the top level, where `var`, `let`, `const` and functions become globals
 * as they do at the prompt (Espruino src/jsparse.c: jswrap_eval keeps the scope, block scope begins with a block).
 * Each group ends with a look for the functions and classes that it declares. The last question is the one that runs
 * the last group: nothing of what the program sends from then on is lost to an upload.
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

/** On the board: `t` the text so far, `b` and `d` the groups begun and done, `s` the sum of boards without E.CRC32. */
const holder = '$hg';
const text = `${holder}.t`;
const begun = `${holder}.b`;
const done = `${holder}.d`;
const sum = `${holder}.s`;
/** A piece that arrives damaged is sent again as smaller ones, down to this. */
const leastPieceBytes = 48;
/** A group of statements ends when it is as long as so many pieces; a longer statement is one of its own. */
const piecesInGroup = 2;
const evaluateWithinMs = 10_000;
const resendsAtMost = 8;

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

export interface Group {
  source: Uint8Array;
  declares: string[];
}

/** Statements joined by line breaks into groups of at most `groupBytes`, where they are not longer themselves. */
export function groups(program: readonly Statement[], groupBytes: number): Group[] {
  const joined: { bytes: number[]; declares: string[] }[] = [];
  for (const { source, declares } of program) {
    const last = joined.at(-1);
    const names = declares === null ? [] : [declares];
    if (last && last.bytes.length + source.length < groupBytes) {
      last.bytes.push(10, ...source);
      last.declares.push(...names);
    } else joined.push({ bytes: [...source], declares: names });
  }
  return joined.map(({ bytes, declares }) => ({ source: Uint8Array.from(bytes), declares }));
}

/** What boards without E.CRC32 compute: 31 x sum + character, 32 bits, signed. */
export function simpleSum(bytes: Uint8Array): number {
  return bytes.reduce((total, byte) => ((total << 5) - total + byte) | 0, 0);
}

const sumFunction = 'function(s,c,i){for(c=i=0;i<s.length;i++)c=(c<<5)-c+s.charCodeAt(i)|0;return c}';

/**
 * Sends and runs `program`, in pieces of at most `pieceBytes`. Returns how many pieces were sent again. The board is at
 * its prompt, freshly reset.
 */
export async function uploadToRam(
  board: EspruinoConsole,
  program: Uint8Array,
  pieceBytes: number,
  onSent: (doneBytes: number) => void,
  signal?: AbortSignal,
): Promise<number> {
  const all = groups(statements(program), pieceBytes * piecesInGroup);
  const sender = new RamSender(board, await prepare(board), pieceBytes, all.length);
  let doneBytes = 0;
  for (const [index, group] of all.entries()) {
    await sender.send(group, index + 1, (sentBytes) => {
      throwIfAborted(signal, ['a part of the program runs on the board']);
      onSent(Math.min(program.length, doneBytes + sentBytes));
    });
    doneBytes += group.source.length;
  }
  onSent(program.length);
  return sender.resent;
}

/** Sets the holder up. Whether the board has E.CRC32; it is given `simpleSum` where it has not. */
async function prepare(board: EspruinoConsole): Promise<boolean> {
  const hasCrc = (await board.askAgain('typeof E.CRC32')) === 'function';
  const fields = `t:"",b:0,d:0${hasCrc ? '' : `,s:${sumFunction}`}`;
  if ((await board.askAgain(`(${holder}={${fields}}).d`)) !== 0) throw new UploadBroken('the upload was not set up');
  return hasCrc;
}

class RamSender {
  readonly #board: EspruinoConsole;
  readonly #hasCrc: boolean;
  readonly #groups: number;
  #pieceBytes: number;
  resent = 0;

  constructor(board: EspruinoConsole, hasCrc: boolean, pieceBytes: number, groupCount: number) {
    this.#groups = groupCount;
    this.#board = board;
    this.#hasCrc = hasCrc;
    this.#pieceBytes = Math.max(leastPieceBytes, pieceBytes);
  }

  /**
   * Sends a group of statements and runs it. Around it the text that is evaluated takes itself away as it begins and
   * says as it ends that the group was run and what it declares is there, so that a lost question or answer is told from
   * a program that failed (R1).
   */
  async send(group: Group, number: number, onSent: (sentBytes: number) => void): Promise<void> {
    const declared = group.declares.map((name) => `typeof ${name}=="function"`).join('&&') || '1';
    const bytes = Uint8Array.from([
      ...latin1(`${text}="";${begun}=${number};`),
      ...group.source,
      ...latin1(`\n;${done}=(${declared})?${number}:-1;`),
    ]);
    let failures = 0;
    for (let at = 0; at < bytes.length; ) {
      onSent(Math.min(at, group.source.length));
      const end = Math.min(bytes.length, at + this.#pieceBytes);
      const isRight = this.#appended(bytes, at, end, failures > 0);
      const isTaken =
        end < bytes.length
          ? (await this.#board.ask(`${isRight}?1:0`, evaluateWithinMs).catch(failure)) === 1
          : await this.#evaluated(isRight, number);
      if (isTaken) {
        at = end;
        failures = 0;
        continue;
      }
      this.resent++;
      this.#pieceBytes = Math.max(leastPieceBytes, this.#pieceBytes >> 1);
      if (++failures > resendsAtMost)
        throw new UploadBroken(`a piece of ${end - at} bytes was sent ${failures} times and never arrived whole`);
    }
  }

  /** What appends bytes `at` to `end` to the text on the board, which holds those before them, and whether it is right. */
  #appended(bytes: Uint8Array, at: number, end: number, isAgain: boolean): string {
    const whole = bytes.subarray(0, end);
    const [check, expected] = this.#hasCrc ? ['E.CRC32', crc32(whole) | 0] : [sum, simpleSum(whole)];
    // Sent again, a piece replaces whatever came of it before.
    const before = at === 0 ? '""' : isAgain ? `${text}.substr(0,${at})` : text;
    return `(${check}(${text}=${before}+${stringLiteral(bytes.subarray(at, end))})|0)==${expected}`;
  }

  /**
   * Sends the last piece of a group, and runs the text if it is right then: once. False when it has to be sent again.
   * The program's own error is a Problem in the words of the engine.
   */
  async #evaluated(isRight: string, number: number): Promise<boolean> {
    const result = number === this.#groups ? `[${done},delete global.${holder}][0]` : done;
    let error = '';
    const answer = await this.#board
      .ask(`${isRight}?(eval(${text}),${result}):"no"`, evaluateWithinMs)
      .catch((thrown) => {
        error = thrown instanceof UploadBroken ? thrown.message : '';
        return failure(thrown);
      });
    if (answer === number) return true;
    if (answer === 'no') return false;
    const { groupBegun, groupDone } = await this.#state();
    if (groupDone === number) return true;
    if (groupDone < 0) throw new UploadBroken('a function or class that the program declares is not on the board');
    if (groupBegun < number) return false;
    if (error !== '') throw programFailed(error);
    throw new UploadBroken('the program was begun, and neither ended nor failed');
  }

  /** Two answers must agree: a digit may be damaged. Without its holder the last group was done. */
  async #state(): Promise<{ groupBegun: number; groupDone: number }> {
    let last = '';
    for (let tries = 0; tries < 6; tries++) {
      const state = await this.#board.askAgain(`typeof ${holder}=="object"?[${begun},${done}]:[0,"last"]`);
      if (Array.isArray(state) && String(state) === last) {
        return { groupBegun: state[0], groupDone: state[1] === 'last' ? this.#groups : state[1] };
      }
      last = String(state);
    }
    throw new UploadBroken('the answer about what was evaluated is damaged');
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
