/**
 * The series over the whole session: bytes, and fragmentation below. A gap is nothing known: it is drawn as a gap, and
 * hatched. A click goes to that time; a drag shows a part, a double click all again.
 */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { SeriesPoint } from '../../view/scene.ts';
import { bytesText, durationText, percentText } from '../../view/units.ts';
import type { Board } from '../data/board.ts';
import { type Colours, colours } from './colours.ts';
import { el, panel, setText, Table } from './dom.ts';

const POINTS = 600;
const BYTES_HEIGHT = 190;
const PARTS_HEIGHT = 110;
const AXIS_WIDTH = 62;
const TABLE_ROWS = 24;
const FONT = '11px system-ui, sans-serif';

interface Line {
  key: 'liveBytes' | 'peakLiveBytes' | 'largestFreeBytes' | 'externalFragmentation';
  label: string;
  colour: keyof Colours & ('live' | 'peak' | 'largest' | 'fragmentation');
  text: (value: number) => string;
  isFilled?: boolean;
  dash?: number[];
}

const BYTES: readonly Line[] = [
  { key: 'liveBytes', label: 'live', colour: 'live', text: bytesText, isFilled: true },
  { key: 'peakLiveBytes', label: 'peak', colour: 'peak', text: bytesText, dash: [4, 4] },
  { key: 'largestFreeBytes', label: 'largest free', colour: 'largest', text: bytesText },
];
const PARTS: readonly Line[] = [
  { key: 'externalFragmentation', label: 'fragmentation', colour: 'fragmentation', text: percentText },
];

const secondsText = (seconds: number): string => durationText(seconds * 1000);

