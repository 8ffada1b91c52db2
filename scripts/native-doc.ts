/**
 * Writes the table of docs/native.md that sets the native policies beside C allocators: cycles on a Cortex-M0+, over the
 * recorded traces that the C allocators' figures were taken on. Both lie beside the project, in `../shared`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../boards/root.ts';
import { type PolicyName, policies } from '../firmware/src/policies/index.ts';
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
/** Ours in the table. */
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
  const meter = await nativeMeter('cortex-m0plus');
  for (const policy of ours) {
    const malloc: Cycles[] = [];
    const free: Cycles[] = [];
    let bytes = 0;
    for (const [name] of measured) {
      const trace = readTrace(join(packageRoot, '..', 'shared', 'traces', `${name}.trace`));
      const { cycles, codeBytes } = ((await meter(policy, trace, ampleArenaBytes(trace))) ??
        (await inMore(meter, policy, trace)))!;
      malloc.push(cycles.malloc);
      free.push(cycles.free);
      bytes = codeBytes!;
    }
    rows.push(rowOf(`\`${policy}\``, true, bytes, malloc, free));
  }
  return rows.sort((a, b) => a.mallocMean - b.mallocMean);
}

export const tableHead = '| | malloc mean / max | free mean / max | code, bytes |\n|---|---|---|--:|\n';

export function tableText(rows: readonly Row[]): string {
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

if (argv[1] === fileURLToPath(import.meta.url)) {
  const text = readFileSync(documentPath, 'utf8');
  const start = text.indexOf(tableHead);
  const end = text.indexOf('\n\n', start) + 1;
  writeFileSync(documentPath, text.slice(0, start) + tableText(await peerRows()) + text.slice(end));
}
