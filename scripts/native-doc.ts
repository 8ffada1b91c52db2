/**
 * Writes the tables of docs/native.md: the native policies over all shared traces, and beside C allocators over the
 * recorded traces that the C allocators' figures were taken on. Cycles on a Cortex-M0+. Traces and figures lie beside the
 * project, in `../shared`.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../boards/root.ts';
import { type PolicyName, policies } from '../firmware/src/policies/index.ts';
import { loopCounts } from '../firmware/toolchain/native/loop-bounds.ts';
import { compilePolicy } from '../firmware/toolchain/native/policy.ts';
import { cortexM0Plus } from '../firmware/toolchain/native/timing.ts';
import { worstCases } from '../firmware/toolchain/native/wcet.ts';
import { ampleArenaBytes, type CycleMeter } from '../host/bench/cycles.ts';
import { minimumFootprint } from '../host/bench/footprint.ts';
import { nativeMeter } from '../host/bench/native.ts';
import { readTrace, type Trace } from '../host/trace/trace.ts';

export const documentPath = join(packageRoot, 'docs', 'native.md');
export const peersPath = join(packageRoot, '..', 'shared', 'peers', 'public-traces.json');

export interface Row {
  readonly name: string;
  readonly isOurs: boolean;
  readonly mallocMean: number;
  readonly mallocMax: number;
  readonly freeMean: number;
  readonly freeMax: number;
  readonly codeBytes: number;
}

interface Cycles {
  readonly mean: number;
  readonly max: number;
}

interface Peers {
  readonly traces: Record<
    string,
    { peers: Record<string, { mallocCyclesM0Plus?: Cycles; freeCyclesM0Plus?: Cycles } | null> }
  >;
}

/** .text of gcc 12.2 -Os, as recorded with the C allocators' figures. */
const peerNames: Record<string, { name: string; codeBytes: number }> = {
  dlmalloc: { name: 'dlmalloc 2.8.6 mspace', codeBytes: 5220 },
  heap_4: { name: 'FreeRTOS heap_4', codeBytes: 520 },
  umm_ff: { name: 'umm_malloc first fit', codeBytes: 1272 },
  o1heap: { name: 'o1heap 2.2', codeBytes: 742 },
  o1heap3: { name: 'o1heap 3', codeBytes: 1602 },
  zephyr: { name: 'Zephyr sys_heap', codeBytes: 1630 },
  tlsf: { name: 'TLSF 3.1', codeBytes: 1262 },
  emmalloc: { name: 'emmalloc', codeBytes: 1312 },
  umm: { name: 'umm_malloc best fit', codeBytes: 1300 },
};
/** Ours in the table over all traces. */
export const policyNames: readonly PolicyName[] = [
  'segregated',
  'slab',
  'tlsf',
  'percore',
  'buddy',
  'best-fit',
  'trie-fit',
];
const tracesPath = join(packageRoot, '..', 'shared', 'traces');
/** Ours beside C allocators. */
const ourNames: readonly PolicyName[] = ['segregated', 'tlsf', 'slab', 'trie-fit'];

function rowOf(
  name: string,
  isOurs: boolean,
  codeBytes: number,
  malloc: readonly Cycles[],
  free: readonly Cycles[],
): Row {
  // Geometric, so that no trace weighs more than another.
  const mean = (list: readonly Cycles[]): number =>
    Math.exp(list.reduce((sum, cycles) => sum + Math.log(cycles.mean), 0) / list.length);
  const max = (list: readonly Cycles[]): number => Math.max(...list.map((cycles) => cycles.max));
  return {
    name,
    isOurs,
    mallocMean: mean(malloc),
    mallocMax: max(malloc),
    freeMean: mean(free),
    freeMax: max(free),
    codeBytes,
  };
}

/** As bench does it, where the ample arena is not enough for a policy: twice its own footprint. */
async function inMore(meter: CycleMeter, policy: PolicyName, trace: Trace): ReturnType<CycleMeter> {
  const { footprintBytes } = minimumFootprint(policies[policy], trace)!;
  return meter(policy, trace, (2 * footprintBytes + 15) & ~15);
}

/** A policy of ours over shared traces. */
async function ourRow(policy: PolicyName, traceNames: readonly string[]): Promise<Row> {
  const meter = await nativeMeter('cortex-m0plus');
  const malloc: Cycles[] = [];
  const free: Cycles[] = [];
  let bytes = 0;
  for (const name of traceNames) {
    const trace = readTrace(join(tracesPath, name));
    const { cycles, codeBytes } = ((await meter(policy, trace, ampleArenaBytes(trace))) ??
      (await inMore(meter, policy, trace)))!;
    malloc.push(cycles.malloc);
    free.push(cycles.free);
    bytes = codeBytes!;
  }
  return rowOf(`\`${policy}\``, true, bytes, malloc, free);
}

