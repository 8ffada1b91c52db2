/**
 * Seeded flashes of virtual boards with seeded faults, in this process, over TCP or over a tty; what each came to, and
 * what the board's flash memory really holds afterwards.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadBoard } from '../../boards/board.ts';
import { Problem } from '../../boards/problem.ts';
import { openFlasher } from '../../host/flash/open.ts';
import { listen } from '../../host/sim/listen.ts';
import { openPty } from '../../host/sim/pty.ts';
import { openTransport } from '../../host/transport/open.ts';
import { openSim } from '../../host/transport/sim.ts';
import { createVirtualBoard } from '../../sim/board/create.ts';
import { parseFaults } from '../../sim/board/faults.ts';
import { createRandom, type Random } from '../../sim/board/random.ts';
import type { VirtualBoard } from '../../sim/board/virtual-board.ts';

export type Way = 'process' | 'tcp' | 'tty';

export interface Outcome {
  seed: number;
  way: Way;
  board: string;
  sizeBytes: number;
  faults: string;
  result: 'stored' | 'failed' | 'false success' | 'defect';
  /** Of a failure: exit code, problem and facts. */
  cause: string;
  attempts: number;
  wallMs: number;
}

/** Kaluma's program area in flash (kaluma src/prog.c). */
const programAreaAt = 0x100000;

/** Boards by what they show: USB and UART, YMODEM and Storage, big areas and small. */
const boards = ['kaluma-pico', 'rp2040_pico', 'pico_r1_3', 'kaluma-pico2', 'puckjs', 'kaluma-pico'] as const;

const faultKinds: readonly ((random: Random) => string)[] = [
  () => '',
  () => '',
  (random) => `drop=${rate(random)}`,
  (random) => `corrupt=${rate(random)}`,
  (random) => `duplicate=${rate(random)}`,
  (random) => `noise=${rate(random)}:${1 + random.below(16)}`,
  (random) => `stall=${rate(random)}:${200 + random.below(2_000)}`,
  (random) => `unplug=${1_500 + random.below(6_000)}:${100 + random.below(1_000)}`,
  (random) => `brownout=${random.below(300)}`,
  (random) => `deafhost=${1_500 + random.below(4_000)}:${200 + random.below(3_000)}`,
  (random) => `drop=${rate(random)},corrupt=${rate(random)},duplicate=${rate(random)}`,
];

/** One in 10^4 to one in 10^6 bytes. */
const rate = (random: Random): string => (10 ** -(4 + random.below(200) / 100)).toFixed(8);

/** A program of every byte that a source may hold, often CR LF and non-ASCII. */
export function makeProgram(sizeBytes: number, random: Random): Uint8Array {
  const words = ['var x=1;\n', 'print("ok");\r\n', '// äöü 漢字\n', 'function f(a){return a}\n', '"\\\\";\n'];
  const text: number[] = [];
  while (text.length < sizeBytes) {
    if (random.below(20) === 0) text.push(1 + random.below(255));
    else text.push(...new TextEncoder().encode(words[random.below(words.length)]!));
  }
  return Uint8Array.from(text.slice(0, sizeBytes));
}

/** Whether the board's flash memory holds exactly this program as the one it runs. */
export function holds(board: VirtualBoard, program: Uint8Array): boolean {
  const flash = Buffer.from(board.flash.bytes.buffer, board.flash.bytes.byteOffset, board.flash.bytes.length);
  if (board.board.engine === 'kaluma') {
    const end = programAreaAt + program.length;
    return flash.subarray(programAreaAt, end).equals(program) && flash[end] === 0;
  }
  // A live file's header lies before its data: size, then the name (src/jsflash.h).
  for (let at = flash.indexOf('.bootcde'); at >= 0; at = flash.indexOf('.bootcde', at + 1)) {
    const sizeBytes = flash.readUInt32LE(at - 4) & 0xffffff;
    if (sizeBytes === program.length && flash.subarray(at + 28, at + 28 + sizeBytes).equals(program)) return true;
  }
  return false;
}