export class SeriesPanel {
  readonly root: HTMLElement;
  readonly #board: Board;
  readonly #plots: uPlot[] = [];
  readonly #places: HTMLElement[];
  readonly #values = new Map<Line, HTMLElement>();
  readonly #at = el('span', { class: 'quiet' });
  readonly #table = new Table('The series as figures', [
    { title: 'time' },
    ...[...BYTES, ...PARTS].map(({ label }) => ({ title: label, isNumber: true })),
  ]);
  readonly #details: HTMLDetailsElement;
  #points: readonly SeriesPoint[] = [];

  constructor(board: Board) {
    this.#board = board;
    const { root, head, body } = panel('Over time', 'series-panel');
    this.root = root;
    const legend = el('ul', { class: 'legend', 'aria-label': 'Lines' });
    for (const line of [...BYTES, ...PARTS]) {
      const value = el('b');
      this.#values.set(line, value);
      legend.append(el('li', {}, el('span', { class: `key line-${line.colour}` }), `${line.label} `, value));
    }
    head.append(this.#at);
    this.#places = [BYTES, PARTS].map((lines) =>
      el('div', { class: 'chart', role: 'img', 'aria-label': lines.map(({ label }) => label).join(', ') }),
    );
    this.#details = el(
      'details',
      {},
      el('summary', {}, 'As a table'),
      el(
        'div',
        { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Figures of the series' },
        this.#table.root,
      ),
    );
    this.#details.addEventListener('toggle', () => this.#fillTable());
    body.append(legend, ...this.#places, this.#details);
    new ResizeObserver(() => this.#fit()).observe(body);
  }

  /** Light and dark were changed: the plots are made anew. */
  restyle(): void {
    for (const plot of this.#plots.splice(0)) plot.destroy();
  }

  draw(): void {
    const { session } = this.#board;
    this.#points = session.timeline.points(POINTS);
    if (this.#points.length === 0) return;
    if (this.#plots.length === 0) this.#make();
    const times = this.#points.map(({ atMs }) => atMs / 1000);
    const data = (lines: readonly Line[]): uPlot.AlignedData => [
      times,
      ...lines.map(({ key }) => this.#points.map((point) => point[key])),
    ];
    this.#plots[0]?.setData(data(BYTES));
    this.#plots[1]?.setData(data(PARTS));
    this.#read(null);
    if (this.#details.open) this.#fillTable();
  }

  /** The values at an index of the points, or of the moment shown. */
  #read(index: number | null): void {
    const { elapsedMs } = this.#board.moment;
    let at = index ?? this.#points.length - 1;
    if (index === null && this.#board.moment.isPast) {
      at = this.#points.findLastIndex(({ atMs }) => atMs <= elapsedMs);
    }
    const point = this.#points[at];
    setText(this.#at, point === undefined ? '' : `at ${durationText(index === null ? elapsedMs : point.atMs)}`);
    for (const [line, element] of this.#values) {
      const value = point?.[line.key] ?? null;
      setText(element, value === null ? 'not known' : line.text(value));
    }
  }

  #fillTable(): void {
    const every = Math.max(1, Math.ceil(this.#points.length / TABLE_ROWS));
    const rows = this.#points.filter((_, index) => index % every === 0);
    this.#table.show(
      rows.map((point) => [
        durationText(point.atMs),
        ...[...BYTES, ...PARTS].map(({ key, text }) => (point[key] === null ? 'not known' : text(point[key]))),
      ]),
    );
  }

  #fit(): void {
    this.#plots.forEach((plot, index) => {
      const width = this.#places[index]!.clientWidth;
      if (width > 0 && width !== plot.width) plot.setSize({ width, height: plot.height });
    });
  }

  #make(): void {
    this.#plots.push(
      this.#plot(this.#places[0]!, BYTES, BYTES_HEIGHT, { range: (_, __, most) => [0, Math.max(64, most * 1.08)] }),
      this.#plot(this.#places[1]!, PARTS, PARTS_HEIGHT, { range: [0, 1] }),
    );
  }

  #plot(place: HTMLElement, lines: readonly Line[], height: number, y: uPlot.Scale): uPlot {
    const palette = colours();
    const axis = {
      stroke: palette.quiet,
      font: FONT,
      grid: { stroke: palette.line, width: 1 },
      ticks: { show: false },
    };
    const text = lines[0]!.text;
    return new uPlot(
      {
        width: Math.max(120, place.clientWidth),
        height,
        legend: { show: false },
        cursor: { sync: { key: this.#board.source.name }, points: { size: 6 }, drag: { x: true, y: false, dist: 6 } },
        scales: { x: { time: false }, y },
        axes: [
          { ...axis, size: 26, values: (_, splits) => splits.map(secondsText) },
          { ...axis, size: AXIS_WIDTH, space: 28, values: (_, splits) => splits.map((value) => text(value)) },
        ],
        series: [
          {},
          ...lines.map(({ label, colour, isFilled, dash }) => ({
            label,
            stroke: palette[colour],
            width: colour === 'peak' ? 1 : 1.75,
            points: { show: false },
            ...(isFilled && { fill: `${palette[colour]}22` }),
            ...(dash && { dash }),
          })),
        ],
        hooks: {
          setCursor: [(plot) => this.#read(plot.cursor.idx ?? null)],
          draw: [(plot) => this.#decorate(plot)],
          ready: [(plot) => this.#listen(plot)],
        },
      },
      [[]],
      place,
    );
  }

  #listen(plot: uPlot): void {
    let downX = 0;
    plot.over.addEventListener('mousedown', (event) => {
      downX = event.clientX;
    });
    plot.over.addEventListener('click', (event) => {
      if (Math.abs(event.clientX - downX) > 4) return;
      this.#board.travelTo(plot.posToVal(event.offsetX, 'x') * 1000);
    });
  }

  /** Gaps hatched, marks and failed requests as ticks, the moment shown as a line. */
  #decorate(plot: uPlot): void {
    const { ctx, bbox } = plot;
    const palette = colours();
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    this.#hatch(plot, palette.quiet);
    const upright = (atMs: number, colour: string, width: number, dash: number[]) => {
      const x = Math.round(plot.valToPos(atMs / 1000, 'x', true)) + 0.5;
      ctx.strokeStyle = colour;
      ctx.lineWidth = width * devicePixelRatio;
      ctx.setLineDash(dash);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    };
    for (const { kind, atMs } of this.#board.session.log) {
      if (kind === 'mark') upright(atMs, palette.quiet, 1, [2, 3]);
      if (kind === 'failure') upright(atMs, palette.bad, 1, [2, 3]);
    }
    const { isPast, elapsedMs } = this.#board.moment;
    if (isPast) upright(elapsedMs, palette.fg, 1.5, []);
    ctx.restore();
  }

  #hatch(plot: uPlot, colour: string): void {
    const { ctx, bbox } = plot;
    ctx.strokeStyle = colour;
    ctx.globalAlpha = 0.45;
    ctx.lineWidth = devicePixelRatio;
    const step = 7 * devicePixelRatio;
    for (let at = 0; at < this.#points.length; at++) {
      if (this.#points[at]!.liveBytes !== null) continue;
      let end = at;
      while (end < this.#points.length && this.#points[end]!.liveBytes === null) end++;
      const time = (index: number) => this.#points[Math.min(index, this.#points.length - 1)]!.atMs / 1000;
      const [left, right] = [plot.valToPos(time(at), 'x', true), plot.valToPos(time(end), 'x', true)];
      ctx.save();
      ctx.beginPath();
      ctx.rect(left, bbox.top, right - left, bbox.height);
      ctx.clip();
      ctx.beginPath();
      for (let x = left - bbox.height; x < right; x += step) {
        ctx.moveTo(x, bbox.top + bbox.height);
        ctx.lineTo(x + bbox.height, bbox.top);
      }
      ctx.stroke();
      ctx.restore();
      at = end;
    }
    ctx.globalAlpha = 1;
  }
}
