/**
 * Espruino: a program into RAM only, statement by statement, as its REPL takes it.
 *
 * Each top-level statement is one REPL entry: 0x10 before it, ESC LF for the line breaks inside. Each is followed by a
 * question, so the next is sent when it was run, and an error is known with the statement it belongs to. RAM cannot be
 * read back: a RAM upload is acknowledged, not verified.
 */
import { parse } from 'acorn';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { type EspruinoConsole, UploadBroken } from './espruino-console.ts';
import { throwIfAborted } from './flasher.ts';

const statementWithinMs = 10_000;

/** The program's top-level statements, in order, as UTF-8 bytes. A Problem when it does not parse. */
export function statements(program: Uint8Array): Uint8Array[] {
  const source = new TextDecoder().decode(program);
  try {
    const { body } = parse(source, { ecmaVersion: 2022, sourceType: 'script', allowReturnOutsideFunction: false });
    return body.map(({ start, end }) => new TextEncoder().encode(source.slice(start, end)));
  } catch (error) {
    throw new Problem(
      exitCodes.badInput,
      'the program cannot be taken apart for a RAM upload',
      [(error as Error).message],
      'Mend the syntax error.',
    );
  }
}

/** One REPL entry: line breaks become ESC LF; a CR before one is dropped, because it would end the entry. */
export function entry(statement: Uint8Array): Uint8Array {
  const bytes = [0x10];
  for (let at = 0; at < statement.length; at++) {
    const byte = statement[at]!;
    if (byte === 13) {
      if (statement[at + 1] !== 10) bytes.push(27, 10);
    } else if (byte === 10) bytes.push(27, 10);
    else bytes.push(byte);
  }
  return Uint8Array.from([...bytes, 10]);
}

export async function uploadToRam(
  board: EspruinoConsole,
  program: Uint8Array,
  onSent: (doneBytes: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  let doneBytes = 0;
  for (const [index, statement] of statements(program).entries()) {
    throwIfAborted(signal, [`${index} statements run on the board`]);
    await board.link.write(entry(statement));
    const answer = await board.ask(`${index}`, statementWithinMs);
    if (answer !== index) throw new UploadBroken(`statement ${index + 1} was not acknowledged`);
    doneBytes += statement.length;
    onSent(doneBytes);
  }
}
