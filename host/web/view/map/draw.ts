/** Draws a heap into the map's canvas: every block that is seen, in the colours of what was asked for. */
import type { Block, HeapModel } from '../../../model/heap-model.ts';
import type { RegionUse } from '../../../model/regions.ts';
import { visible } from '../../../view/escape.ts';
import { bytesText } from '../../../view/units.ts';
import type { Colours } from '../colours.ts';
import { textOn } from '../contrast.ts';
import type { Viewport } from './viewport.ts';
import { hex, regionWords } from './words.ts';

export type ColourBy = 'age' | 'site' | 'use';

export interface Drawing {
  model: HeapModel;
  viewport: Viewport;
  colours: Colours;
  by: ColourBy;
  /** Of a heap of several regions. */
  regions: readonly RegionUse[];
  /** Rank of a site by live bytes; what is not in it has the colour of the others. */
  ranks: ReadonlyMap<number, number>;
  /** The oldest live block: ages are shown against it. */
  oldestAt: number;
  /** Start of the block that is chosen, and of the one under the pointer; -1 for none. */
  chosen: number;
  hovered: number;
  nameOf: (site: number) => string;
  /** Only blocks of this site are lit; null: all. */
  site: number | null;
}

/** Blocks of this width have room for a separator, and for a label. */
const SEPARATED_PX = 3;
const LABELLED_PX = 46;
/** And of this one, for the site's name. */
const NAMED_PX = 190;
const NAME_CHARACTERS = 28;
/** Of blocks that are not of the site that is looked at. */
const UNLIT = 0.25;
/** Between two stripes. */
const HATCH_PX = 6;

/** 0 for what was just made, to 1 for the oldest; on a logarithmic scale, for most blocks are young. */
function ageOf(block: Readonly<Block>, operations: number, oldestAt: number): number {
  const age = Math.max(0, operations - block.bornAt);
  const most = Math.max(1, operations - oldestAt);
  return Math.min(1, Math.log1p(age) / Math.log1p(most));
}

function colourOf(block: Readonly<Block>, { by, colours, ranks, model, oldestAt }: Drawing): string {
  if (block.beyond) return colours.panel;
  if (block.control) return colours.control;
  if (!block.live) return colours.free;
  if (by === 'use') return colours.live;
  if (by === 'site') return colours.sites[ranks.get(block.site) ?? colours.sites.length - 1]!;
  const step = Math.floor(ageOf(block, model.operations, oldestAt) * (colours.ages.length - 0.001));
  return colours.ages[step]!;
}

export function drawMap(context: CanvasRenderingContext2D, drawing: Drawing): void {
  const { model, viewport, colours, site } = drawing;
  const { width, height } = context.canvas;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, width, height);
  const scale = devicePixelRatio;
  context.scale(scale, scale);
  context.textBaseline = 'middle';
  drawGutter(context, drawing);
  const { height: rowHeight } = viewport.extent;
  const end = viewport.from + viewport.span;
  if (viewport.from < model.firstBlock) {
    fill(context, drawing, 0, model.firstBlock, colours.control, site === null ? 1 : UNLIT);
  }
  const labels: { x: number; y: number; width: number; text: string; colour: string }[] = [];
  model.forEachBlock((block) => {
    const blockEnd = block.start + block.bytes;
    if (blockEnd <= viewport.from || block.start >= end) return;
    const isLit = site === null || (block.live && block.site === site);
    const colour = colourOf(block, drawing);
    const piece = fill(context, drawing, block.start, blockEnd, colour, isLit ? 1 : UNLIT);
    if (block.beyond) hatch(context, drawing, block.start, blockEnd);
    if (piece.width < LABELLED_PX || block.control || block.beyond) return;
    const size = bytesText(block.live ? block.usable : block.bytes);
    const isNamed = block.live && block.site !== 0 && piece.width >= NAMED_PX;
    labels.push({
      ...piece,
      text: isNamed ? `${size}  ${visible(drawing.nameOf(block.site), NAME_CHARACTERS)}` : size,
      colour: block.live && isLit ? textOn(colour) : colours.quiet,
    });
  });
  context.font = '11px system-ui, sans-serif';
  for (const { x, y, width: room, text, colour } of labels) {
    const wide = context.measureText(text).width;
    if (wide + 10 > room) continue;
    context.fillStyle = colour;
    context.fillText(text, x + 6, y + rowHeight / 2 + 0.5);
  }
  outline(context, drawing, drawing.hovered, colours.quiet);
  outline(context, drawing, drawing.chosen, colours.fg);
}

