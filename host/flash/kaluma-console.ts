/**
 * Kaluma's REPL as a tool uses it: reach the prompt out of whatever the board is in, and run dot commands.
 *
 * Lines end with CR. The prompt is drawn with escape sequences and ends with `promptEnd`; with its echo off the board
 * sends only ESC [ 0 m. References: kaluma src/repl.c; docs/flashing.md, "Kaluma".
 */
import { exitCodes, Problem } from '../../boards/problem.ts';
import { type Link, plainText } from './link.ts';
import { cancelYmodem, isWaitingForPackets } from './ymodem.ts';

/** The beginning of the prompt: the cursor is saved in column 1. */
export const promptStart = '\r\x1b7> ';
/** The end of the prompt that the board prints with echo on: cursor restored, two columns right. */
export const promptEnd = '\x1b8\x1b[2C';
/** How long an answer to a command may take. */
export const commandMs = 3_000;

/** Ends an escape sequence, whatever it began with; on a line it is a syntax error. */
export const endOfEscape = '~';

/** What people do when a program kills the board at every boot. */
export const gp22 =
  'If it does not answer after a power cycle, the stored program kills it at boot: hold GP22 to GND while plugging it in (the program is then not run), and flash again.';

/** Runs a REPL command; what came up to the next prompt, or null. The command's echo is taken off. */
export async function command(link: Link, text: string, timeoutMs: number): Promise<string | null> {
  link.takeAll();
  await link.write(`${text}\r`);
  const { value, text: answer } = await link.readUntil((all) => (all.includes(promptEnd) ? true : null), timeoutMs);
  return value === null ? null : answer.replace(text, '');
}

/**
 * Stops the running program and leaves the board at its prompt, out of whatever it was in: a half-typed line, an
 * endless loop, an abandoned YMODEM session.
 */
export async function reachPrompt(link: Link): Promise<void> {
  let heard = '';
  for (let tries = 0; tries < 8; tries++) {
    link.takeAll();
    await link.write('\r');
    const { value, text } = await link.readUntil(
      (answer) =>
        answer.includes(promptEnd) || answer.includes('\x1b[0m')
          ? 'prompt'
          : isWaitingForPackets(answer)
            ? 'ymodem'
            : null,
      1_200,
    );
    heard += text;
    if (value === 'ymodem') {
      await cancelYmodem(link);
    } else if (value === 'prompt') {
      await link.write('.echo on\r');
      await link.takeUntilQuiet(40, 400);
      await link.write('.reset\r');
      const reset = await link.readUntil(
        (answer) => (/soft reset\r\n/.test(answer) && answer.includes(promptEnd) ? true : null),
        commandMs,
      );
      if (reset.value) return;
    } else {
      // Ctrl-C takes all that came with it in one USB packet away, so it is sent alone.
      await link.write('\x03');
      await link.takeUntilQuiet(100, 600);
      // Ends an escape sequence that broke off (leftovers of a packet may begin one): in it even CR is lost.
      await link.write(endOfEscape);
    }
  }
  throw noPrompt(link.name, heard);
}

function noPrompt(name: string, heard: string): Problem {
  return heard.trim() === ''
    ? new Problem(exitCodes.noBoard, `the board on ${name} does not answer`, ['no prompt, not even to Ctrl-C'], gp22)
    : new Problem(
        exitCodes.noBoard,
        `no Kaluma prompt on ${name}`,
        [`it sent ${JSON.stringify(plainText(heard).slice(-60))}`],
        'Press reset on the board, and check that no other program talks to it.',
      );
}
