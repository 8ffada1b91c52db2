/**
 * The boards that a command line names: `PORT` or `NAME=PORT`, each opened, with its session and its recording.
 *
 * The only board has to be there. Of several, those that are not are waited for: a fleet's monitor starts before its
 * last board is plugged in. A word that can never name a port is refused, and what was opened is closed again.
 */
import { basename } from 'node:path';
import { exitCodes, Problem } from '../../boards/problem.ts';
import { usageProblem } from '../arguments.ts';
import { siteNames } from '../bundle-store.ts';
import type { Io } from '../command.ts';
import { recordingPath } from '../recording/path.ts';
import { RecordingWriter } from '../recording/writer.ts';
import type { Transport } from '../transport/transport.ts';
import { visible } from '../view/escape.ts';
import { BoardWatch } from './board-watch.ts';
import { Keeper } from './keeper.ts';
import { Session } from './session.ts';

export interface NamedPort {
  name: string;
  port: string;
}

/** `kitchen=/dev/ttyACM0`; without a name it is the port's last part: `ttyACM0`, `puckjs`. Names are unique. */
export function namedPorts(words: readonly string[]): NamedPort[] {
  const taken = new Set<string>();
  return words.map((word) => {
    const [, given, port = word] = /^([\w.-]{1,64})=(.+)$/.exec(word) ?? [];
    const last = port.startsWith('sim:') ? port.slice('sim:'.length) : basename(port);
    const name = given ?? (taken.has(last) ? `${last} ${taken.size + 1}` : last);
    if (taken.has(name)) throw usageProblem('monitor', `two boards are called "${name}"`);
    taken.add(name);
    return { name, port };
  });
}

export interface OpenWishes {
  open: (port: string) => Promise<Transport>;
  /** Where the recording goes; several boards get a number each. */
  record: string | undefined;
  /** A recording grows no larger. */
  mostBytes?: number;
  /** What the boards print goes to stderr. */
  printsText: boolean;
}

/** The session of a live view: what the board prints goes to a pipe's stderr, behind `name` if there is one. */
export function liveSession(port: string, io: Io, name = 'board'): Session {
  return new Session({
    source: port,
    siteName: siteNames(),
    onText: (line) => {
      if (!io.isTerminal && line.trim() !== '') io.err(`${visible(name, 40)}: ${visible(line, 200)}\n`);
    },
  });
}

export async function openBoards(
  ports: readonly NamedPort[],
  { open, record, mostBytes, printsText }: OpenWishes,
  io: Io,
): Promise<BoardWatch[]> {
  const several = ports.length > 1;
  const say = (name: string, text: string): void => {
    if (!io.isTerminal) io.err(`${several ? `${visible(name, 40)}: ` : ''}${text}\n`);
  };
  const opened: Transport[] = [];
  const boards = await Promise.allSettled(
    ports.map(async ({ name, port }, index) => {
      // First the file: one that cannot be written leaves no line open.
      const writer =
        record === undefined
          ? null
          : new RecordingWriter(
              recordingPath(record, index, ports.length),
              { startedAt: new Date().toISOString(), source: port },
              mostBytes,
            );
      const transport = await open(port).catch((error: unknown) => {
        if (!several || !(error instanceof Problem) || error.exitCode === exitCodes.usage) throw error;
        say(name, `${error.message}; waiting for it`);
        return null;
      });
      if (transport !== null) opened.push(transport);
      const session = printsText
        ? liveSession(port, io, several ? name : undefined)
        : new Session({ source: port, siteName: siteNames() });
      return new BoardWatch({
        name,
        port,
        keeper: new Keeper(session, writer),
        transport,
        reopen: () => open(port),
        onLost: (reason) => say(name, `the line is lost: ${reason}; waiting for it`),
        onBack: () => say(name, 'the line is back'),
      });
    }),
  );
  const failed = boards.find((board) => board.status === 'rejected');
  if (failed) {
    await Promise.all(opened.map((transport) => transport.close()));
    throw failed.reason;
  }
  return boards.flatMap((board) => (board.status === 'fulfilled' ? [board.value] : []));
}