/** Fills a block's parts; returns the widest, which has the label. */
function fill(
  context: CanvasRenderingContext2D,
  { viewport }: Drawing,
  start: number,
  end: number,
  colour: string,
  alpha: number,
): { x: number; y: number; width: number } {
  let widest = { x: 0, y: 0, width: 0 };
  context.fillStyle = colour;
  context.globalAlpha = alpha;
  const { height } = viewport.extent;
  viewport.pieces(start, end, (piece) => {
    // A thin line of the background parts neighbours, where there is room for one.
    const gap = piece.width >= SEPARATED_PX ? 1 : 0;
    context.fillRect(piece.x, piece.y, Math.max(0.5, piece.width - gap), height);
    if (piece.width > widest.width) widest = piece;
  });
  context.globalAlpha = 1;
  return widest;
}

/** Memory that is nobody's has stripes: it is told from free memory by more than a colour. */
function hatch(context: CanvasRenderingContext2D, { viewport, colours }: Drawing, start: number, end: number): void {
  const { height } = viewport.extent;
  context.save();
  context.beginPath();
  viewport.pieces(start, end, ({ x, y, width }) => context.rect(x, y, width, height));
  context.clip();
  context.beginPath();
  viewport.pieces(start, end, ({ x, y, width }) => {
    for (let at = x - height - (x % HATCH_PX); at < x + width; at += HATCH_PX) {
      context.moveTo(at, y + height);
      context.lineTo(at + height, y);
    }
  });
  context.strokeStyle = colours.line;
  context.lineWidth = 1;
  context.stroke();
  context.restore();
}

function outline(context: CanvasRenderingContext2D, { model, viewport }: Drawing, start: number, colour: string): void {
  if (start < 0) return;
  const block = blockAt(model, start);
  if (block === null) return;
  context.strokeStyle = colour;
  context.lineWidth = 2;
  viewport.pieces(block.start, block.start + block.bytes, (piece) => {
    context.strokeRect(piece.x + 1, piece.y + 1, Math.max(2, piece.width - 3), viewport.extent.height - 2);
  });
}

/** Addresses at the left of the rows, and above each band what its region is. */
function drawGutter(context: CanvasRenderingContext2D, { viewport, colours, regions }: Drawing): void {
  const { left, height, width } = viewport.extent;
  for (const { band, y } of viewport.labels) {
    const [name, facts] = regionWords(regions[band]!);
    const shown = visible(name, NAME_CHARACTERS);
    context.font = '600 12px system-ui, sans-serif';
    context.fillStyle = colours.fg;
    context.fillText(shown, left, y + height / 2 + 0.5);
    const from = context.measureText(shown).width + 10;
    context.font = '11px system-ui, sans-serif';
    context.fillStyle = colours.quiet;
    if (from + context.measureText(facts).width <= width) context.fillText(facts, left + from, y + height / 2 + 0.5);
  }
  if (left === 0) return;
  context.font = '11px ui-monospace, Menlo, Consolas, monospace';
  context.fillStyle = colours.quiet;
  context.textAlign = 'right';
  for (const { start, y } of viewport.rows) context.fillText(hex(start), left - 10, y + height / 2 + 0.5);
  context.textAlign = 'left';
}

/** The block that holds a byte, as a copy; what lies before the first block is the policy's. */
export function blockAt(model: HeapModel, byte: number): Block | null {
  let found: Block | null = null;
  model.forEachBlock((block) => {
    if (block.start <= byte && byte < block.start + block.bytes) found = { ...block };
  });
  return found;
}

/** All blocks in address order, as copies. */
export function blocksOf(model: HeapModel): Block[] {
  const blocks: Block[] = [];
  model.forEachBlock((block) => blocks.push({ ...block }));
  return blocks;
}