/** Flashes once, as the seed says. */
async function flashOnce(seed: number, way: Way): Promise<Outcome> {
  const random = createRandom(seed);
  const facts = loadBoard(boards[random.below(boards.length)]!);
  const areaBytes = facts.savedCode
    ? facts.savedCode.pages * facts.savedCode.pageBytes - 64
    : facts.programAreaBytes! - 1;
  // A UART at 9600 baud takes a second for a kilobyte, and over TCP that is a second of ours.
  const largestBytes = Math.min(
    500_000,
    areaBytes,
    facts.console.kind === 'uart' && way !== 'process' ? 4_000 : 500_000,
  );
  const sizeBytes = Math.floor(1_000 * (largestBytes / 1_000) ** (random.below(1_000) / 999));
  const program = makeProgram(sizeBytes, random);
  const faults = faultKinds[random.below(faultKinds.length)]!(random);
  const board = createVirtualBoard(facts, { seed, faults: parseFaults(faults) });
  const closers: (() => Promise<unknown> | unknown)[] = [];
  const outcome: Outcome = {
    seed,
    way,
    board: facts.id,
    sizeBytes,
    faults,
    result: 'stored',
    cause: '',
    attempts: 0,
    wallMs: 0,
  };
  const startMs = performance.now();
  try {
    const transport = await openWay(way, board, closers);
    closers.unshift(() => transport.close());
    const { flasher } = await openFlasher(transport, { board: facts });
    const flashed = await flasher.upload(program);
    outcome.attempts = flashed.attempts;
    if (!flashed.isVerified || !holds(board, program)) outcome.result = 'false success';
  } catch (error) {
    const isProblem = error instanceof Problem;
    outcome.result = isProblem ? 'failed' : 'defect';
    outcome.cause = isProblem
      ? [`exit ${error.exitCode}`, error.message, ...error.facts].join(' | ')
      : String((error as Error).stack);
  } finally {
    outcome.wallMs = Math.round(performance.now() - startMs);
    for (const close of closers) await close();
  }
  return outcome;
}

async function openWay(way: Way, board: VirtualBoard, closers: (() => unknown)[]) {
  if (way === 'process') {
    board.advanceTo(1e9);
    return openSim(board.board.id, { board });
  }
  const listener = await listen(board, { host: '127.0.0.1', port: 0 }, { realTime: true });
  closers.unshift(() => listener.close());
  if (way === 'tcp') return openTransport(`tcp://127.0.0.1:${listener.port}`);
  const pty = await openPty(join(tmpdir(), `heapglass-tty-${process.pid}-${listener.port}`), listener.port);
  closers.unshift(() => pty.close());
  return openTransport(pty.path);
}

/** Runs seeds `first`..`first + count - 1`, `atOnce` of them side by side (boards on the wall clock mostly wait). */
export async function runCampaign(first: number, count: number, way: Way, atOnce: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = first;
  const worker = async () => {
    while (next < first + count) outcomes.push(await flashOnce(next++, way));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return outcomes.sort((a, b) => a.seed - b.seed);
}

/** Outcomes by kind of fault, as a table. */
export function campaignTable(outcomes: readonly Outcome[]): string {
  const kindOf = ({ faults }: Outcome) => faults.replace(/=[^,]*/g, '') || 'none';
  const kinds = [...new Set(outcomes.map(kindOf))].sort();
  const rows = kinds.map((kind) => {
    const of = outcomes.filter((outcome) => kindOf(outcome) === kind);
    const count = (result: Outcome['result']) => String(of.filter((outcome) => outcome.result === result).length);
    return [kind, String(of.length), count('stored'), count('failed'), count('false success'), count('defect')];
  });
  const head = ['fault', 'flashes', 'stored', 'failed, cause named', 'false success', 'defect'];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
