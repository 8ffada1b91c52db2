/**
 * Every metric of a board, and how it is read from its session. docs/metrics.md is made of this table.
 *
 * A figure that is not known is absent, never guessed: nothing of the heap before the board has said its arena, nothing
 * of the free memory before a walk, no forecast without a trend.
 */

import { policyNameOf } from '../../firmware/src/policies/index.ts';
import { forecast } from '../answers/forecast.ts';
import type { Session } from '../monitor/session.ts';
import type { BoardPoints, Metric, MetricType, Point, Unit } from './metric.ts';

/** What is asked of a board that is watched. */
export interface MeteredBoard {
  /** The `board` label. */
  readonly name: string;
  readonly port: string;
  readonly session: Session;
  readonly isOpen: boolean;
  /** Times the lost line was opened again. */
  readonly reconnects: number;
  /** Unix milliseconds. */
  readonly startedAtMs: number;
  /** Unix milliseconds of the last sound frame, null before the first. */
  readonly heardAtMs: number | null;
}

/** What several metrics share is worked out once. */
interface Reading {
  board: MeteredBoard;
  session: Session;
  figures: ReturnType<Session['figures']> | null;
  /** Whether free memory is known: from an exact map, or from a walk of the board itself. */
  isFreeKnown: boolean;
  totals: ReturnType<Session['totals']['read']>;
  sitesLive: Map<string, { bytes: number; blocks: number }>;
  sitesMade: ReturnType<Session['totals']['sites']>;
}

type Value = number | null;
type Labelled = Iterable<readonly [labels: readonly string[], value: number]>;

interface Definition extends Metric {
  read: (reading: Reading) => Value | Labelled;
}

function define(
  type: MetricType,
  unit: Unit,
  name: string,
  help: string,
  read: Definition['read'],
  labels: string[] = [],
): Definition {
  return { type, unit, name, help, read, labels };
}
const gauge = (unit: Unit, name: string, help: string, read: Definition['read'], labels?: string[]) =>
  define('gauge', unit, name, help, read, labels);
const counter = (unit: Unit, name: string, help: string, read: Definition['read'], labels?: string[]) =>
  define('counter', unit, name, help, read, labels);

const flag = (value: boolean): number => (value ? 1 : 0);

