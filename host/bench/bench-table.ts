/** The figures of `bench` as text: one line a trace, one column a policy, the best recorded peer beside them. */
import type { PolicyName } from '../../firmware/src/policies/index.ts';
import type { Trace } from '../trace/trace.ts';
import { type BenchRow, geometricMean } from './bench.ts';
import { peerFootprints } from './peers.ts';
import type { Call } from './step-meter.ts';
import type { WorstRow } from './worst.ts';

const percent = (share: number | null): string => (share === null ? '-' : (share * 100).toFixed(1));

/** Columns are as wide as their widest cell; the first is aligned left. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** Utilisation in percent. */
export function benchTable(results: readonly BenchRow[]): string {
  const policies = [...new Set(results.map(({ policy }) => policy))];
  const traces = [...new Set(results.map(({ trace }) => trace))];
  const cell = (trace: string, policy: PolicyName): BenchRow =>
    results.find((row) => row.trace === trace && row.policy === policy)!;
  const rows = [['utilisation, %', 'peak live', ...policies, 'best peer']];
  for (const trace of traces) {
    const { peakLiveBytes } = cell(trace, policies[0]!);
    const peer = peerFootprints(trace, peakLiveBytes)[0];
    rows.push([
      trace,
      String(peakLiveBytes),
      ...policies.map((policy) => percent(cell(trace, policy).utilisation)),
      peer ? `${percent(peakLiveBytes / peer.footprintBytes)} ${peer.peer}` : '-',
    ]);
  }
  return textTable(rows);
}

/** Geometric means over the recorded traces, of policies and of peers, the best first; whoever has no answer for one is named below. */
export function summaryTable(results: readonly BenchRow[], traces: readonly Trace[]): string {
  const recorded = traces.filter(({ header }) => header.recorder !== undefined);
  const entries: { name: string; alignment: number; utilisations: number[] }[] = [];
  const entry = (name: string, alignment: number): number[] => {
    let found = entries.find((other) => other.name === name);
    if (!found) {
      found = { name, alignment, utilisations: [] };
      entries.push(found);
    }
    return found.utilisations;
  };
  for (const trace of recorded) {
    for (const row of results) {
      if (row.trace === trace.name && row.utilisation !== null) {
        entry(row.policy, row.payloadAlignmentBytes).push(row.utilisation);
      }
    }
    for (const { peer, footprintBytes, payloadAlignmentBytes } of peerFootprints(trace.name, trace.peakLiveBytes)) {
      entry(`${peer} (C)`, payloadAlignmentBytes).push(trace.peakLiveBytes / footprintBytes);
    }
  }
  const complete = entries.filter(({ utilisations }) => utilisations.length === recorded.length);
  if (recorded.length === 0 || complete.length === 0) return '';
  complete.sort((a, b) => geometricMean(b.utilisations) - geometricMean(a.utilisations));
  const names = new Set(recorded.map(({ name }) => name));
  const without = results.filter(({ trace, utilisation }) => names.has(trace) && utilisation === null);
  const notes = [...new Set(without.map(({ policy }) => policy))].map((policy) => {
    const missed = without.filter((row) => row.policy === policy).map(({ trace }) => trace);
    return `${policy} is in no mean: no arena that it can use completes ${missed.join(', ')}\n`;
  });
  const table = textTable([
    [`over ${recorded.length} recorded traces`, 'alignment', 'geomean %', 'worst %'],
    ...complete.map(({ name, alignment, utilisations }) => [
      name,
      String(alignment),
      percent(geometricMean(utilisations)),
      percent(Math.min(...utilisations)),
    ]),
  ]);
  return `${table}${notes.join('')}`;
}

/** Sequences that `bench --worst` searches for a policy. */
export const WORST_TRIES = 150;

/** Loop steps found of those stated for that very call, and thousands of cycles by board. */
export function worstTable(rows: readonly WorstRow[]): string {
  const boards = Object.keys(rows[0]?.cycles ?? {});
  const calls: readonly Call[] = ['malloc', 'free', 'realloc'];
  const header = [
    `steps, of the bound, in ${rows[0]?.arenaBytes} bytes`,
    ...calls,
    ...boards.flatMap((board) => calls.map((call) => `${board} ${call}, k`)),
  ];
  return textTable([
    header,
    ...rows.map(({ policy, steps, cycles }) => [
      policy,
      ...calls.map((call) => `${Math.max(steps[call].steps, 0)} of ${steps[call].bound}`),
      ...boards.flatMap((board) =>
        calls.map((call) => {
          const of = cycles[board];
          return of ? (of[call] / 1000).toFixed(0) : '-';
        }),
      ),
    ]),
  ]);
}
