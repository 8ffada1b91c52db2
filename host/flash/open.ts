/**
 * Asks what is on a line, and gives the flasher for it. Imports no Node.
 *
 * The questions change nothing on a board that answers them: a carriage return, Espruino's ENQ (0x05), Kaluma's `.hi`.
 * Only where nothing answers is a running program interrupted (Ctrl-C), and a transfer that somebody abandoned ended.
 */
import type { Board } from '../../boards/board.ts';
import { exitCodes, Problem } from '../../boards/problem.ts';
import type { Transport } from '../transport/transport.ts';
import { EspruinoFlasher } from './espruino.ts';
import { EspruinoConsole } from './espruino-console.ts';
import type { Identity } from './flasher.ts';
import { KalumaFlasher } from './kaluma.ts';
import { endOfEscape, gp22, reachPrompt } from './kaluma-console.ts';
import { Link, leastAheadBytes, mostAheadBytes, plainText } from './link.ts';
import { isWaitingForPackets } from './ymodem.ts';

export interface OpenFlasherOptions {
  /** The board, where it is known; else `findBoard` is asked with what answered. */
  board?: Board | null;
  findBoard?: (identity: Identity) => Board | null;
  /** The rate that a serial line was opened at, where it is not the board's own. */
  baud?: number | undefined;
  /** Ends the questions. */
  signal?: AbortSignal;
}

export interface OpenedFlasher {
  flasher: EspruinoFlasher | KalumaFlasher;
  board: Board | null;
  /** Ends the flasher's use of the transport; returns the bytes that came and that nobody took. */
  release: () => Uint8Array;
}

/** Identifies the board on the line. Rejects with a Problem when nothing, or nothing known, answers. */
export async function openFlasher(transport: Transport, options: OpenFlasherOptions = {}): Promise<OpenedFlasher> {
  const link = new Link(transport);
  if (options.signal) link.interruption = { signal: options.signal, facts: ['nothing was sent but questions'] };
  const identity = await identify(link);
  link.interruption = null;
  const found = options.findBoard?.(identity) ?? null;
  const board = options.board ?? found;
  if (board && (board.engine !== identity.engine || (found && found.id !== board.id))) {
    throw new Problem(
      exitCodes.usage,
      `${transport.name} is no ${board.id}`,
      [
        board.engine === identity.engine
          ? `${describe(identity)} answers: its memory and code area are those of ${found!.id}`
          : `${describe(identity)} answers; ${board.id} runs ${board.engine}`,
        'nothing was sent to it but questions',
      ],
      'Give the right --board, or leave it out.',
    );
  }
  const flasher =
    identity.engine === 'kaluma'
      ? new KalumaFlasher(link, identity, ...(board?.programAreaBytes ? [board.programAreaBytes - 1] : []))
      : new EspruinoFlasher(link, identity, {
          capacityBytes: board?.savedCode ? board.savedCode.pages * board.savedCode.pageBytes : null,
          ...(board && pacing(board, options.baud)),
          ...(board?.features.packets === false && { hasPackets: false }),
        });
  return { flasher, board, release: () => link.release() };
}

/** A character of 8 data bits with its start and stop bit. */
const bitsPerCharacter = 10;
/** A host is late by some milliseconds, and sends on at the line's rate until it has read an XOFF. */
const hostLatencyMs = 10;

/** How fast and how far ahead the host may send. USB holds the host back by itself. */
export function pacing(board: Board, baud?: number): { bytesPerSecond: number | null; aheadBytes: number } {
  const { kind, inputBufferBytes, xoffAtBytes, bytesPerSecond } = board.console;
  const rate = kind === 'uart' && baud !== undefined ? baud / bitsPerCharacter : bytesPerSecond;
  const roomBytes = inputBufferBytes - (xoffAtBytes ?? inputBufferBytes / 2);
  const lateBytes = Math.ceil((rate * hostLatencyMs) / 1000);
  return {
    bytesPerSecond: kind === 'uart' ? rate : null,
    aheadBytes: Math.max(leastAheadBytes, Math.min(mostAheadBytes, roomBytes - lateBytes)),
  };
}

export function describe({ engine, version, board }: Identity): string {
  const name = engine === 'kaluma' ? 'Kaluma' : 'Espruino';
  return [name, version, board && `on ${board}`].filter(Boolean).join(' ');
}

/** What answers on the line. */
export async function identify(link: Link): Promise<Identity> {
  let heard = '';
  for (let tries = 0; tries < 5; tries++) {
    // Later tries stop what runs; the fourth frees the heap of an Espruino that is full.
    if (tries > 0) {
      await link.write(tries < 3 ? '\x03' : '\x03\x10reset();\n');
      heard += plain(await link.takeUntilQuiet(150, 800));
      if (tries < 3) await link.write(endOfEscape);
    }
    link.takeAll();
    await link.write('\r');
    const { value, text } = await link.readUntil(engineOf, 1_200);
    heard += plainText(text);
    if (value === 'kaluma') return identifyKaluma(link);
    const espruino = await askVersion(link);
    if (espruino) return espruino;
    if (value === 'espruino') return identifyEspruino(link);
  }
  const last = heard.trim().slice(-60);
  throw new Problem(
    exitCodes.noBoard,
    `no Espruino or Kaluma board answers on ${link.name}`,
    [last === '' ? 'nothing came back, not even to Ctrl-C' : `it sent ${JSON.stringify(last)}`],
    `Check the port and the rate (--baud), and reset the board. On Kaluma: ${gp22}`,
  );
}

/** The engine whose prompt this is; null for neither (so far). */
function engineOf(text: string): 'espruino' | 'kaluma' | null {
  if (/\x1b8\x1b\[2C|\x1b\[6n/.test(text) || isWaitingForPackets(text)) return 'kaluma';
  // With its echo off Kaluma answers an empty line with this alone; Espruino answers with its prompt.
  if (/\x1b\[0m$/.test(text)) return 'kaluma';
  return /(?:^|[\r\n])>$/.test(text) ? 'espruino' : null;
}

async function askVersion(link: Link): Promise<Identity | null> {
  link.takeAll();
  await link.write('\x05');
  const { value } = await link.readUntil((text) => /Espruino (\S+) (\S+)\r?\n/.exec(text), 500);
  return value && { engine: 'espruino', version: value[1]!, board: value[2]! };
}

/** Firmware without ENQ, or a line that was half typed. */
async function identifyEspruino(link: Link): Promise<Identity> {
  const console = new EspruinoConsole(link);
  await console.reach();
  const answer = await console.ask('[process.env.VERSION,process.env.BOARD]').catch(() => undefined);
  const [version = '', board = ''] = Array.isArray(answer) ? (answer as string[]) : [];
  return { engine: 'espruino', version, board };
}

async function identifyKaluma(link: Link): Promise<Identity> {
  const ask = async (line: string, pattern: RegExp) => {
    link.takeAll();
    await link.write(`${line}\r`);
    return (await link.readUntil((text) => pattern.exec(plainText(text))?.[1] ?? null, 800)).value ?? '';
  };
  const askVersion = () => ask('.hi', /Welcome to Kaluma v([\w.-]+)/);
  let version = await askVersion();
  if (version === '') {
    // It was in the middle of something: a transfer, a busy program.
    await reachPrompt(link);
    version = await askVersion();
  }
  const board = await ask('board.name', /'(\w[\w-]*)'/);
  await link.takeUntilQuiet(30, 300);
  return { engine: 'kaluma', version, board };
}

const plain = (bytes: Uint8Array): string => plainText(String.fromCharCode(...bytes));