const definitions: readonly Definition[] = [
  gauge('', 'up', 'Whether the line to the board is open', ({ board }) => flag(board.isOpen)),
  gauge(
    '',
    'board_info',
    'Always 1; its labels say the policy and the kilohertz of the core',
    ({ session }) => {
      const hello = session.model.lastHello;
      if (hello === null) return null;
      return [[[policyNameOf(hello.policy) ?? `policy ${hello.policy}`, String(hello.clockHz / 1000)], 1]];
    },
    ['policy', 'clock_khz'],
  ),
  gauge('s', 'last_frame_timestamp', 'Unix time at which the last sound frame came', ({ board }) =>
    board.heardAtMs === null ? null : board.heardAtMs / 1000,
  ),
  gauge('', 'telemetry_level', 'Level in force on the board: 1 counters, 2 sampled, 3 events', ({ session }) => {
    const { lastCounters, lastHello } = session.model;
    return (lastCounters ?? lastHello)?.level ?? null;
  }),
  gauge('', 'map_exact', 'Whether the map is that of the board, block by block', ({ figures, session }) =>
    figures === null ? null : flag(session.model.exact),
  ),

  gauge('By', 'arena', 'Size of the arena, everything included', ({ figures, session }) =>
    figures === null ? null : session.model.arenaBytes,
  ),
  gauge('By', 'live', 'What live blocks hold for the program', ({ figures }) => figures?.liveBytes ?? null),
  gauge(
    'By',
    'peak_live',
    'High-water mark of the live bytes since the board started',
    ({ figures }) => figures?.peakLiveBytes ?? null,
  ),
  gauge('{block}', 'live_blocks', 'Live blocks', ({ figures }) => figures?.liveBlocks ?? null),
  gauge('By', 'free', 'Free memory in the arena', ({ figures, isFreeKnown }) =>
    isFreeKnown ? figures!.freeBytes : null,
  ),
  gauge(
    'By',
    'largest_free',
    'Largest free block: the largest request that can be served',
    ({ figures, isFreeKnown }) => (isFreeKnown ? figures!.largestFreeBytes : null),
  ),
  gauge(
    '1',
    'external_fragmentation',
    'Part of the free memory outside the largest free block',
    ({ figures, isFreeKnown }) => (isFreeKnown ? figures!.externalFragmentation : null),
  ),
  gauge(
    '1',
    'internal_fragmentation',
    'Part of the live bytes that nobody asked for',
    ({ figures }) => figures?.internalFragmentation ?? null,
  ),

  gauge('s', 'arena_full', 'Until the arena is full if what leaks goes on; absent without a trend', ({ session }) => {
    const said = forecast(session.leaks, session.model);
    return said && said.confidence !== 'low' ? said.fullInMs / 1000 : null;
  }),
  gauge(
    'By',
    'engine_used',
    "Used of the engine's own heap, without what its sampling takes",
    ({ session }) => session.model.engineHeap.figures()?.usedBytes ?? null,
  ),
  gauge(
    'By',
    'engine_heap',
    "Size of the engine's own heap",
    ({ session }) => session.model.engineHeap.figures()?.totalBytes ?? null,
  ),

  counter(
    '{operation}',
    'operations',
    "The board's own count of mallocs, frees and reallocs, recorded or not",
    ({ totals }) => totals.operations,
  ),
  counter('{operation}', 'mallocs', 'Mallocs and memaligns heard', ({ totals }) => totals.mallocs),
  counter('{operation}', 'reallocs', 'Reallocs heard', ({ totals }) => totals.reallocs),
  counter('{operation}', 'frees', 'Frees heard', ({ totals }) => totals.frees),
  counter('{request}', 'failed_requests', 'Requests that got nothing', ({ totals }) => totals.failures),
  counter('{operation}', 'misuses', 'Frees and reallocs of what is no live block', ({ totals }) => totals.misuses),
  counter('{report}', 'post_mortems', 'Reports of a failed request', ({ session }) => session.postMortems),
  counter('{mark}', 'marks', 'Marks of the program and of who watches', ({ session }) => session.markCount),

  counter('{frame}', 'frames', 'Sound frames', ({ session }) => session.decoder.statistics.frames),
  counter('By', 'line', 'Bytes that the line brought', ({ session }) => session.decoder.statistics.bytes),
  counter(
    'By',
    'text',
    'Of these, what the program or the prompt printed',
    ({ session }) => session.decoder.statistics.textBytes,
  ),
  counter(
    '{frame}',
    'lost_frames',
    'Frames that the board made and the line lost',
    ({ session }) => session.decoder.statistics.lostFrames,
  ),
  counter(
    '{event}',
    'lost_events',
    'Events in the lost frames, as far as later frames tell',
    ({ session }) => session.decoder.statistics.lostRecords,
  ),
  counter(
    'By',
    'damaged',
    'Bytes that were neither text nor a sound frame',
    ({ session }) => session.decoder.statistics.damagedBytes,
  ),
  counter(
    '{frame}',
    'bad_frames',
    'Sound frames that make no sense: an unknown version, or a malformed body',
    ({ session }) => {
      const { unknownFrames, malformedFrames } = session.decoder.statistics;
      return unknownFrames + malformedFrames;
    },
  ),
  counter(
    '{event}',
    'dropped_events',
    'Events that the board dropped because its line was full',
    ({ totals }) => totals.dropped,
  ),
  counter(
    '{event}',
    'skipped_events',
    'Events that the board did not record because of its level',
    ({ totals }) => totals.skipped,
  ),
  counter(
    '{restart}',
    'board_restarts',
    'Restarts of the board heard',
    ({ session }) => session.decoder.statistics.restarts,
  ),
  counter('{reconnect}', 'line_reconnects', 'Times the lost line was opened again', ({ board }) => board.reconnects),

  gauge('By', 'site_live', 'Live bytes of a call site', ({ sitesLive }) => labelled(sitesLive, ({ bytes }) => bytes), [
    'site',
  ]),
  gauge(
    '{block}',
    'site_live_blocks',
    'Live blocks of a call site',
    ({ sitesLive }) => labelled(sitesLive, ({ blocks }) => blocks),
    ['site'],
  ),
  counter(
    'By',
    'site_made',
    'Bytes ever made at a call site',
    ({ sitesMade }) => labelled(sitesMade, ({ bytes }) => bytes),
    ['site'],
  ),
  counter(
    '{block}',
    'site_made_blocks',
    'Blocks ever made at a call site',
    ({ sitesMade }) => labelled(sitesMade, ({ blocks }) => blocks),
    ['site'],
  ),
  gauge(
    'By',
    'site_leak',
    'Growth of a call site that is judged to leak; absent for all others',
    ({ session }) => labelled(leaking(session), (bytes) => bytes),
    ['site'],
  ),
];

/** The table without the way to read it. */
export const metrics: readonly Metric[] = definitions;

function* labelled<T>(by: Map<string, T>, value: (one: T) => number): Labelled {
  for (const [name, one] of by) yield [[name], value(one)];
}

function sitesLive(session: Session): Reading['sitesLive'] {
  const live: Reading['sitesLive'] = new Map();
  for (const { site, liveBytes, liveBlocks } of session.model.sites.list()) {
    const name = session.totals.shownName(session.siteName(site));
    const sum = live.get(name) ?? { bytes: 0, blocks: 0 };
    live.set(name, { bytes: sum.bytes + liveBytes, blocks: sum.blocks + liveBlocks });
  }
  return live;
}

function leaking(session: Session): Map<string, number> {
  const growth = new Map<string, number>();
  for (const { site, growthBytes } of session.leaks.verdicts(session.model)) {
    const name = session.totals.shownName(session.siteName(site));
    growth.set(name, (growth.get(name) ?? 0) + growthBytes);
  }
  return growth;
}

/** The board at this moment. Costs a walk over its map. */
export function readBoard(board: MeteredBoard): BoardPoints {
  const { session } = board;
  const { model } = session;
  const figures = model.arenaBytes > 0 ? session.figures() : null;
  const reading: Reading = {
    board,
    session,
    figures,
    isFreeKnown: figures !== null && (model.exact || (model.lastCounters?.freeBytes ?? 0) > 0),
    totals: session.totals.read(model),
    sitesLive: sitesLive(session),
    sitesMade: session.totals.sites(model, (site) => session.siteName(site)),
  };
  const points = definitions.flatMap((metric): Point[] => {
    const value = metric.read(reading);
    if (value === null) return [];
    if (typeof value === 'number') return [{ metric, value, labels: [] }];
    return [...value].map(([labels, value]) => ({ metric, value, labels }));
  });
  return { board: board.name, port: board.port, startedAtMs: board.startedAtMs, points };
}
