/**
 * The address map: wheel, drag and keys go through it, the line under it says what the pointer or the keys are at, and
 * the same is there as a table.
 *
 *   arrows   the block before and after, the row above and below       + -   larger, smaller
 *   Enter    zoom to the block                                          0     all of it
 */
import type { Block } from '../../../model/heap-model.ts';
import { regionRows } from '../../../model/regions.ts';
import { bytesText } from '../../../view/units.ts';
import type { Board } from '../../data/board.ts';
import { colours } from '../colours.ts';
import { el, type Panel, panel, setText } from '../dom.ts';
import { BlockTable } from './block-table.ts';
import { blockAt, blocksOf, type ColourBy, drawMap } from './draw.ts';
import { Legend } from './legend.ts';
import { Viewport } from './viewport.ts';
import { blockWords, hex, isSwept, mapWords } from './words.ts';

const ROW_PITCH = 18;
const ROW_HEIGHT = 16;
const GUTTER_PX = 62;
const LEAST_ROWS = 8;
const MOST_ROWS = 18;
const ZOOM_STEP = 0.7;
/** Of a wheel's notch, which is 100 in most browsers. */
const WHEEL_ZOOM = 0.0025;

export class MapPanel {
  readonly root: HTMLElement;
  /** Blocks of this site are lit alone; set by the table of sites. */
  site: number | null = null;
  readonly #board: Board;
  readonly #panel: Panel;
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #viewport = new Viewport();
  readonly #said = el('p', { class: 'said', 'aria-live': 'polite' });
  readonly #scale = el('span', { class: 'quiet' });
  readonly #legend = new Legend();
  readonly #table: BlockTable;
  readonly #changed: () => void;
  #by: ColourBy = 'age';
  #chosen = -1;
  #hovered = -1;
  #dragFrom: { y: number; x: number; from: number } | null = null;

