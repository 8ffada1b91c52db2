/**
 * Gathers what a report shows while a session runs: key frames of the map at even times, in fixed memory (when there
 * are too many, every second one goes and the times between them double).
 */
import { CELL_BEYOND, mapCells } from '../panels/map-cells.ts';
import type { Scene } from '../scene.ts';
import { verdicts } from '../verdicts.ts';

/** Cells of the report's map, and of each key frame. */
const REPORT_CELLS = 1024;
const MOST_KEY_FRAMES = 128;
const FIRST_EVERY_MS = 50;

export interface KeyFrame {
  atMs: number;
  /** One character a cell: 0 free to 9 live, `c` control, `b` beyond a break, blank beyond the arena. */
  cells: string;
  liveBytes: number;
  largestFreeBytes: number;
  exact: boolean;
}

/** Everything a report shows; plain data, kept in the page as JSON. */
export interface ReportData {
  title: string;
  summary: readonly string[];
  verdicts: readonly string[];
  source: string;
  program: string;
  policy: string | null;
  clock: Scene['clock'];
  arenaBytes: number | null;
  cellBytes: number;
  figures: Scene['figures'];
  line: Scene['line'];
  engine: NonNullable<Scene['engine']> | null;
  series: Scene['series'];
  histogram: Scene['histogram'];
  sites: Scene['sites'];
  marks: NonNullable<Scene['marks']>;
  keyFrames: readonly KeyFrame[];
  /** Absent where the heap has one arena. */
  regions?: NonNullable<Scene['regions']>;
}

function cellsText(parts: Float64Array): string {
  let text = '';
  for (const part of parts) {
    if (Number.isNaN(part)) text += ' ';
    else if (part < 0) text += part === CELL_BEYOND ? 'b' : 'c';
    // Only a wholly free cell is 0 and only a wholly live one is 9.
    else text += part <= 0 ? '0' : part >= 1 ? '9' : String(1 + Math.min(7, Math.floor(part * 8)));
  }
  return text;
}

export class ReportRecorder {
  private frames: KeyFrame[] = [];
  private everyMs: number;
  private nextMs = 0;

  /** `everyMs` is the least time between two key frames; of a trace, the least number of operations. */
  constructor(everyMs = FIRST_EVERY_MS) {
    this.everyMs = everyMs;
  }

  /** Keeps the scene when it is time for one and a heap is known; the function is not called otherwise. */
  moment(atMs: number, scene: () => Scene): void {
    if (atMs < this.nextMs) return;
    const now = scene();
    if (now.arenaBytes === null) return;
    this.nextMs = atMs + this.everyMs;
    this.frames.push(this.keyFrame(now));
    if (this.frames.length < MOST_KEY_FRAMES) return;
    this.frames = this.frames.filter((_, index) => index % 2 === 0);
    this.everyMs *= 2;
  }

  finish(scene: Scene, title: string, summary: readonly string[]): ReportData {
    const last = this.keyFrame(scene);
    return {
      title,
      summary,
      verdicts: verdicts(scene),
      source: scene.source,
      program: scene.program,
      policy: scene.policy,
      clock: scene.clock,
      arenaBytes: scene.arenaBytes,
      cellBytes: mapCells(scene, REPORT_CELLS).cellBytes,
      figures: scene.figures,
      line: scene.line,
      engine: scene.engine ?? null,
      series: scene.series,
      histogram: scene.histogram.filter(({ liveBlocks }) => liveBlocks > 0),
      sites: scene.sites,
      marks: scene.marks ?? [],
      ...(scene.regions?.length && { regions: scene.regions }),
      keyFrames: [...this.frames.filter(({ atMs }) => atMs < last.atMs), last],
    };
  }

  private keyFrame(scene: Scene): KeyFrame {
    return {
      atMs: scene.atMs,
      cells: cellsText(mapCells(scene, REPORT_CELLS).parts),
      liveBytes: scene.figures?.liveBytes ?? 0,
      largestFreeBytes: scene.figures?.largestFreeBytes ?? 0,
      exact: scene.exact,
    };
  }
}
