/**
 * Seeded fault runs: a board, a program and faults drawn from a seed, flashed and watched, and judged by what the
 * board's flash really holds. The flasher is a parameter, so that a wrong one can be shown to be caught.
 */
import { loadBoard } from '../../boards/board.ts';
import { Problem } from '../../boards/problem.ts';
import { openSim, type SimTransport } from '../../host/transport/sim.ts';
import type { Transport } from '../../host/transport/transport.ts';
import { Storage } from '../../sim/board/espruino/storage.ts';
import { programAreaOffset } from '../../sim/board/kaluma/program-area.ts';
import type { Machine } from '../../sim/board/machine.ts';
import { createRandom, type Random } from '../../sim/board/random.ts';
import { nsPerMs } from '../../sim/board/time.ts';
import type { VirtualBoard } from '../../sim/board/virtual-board.ts';

/** Flashes and starts; resolves when it says that the board holds the program. */
export type FlashFunction = (transport: Transport, program: Uint8Array, boardId: string) => Promise<void>;

export type Verdict =
  /** It said so, the board holds it, and it was heard running. */
  | 'flashed, verified, heard'
  /** The same, but nothing was heard of it: the line failed behind the flash. */
  | 'flashed, verified, line lost later'
  | 'clear error'
  | 'FALSE SUCCESS'
  | 'DEFECT'
  | 'HANG';

export interface FaultRun {
  seed: number;
  boardId: string;
  fault: string;
  spec: string;
  verdict: Verdict;
  /** The Problem's message, or what was thrown. */
  detail: string;
  virtualMs: number;
}

const boards = ['kaluma-pico', 'pico_r1_3', 'puckjs'] as const;
/** Beyond this a run hangs: virtual time, and the wall clock for a host that spins. */
const longestVirtualMs = 30 * 60_000;
const longestWallMs = 60_000;
const heardMs = 1500;

const probability = (random: Random, most: number): string => (random.next() ** 2 * most).toFixed(6);

const faultKinds: Readonly<Record<string, (random: Random) => string>> = {
  none: () => '',
  drop: (random) => `drop=${probability(random, 0.01)}`,
  corrupt: (random) => `corrupt=${probability(random, 0.01)}`,
  duplicate: (random) => `duplicate=${probability(random, 0.01)}`,
  noise: (random) => `noise=${probability(random, 0.003)}:20`,
  stall: (random) => `stall=${probability(random, 0.002)}:${1 + random.below(4000)}`,
  unplug: (random) => `unplug=${1000 + random.below(8000)}:${random.below(2000)}`,
  brownout: (random) => `brownout=${random.below(160)}`,
  deafhost: (random) => `deafhost=${1000 + random.below(6000)}:${random.below(5000)}`,
  mixed: (random) => `drop=${probability(random, 0.001)},corrupt=${probability(random, 0.001)},stall=0.0005:900`,
};

function drawProgram(random: Random): Uint8Array {
  const lines = ['var n=0;', 'setInterval(function(){print("tick "+(n++));},100);'];
  for (let i = random.below(120); i > 0; i--)
    lines.push(`var v${i}=${random.below(1e9)}; // ${'x'.repeat(random.below(40))}`);
  return new TextEncoder().encode(`${lines.join('\n')}\n`);
}

/** What a power-up would run. */
function storedProgram(board: VirtualBoard): Uint8Array {
  const { bytes } = board.flash;
  if (board.board.engine === 'kaluma') {
    const end = bytes.indexOf(0, programAreaOffset);
    return bytes.subarray(programAreaOffset, end < 0 ? undefined : end);
  }
  const storage = new Storage({ flash: board.flash } as Machine, () => {});
  return storage.read('.bootcde') ?? new Uint8Array(0);
}

export async function runFaults(seed: number, flash: FlashFunction): Promise<FaultRun> {
  const random = createRandom(seed);
  const boardId = boards[random.below(boards.length)]!;
  const fault = Object.keys(faultKinds)[random.below(Object.keys(faultKinds).length)]!;
  const spec = faultKinds[fault]!(random);
  const program = drawProgram(random);
  const port = await openSim(boardId, { seed, faults: spec });
  const { verdict, detail } = await judge(port, program, () => flash(port, program, loadBoard(boardId).id));
  await port.close();
  return { seed, boardId, fault, spec, verdict, detail, virtualMs: Math.round(port.board.nowNs / nsPerMs) };
}

async function judge(
  port: SimTransport,
  program: Uint8Array,
  flash: () => Promise<void>,
): Promise<{ verdict: Verdict; detail: string }> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<{ verdict: Verdict; detail: string }>((resolve) => {
    const give = (limit: string): void => resolve({ verdict: 'HANG', detail: `past the limit of ${limit}` });
    timer = setTimeout(() => give('the wall clock'), longestWallMs);
    // A port that closes ends its sleeps at once: that is no hang.
    const untilMs = port.clock.nowMs() + longestVirtualMs;
    void port.clock.sleep(longestVirtualMs).then(() => {
      if (port.clock.nowMs() >= untilMs) give('virtual time');
    });
  });
  const work = (async (): Promise<{ verdict: Verdict; detail: string }> => {
    try {
      await flash();
    } catch (error) {
      if (error instanceof Problem) return { verdict: 'clear error', detail: error.message };
      return { verdict: 'DEFECT', detail: String((error as Error).stack ?? error) };
    }
    if (!Buffer.from(storedProgram(port.board)).equals(program)) {
      return { verdict: 'FALSE SUCCESS', detail: 'the flash holds something else' };
    }
    let heard = '';
    port.onData((bytes) => {
      heard += Buffer.from(bytes).toString('latin1');
    });
    await port.clock.sleep(heardMs);
    return {
      verdict: /tick \d/.test(heard) ? 'flashed, verified, heard' : 'flashed, verified, line lost later',
      detail: '',
    };
  })();
  const outcome = await Promise.race([work, hang]);
  clearTimeout(timer);
  return outcome;
}

/** Fault by verdict, as a table for people. */
export function faultTable(runs: readonly FaultRun[]): string {
  const verdicts: Verdict[] = [
    'flashed, verified, heard',
    'flashed, verified, line lost later',
    'clear error',
    'FALSE SUCCESS',
    'DEFECT',
    'HANG',
  ];
  const rows = Object.keys(faultKinds).map((fault) => {
    const of = runs.filter((run) => run.fault === fault);
    return `| ${[fault, of.length, ...verdicts.map((verdict) => of.filter((run) => run.verdict === verdict).length)].join(' | ')} |`;
  });
  return [`| fault | runs | ${verdicts.join(' | ')} |`, `|${'---|'.repeat(verdicts.length + 2)}`, ...rows].join('\n');
}