  constructor(board: Board, changed: () => void) {
    this.#board = board;
    this.#changed = changed;
    this.#panel = panel('Address map', 'map-panel');
    this.#canvas = el('canvas', { class: 'map', role: 'application', tabindex: '0', 'aria-roledescription': 'map' });
    this.#context = this.#canvas.getContext('2d')!;
    this.#table = new BlockTable(changed);
    const button = (text: string, label: string, act: () => void) =>
      el('button', { type: 'button', class: 'small', 'aria-label': label, title: label, onclick: act }, text);
    const by = el(
      'select',
      {
        'aria-label': 'Colour blocks by',
        onchange: (event) => this.#colourBy((event.target as HTMLSelectElement).value),
      },
      el('option', { value: 'age' }, 'colour by age'),
      el('option', { value: 'site' }, 'colour by site'),
      el('option', { value: 'use' }, 'colour by use'),
    );
    const table = el('button', { type: 'button', class: 'small', 'aria-pressed': 'false' }, 'Table');
    table.addEventListener('click', () => {
      const { root } = this.#table;
      root.hidden = !root.hidden;
      table.setAttribute('aria-pressed', String(!root.hidden));
      changed();
    });
    this.#panel.head.append(
      this.#scale,
      el(
        'div',
        { class: 'controls' },
        by,
        button('−', 'Smaller', () => this.#zoom(1 / ZOOM_STEP)),
        button('+', 'Larger', () => this.#zoom(ZOOM_STEP)),
        button('All', 'All: the whole arena', () => this.#showAll()),
        table,
      ),
    );
    this.#panel.body.append(this.#canvas, this.#said, this.#legend.root, this.#table.root);
    this.root = this.#panel.root;
    this.#listen();
    new ResizeObserver(changed).observe(this.#canvas);
  }

  draw(): void {
    const { model } = this.#board.moment;
    const { session } = this.#board;
    const view = this.#viewport;
    const regions = regionRows(model);
    view.fit(model.arenaBytes, regions);
    this.#resize();
    const ranks = new Map(
      model.sites
        .list()
        .filter(({ liveBlocks, site }) => liveBlocks > 0 && site !== 0)
        .map(({ site }, rank) => [site, rank] as const)
        .filter(([, rank]) => rank < colours().sites.length - 1),
    );
    let oldestAt = model.operations;
    model.forEachBlock((block) => {
      if (block.live && block.bornAt < oldestAt) oldestAt = block.bornAt;
    });
    const nameOf = (site: number) => session.siteName(site);
    drawMap(this.#context, {
      model,
      viewport: view,
      colours: colours(),
      by: this.#by,
      regions,
      ranks,
      oldestAt,
      chosen: this.#chosen,
      hovered: this.#hovered,
      nameOf,
      site: this.site,
    });
    this.#canvas.setAttribute('aria-label', mapWords(model));
    setText(
      this.#scale,
      model.arenaBytes === 0
        ? ''
        : view.isWhole && view.labels.length > 0
          ? `${regions.length} regions, ${bytesText(model.arenaBytes)}`
          : view.isWhole
            ? `${bytesText(model.arenaBytes)}, ${bytesText(view.bytesPerRow)} a row`
            : `${hex(view.from)} to ${hex(view.from + view.span - 1)}, ${bytesText(view.bytesPerRow)} a row`,
    );
    this.#legend.show(this.#by, ranks, nameOf, regions.length > 0);
    this.#say();
    if (!this.#table.root.hidden) this.#table.show(this.#board);
  }

  #say(): void {
    const { model } = this.#board.moment;
    const at = this.#hovered >= 0 ? this.#hovered : this.#chosen;
    const block = at < 0 ? null : blockAt(model, at);
    if (model.arenaBytes === 0) setText(this.#said, 'No snapshot of the heap has arrived yet.');
    else if (at >= 0 && at < model.firstBlock)
      setText(this.#said, `${hex(0)} to ${hex(model.firstBlock - 1)}: the policy's own`);
    else if (block === null) {
      setText(
        this.#said,
        model.exact
          ? 'Point at a block, or go through them with the arrow keys.'
          : isSwept(model)
            ? 'The board sends no events: this is its last sweep, without sizes, sites and ages.'
            : 'After a loss: the map is not exact until a sweep has passed over it.',
      );
    } else
      setText(
        this.#said,
        blockWords(block, model, (site) => this.#board.session.siteName(site)),
      );
  }

  #resize(): void {
    const width = this.#canvas.clientWidth;
    const { arenaBytes } = this.#viewport;
    // A small arena needs no more rows than it has bytes to show.
    const regions = this.#board.moment.model.heapRegions.length;
    const rows = regions + Math.max(LEAST_ROWS, Math.min(MOST_ROWS, Math.ceil(arenaBytes / 128)));
    const left = width < 480 ? 0 : GUTTER_PX;
    this.#viewport.extent = { left, width: width - left, rows, pitch: ROW_PITCH, height: ROW_HEIGHT };
    const height = rows * ROW_PITCH;
    this.#canvas.style.height = `${height}px`;
    const [wide, high] = [Math.round(width * devicePixelRatio), Math.round(height * devicePixelRatio)];
    if (this.#canvas.width !== wide) this.#canvas.width = wide;
    if (this.#canvas.height !== high) this.#canvas.height = high;
  }

  #colourBy(value: string): void {
    this.#by = value === 'site' || value === 'use' ? value : 'age';
    this.#changed();
  }

  #zoom(factor: number, around = this.#middle()): void {
    this.#viewport.zoom(factor, around);
    this.#changed();
  }

  /** The chosen block, or the middle of what is seen. */
  #middle(): number {
    const view = this.#viewport;
    const isSeen = this.#chosen >= view.from && this.#chosen < view.from + view.span;
    return isSeen ? this.#chosen : view.from + view.span / 2;
  }

  #showAll(): void {
    this.#viewport.showAll();
    this.#changed();
  }

  #listen(): void {
    const canvas = this.#canvas;
    canvas.addEventListener(
      'wheel',
      (event) => {
        // Where there is nothing left to leave, the page scrolls.
        if (event.deltaY > 0 && this.#viewport.isWhole) return;
        event.preventDefault();
        const byte = this.#viewport.byteAt(event.offsetX, event.offsetY) ?? this.#middle();
        this.#zoom(Math.exp(Math.max(-200, Math.min(200, event.deltaY)) * WHEEL_ZOOM), byte);
      },
      { passive: false },
    );
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.#dragFrom = { x: event.offsetX, y: event.offsetY, from: this.#viewport.from };
      this.#chosen = this.#startAt(event) ?? -1;
      this.#changed();
    });
    canvas.addEventListener('pointermove', (event) => {
      if (this.#dragFrom !== null && (event.buttons & 1) !== 0) this.#drag(event);
      else this.#hovered = this.#startAt(event) ?? -1;
      this.#changed();
    });
    canvas.addEventListener('pointerup', () => {
      this.#dragFrom = null;
    });
    canvas.addEventListener('pointerleave', () => {
      this.#hovered = -1;
      this.#changed();
    });
    canvas.addEventListener('dblclick', () => this.#zoomToChosen());
    canvas.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !this.#key(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  #drag({ offsetX, offsetY }: PointerEvent): void {
    const { x, y, from } = this.#dragFrom!;
    const view = this.#viewport;
    const rows = (y - offsetY) / view.extent.pitch;
    const columns = (x - offsetX) / view.extent.width;
    view.moveBy(from - view.from + (Math.round(rows) + columns) * view.bytesPerRow);
  }

  #startAt(event: PointerEvent): number | null {
    const byte = this.#viewport.byteAt(event.offsetX, event.offsetY);
    if (byte === null) return null;
    const { model } = this.#board.moment;
    return byte < model.firstBlock ? byte : (blockAt(model, byte)?.start ?? null);
  }

  /** True for a key that is the map's. */
  #key(key: string): boolean {
    const row = this.#viewport.bytesPerRow;
    if (key === 'ArrowLeft') this.#step(-1);
    else if (key === 'ArrowRight') this.#step(1);
    else if (key === 'ArrowUp') this.#chooseAt(this.#middle() - row);
    else if (key === 'ArrowDown') this.#chooseAt(this.#middle() + row);
    else if (key === '+' || key === '=') this.#zoom(ZOOM_STEP);
    else if (key === '-') this.#zoom(1 / ZOOM_STEP);
    else if (key === '0') this.#showAll();
    else if (key === 'Enter') this.#zoomToChosen();
    else return false;
    return true;
  }

  #step(by: 1 | -1): void {
    const blocks = blocksOf(this.#board.moment.model);
    const at = blocks.findIndex(({ start, bytes }) => start <= this.#chosen && this.#chosen < start + bytes);
    this.#choose(blocks[at < 0 ? 0 : Math.max(0, Math.min(blocks.length - 1, at + by))]);
  }

  #chooseAt(byte: number): void {
    const { model } = this.#board.moment;
    this.#choose(blockAt(model, Math.max(model.firstBlock, Math.min(byte, model.arenaBytes - 1))) ?? undefined);
  }

  #choose(block: Block | undefined): void {
    if (block === undefined) return;
    this.#chosen = block.start;
    this.#hovered = -1;
    this.#viewport.reveal(block.start, block.start + block.bytes);
    this.#changed();
  }

  #zoomToChosen(): void {
    const block = this.#chosen < 0 ? null : blockAt(this.#board.moment.model, this.#chosen);
    if (block === null) return;
    this.#viewport.zoomTo(block.start, block.start + block.bytes);
    this.#changed();
  }
}
