/** The bundle that replays a plan's trace on its board: examples/replay-trace.js with the trace in it. */
import { join } from 'node:path';
import { packageRoot } from '../../boards/root.ts';
import { type Bundle, bundle } from '../../firmware/toolchain/bundle.ts';
import { codeAreaProblem, estimateMemory, memoryProblem } from '../../firmware/toolchain/estimate.ts';
import { checkSubset, subsetProblem } from '../../firmware/toolchain/subset.ts';
import type { ReplayPlan } from './plan.ts';

const programsFolder = join(packageRoot, 'examples');

/** The program's text: what is bundled, and what a reader may want to see. */
export function programText({ board, encoded, arenaBytes, tickMs, opsPerTick }: ReplayPlan): string {
  const { chunks, opCount, slotCount } = encoded;
  const rows = chunks.map((chunk) => `  ${JSON.stringify(chunk)},\n`).join('');
  const now = board.engine === 'kaluma' ? 'micros' : '() => getTime() * 1e6';
  return `import { replayTrace } from './replay-trace.js';
replayTrace([\n${rows}], ${opCount}, ${slotCount}, ${arenaBytes}, ${tickMs}, ${opsPerTick}, ${now});
`;
}

/** Bundles for the plan's board. A Problem when the engine lacks something the program uses, or when it does not fit. */
export async function bundlePlan(plan: ReplayPlan): Promise<Bundle> {
  const built = await bundle({
    entry: join(programsFolder, 'trace.js'),
    source: programText(plan),
    board: plan.board,
    policy: plan.policy,
    telemetry: 'events',
  });
  const refused = subsetProblem(checkSubset(built, plan.board), plan.board);
  if (refused) throw refused;
  // The arena's size is an argument of the program, which the estimate cannot see.
  const estimate = estimateMemory({ ...built, arenasBytes: [plan.arenaBytes] }, plan.board);
  const tooBig = (estimate && memoryProblem(estimate, plan.board)) ?? codeAreaProblem(built.bytes, plan.board);
  if (tooBig) throw tooBig;
  return built;
}

/** What the program says when it is done: `heapglass-replay name=value ...`. */
export interface BoardReport {
  ops: number;
  failures: number;
  damaged: number;
  mallocs: number;
  mallocUs: number;
  frees: number;
  freeUs: number;
  /** Microseconds between two readings of the clock, which every measured call includes once. */
  clockUs: number;
  live: number;
  blocks: number;
  free: number;
  largest: number;
}

const reportKeys = [
  'ops',
  'failures',
  'damaged',
  'mallocs',
  'mallocUs',
  'frees',
  'freeUs',
  'clockUs',
  'live',
  'blocks',
  'free',
  'largest',
] as const;

/** Reads the report out of a line of the REPL; null when it is not there, or not whole. */
export function parseBoardReport(line: string): BoardReport | null {
  const at = line.indexOf('heapglass-replay ');
  if (at < 0) return null;
  const words = new Map<string, string>();
  for (const word of line.slice(at).split(' ').slice(1)) {
    const [name = '', value = ''] = word.split('=');
    words.set(name, value);
  }
  const report = Object.fromEntries(
    reportKeys.map((key) => [key, Number.parseFloat(words.get(key) ?? '')]),
  ) as unknown as BoardReport;
  return reportKeys.every((key) => Number.isFinite(report[key])) ? report : null;
}

/** Mean core clocks of a malloc and a free, recording included, the clock's own reading taken off. */
export function cyclesPerCall(report: BoardReport, clockHz: number): { malloc: number; free: number } {
  const mean = (us: number, calls: number) =>
    calls === 0 ? 0 : Math.max(0, Math.round(((us / calls - report.clockUs) * clockHz) / 1e6));
  return { malloc: mean(report.mallocUs, report.mallocs), free: mean(report.freeUs, report.frees) };
}