/** Policies over all shared traces, by mean cycles of malloc. Throws where `../shared` is not there. */
export async function policyRows(policies: readonly PolicyName[] = policyNames): Promise<Row[]> {
  const names = readdirSync(tracesPath).filter((name) => name.endsWith('.trace'));
  const rows = [];
  for (const policy of policies) rows.push(await ourRow(policy, names));
  return rows.sort((a, b) => a.mallocMean - b.mallocMean);
}

/** The rows by mean cycles of malloc. Reads `../shared`; throws where it is not there. */
export async function peerRows(ours: readonly PolicyName[] = ourNames): Promise<Row[]> {
  const { traces } = JSON.parse(readFileSync(peersPath, 'utf8')) as Peers;
  const measured = Object.entries(traces).filter(([, { peers }]) => peers.tlsf?.mallocCyclesM0Plus);
  const rows = Object.entries(peerNames).map(([key, { name, codeBytes }]) => {
    const peers = measured.map(([, trace]) => trace.peers[key]!);
    const malloc = peers.map((peer) => peer.mallocCyclesM0Plus!);
    return rowOf(
      name,
      false,
      codeBytes,
      malloc,
      peers.map((peer) => peer.freeCyclesM0Plus!),
    );
  });
  const names = measured.map(([name]) => `${name}.trace`);
  for (const policy of ours) rows.push(await ourRow(policy, names));
  return rows.sort((a, b) => a.mallocMean - b.mallocMean);
}

export const tableHead = '| | malloc mean / max | free mean / max | code, bytes |\n|---|---|---|--:|\n';

export const policyTableHead =
  '| policy | malloc mean / max | free mean / max | malloc, free and realloc, bytes |\n|---|---|---|--:|\n';

function policyTableText(rows: readonly Row[]): string {
  const lines = rows.map(
    ({ name, mallocMean, mallocMax, freeMean, freeMax, codeBytes }) =>
      `| ${name} | ${mallocMean.toFixed(1)} / ${mallocMax} | ${freeMean.toFixed(1)} / ${freeMax} | ${codeBytes} |`,
  );
  return `${policyTableHead}${lines.join('\n')}\n`;
}

function tableText(rows: readonly Row[]): string {
  const lines = rows.map(({ name, isOurs, mallocMean, mallocMax, freeMean, freeMax, codeBytes }) => {
    const cells = [
      name,
      `${mallocMean.toFixed(0)} / ${mallocMax}`,
      `${freeMean.toFixed(0)} / ${freeMax}`,
      `${codeBytes}`,
    ].map((cell) => (isOurs ? `**${cell}**` : cell));
    return `| ${cells.join(' | ')} |`;
  });
  return `${tableHead}${lines.join('\n')}\n`;
}

const boundTableHead = '| policy | malloc bound / measured | free bound / measured |\n|---|---|---|\n';
const boundPolicies: readonly PolicyName[] = ['tlsf', 'buddy', 'percore', 'slab', 'trie-fit', 'best-fit', 'segregated'];
/** No interrupt uses the heap, and nothing overwrites links. */
const undisturbed = { deferred: 0, overwritten: 0 };

/** The bound for the arena of a trace in the project, beside the most that its calls took. */
export async function boundTableText(): Promise<string> {
  const trace = readTrace(join(packageRoot, 'test', 'fixtures', 'traces', 'lua-queens.trace'));
  const arenaBytes = ampleArenaBytes(trace);
  const meter = await nativeMeter('cortex-m0plus');
  const lines: string[] = [];
  for (const policy of boundPolicies) {
    const bounds = worstCases(compilePolicy(policy, 'cortex-m0plus'), cortexM0Plus(), {
      ...loopCounts(arenaBytes),
      ...undisturbed,
    });
    const { cycles } = (await meter(policy, trace, arenaBytes))!;
    const cells = (['malloc', 'free'] as const).map((call) => {
      const bound = bounds.get(call)!;
      return `${'cycles' in bound ? bound.cycles : 'none'} / ${cycles[call].max}`;
    });
    lines.push(`| \`${policy}\` | ${cells.join(' | ')} |`);
  }
  return `${boundTableHead}${lines.join('\n')}\n`;
}

/** The text with the table that begins with `head` replaced. */
function withTable(text: string, head: string, table: string): string {
  const start = text.indexOf(head);
  const end = text.indexOf('\n\n', start) + 1;
  return text.slice(0, start) + table + text.slice(end);
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const text = readFileSync(documentPath, 'utf8');
  const withBounds = withTable(text, boundTableHead, await boundTableText());
  const withOurs = withTable(withBounds, policyTableHead, policyTableText(await policyRows()));
  writeFileSync(documentPath, withTable(withOurs, tableHead, tableText(await peerRows())));
}
