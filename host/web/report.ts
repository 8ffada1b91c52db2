/** The script of a report's page, and of two side by side: draws the maps with their sliders, the bars and the charts. */
import './page/tokens.css';
import './page/report.css';
import type { ReportData } from '../view/report/recorder.ts';
import { bytesText, countText, momentText, percentText } from '../view/units.ts';
import { drawCells } from './cells.ts';
import { drawBoth, drawCharts } from './charts.ts';

const read = JSON.parse(document.getElementById('data')!.textContent!) as ReportData | ReportData[];
const reports = Array.isArray(read) ? read : [read];

function drawMap(data: ReportData, canvas: HTMLCanvasElement): void {
  const section = canvas.closest('section')!;
  const slider = section.querySelector<HTMLInputElement>('input[type=range]')!;
  const words = section.querySelector('.map-at')!;

  const show = (index: number): void => {
    const frame = data.keyFrames[index];
    if (!frame) return;
    drawCells(canvas, frame.cells);
    const moment = momentText({ clock: data.clock, atMs: frame.atMs });
    const said = `At ${moment}: ${bytesText(frame.liveBytes)} live, largest free block ${bytesText(frame.largestFreeBytes)}${frame.exact ? '' : '; the map is not exact here'}.`;
    canvas.setAttribute('aria-label', said);
    slider.setAttribute('aria-valuetext', moment);
    words.textContent = said;
  };

  /** The cell under the pointer, in words. */
  const hover = (event: PointerEvent): void => {
    const frame = data.keyFrames[Number(slider.value)]!;
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - left) / width) * canvas.width);
    const row = Math.floor(((event.clientY - top) / height) * canvas.height);
    const cell = row * canvas.width + column;
    const mark = frame.cells[cell];
    if (mark === undefined || mark === ' ') return;
    const from = cell * data.cellBytes;
    words.textContent = `Bytes ${countText(from)} to ${countText(from + data.cellBytes - 1)}: ${cellWords(mark)}.`;
  };

  slider.addEventListener('input', () => show(Number(slider.value)));
  canvas.addEventListener('pointermove', hover);
  canvas.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined) return;
    slider.value = String(Number(slider.value) + step);
    show(Number(slider.value));
    event.preventDefault();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => show(Number(slider.value)));
  // The fullest moment says most; the end of a program is often an empty heap.
  const fullest = data.keyFrames.reduce(
    (best, { liveBytes }, at) => (liveBytes > data.keyFrames[best]!.liveBytes ? at : best),
    0,
  );
  slider.value = String(fullest);
  show(fullest);
}

function cellWords(mark: string): string {
  if (mark === 'c') return "the policy's own";
  if (mark === '0') return 'free';
  if (mark === '9') return 'live';
  return `about ${percentText((Number(mark) - 0.5) / 8)} live`;
}

for (const canvas of document.querySelectorAll<HTMLCanvasElement>('canvas.cells')) {
  drawMap(reports[Number(canvas.dataset.report)]!, canvas);
}
for (const row of document.querySelectorAll<HTMLElement>('tr[data-part]')) {
  row.style.setProperty('--part', row.dataset.part!);
}
const [first, second] = reports;
if (second) drawBoth(first!, second);
else drawCharts(first!.series, first!.clock);
