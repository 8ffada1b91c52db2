/** The report's script: draws the map with its slider and the charts from the JSON in the page. */
import type { ReportData } from '../view/report/recorder.ts';
import { bytesText, countText, momentText, percentText } from '../view/units.ts';
import { drawCells } from './cells.ts';
import { drawCharts } from './charts.ts';

const data = JSON.parse(document.getElementById('data')!.textContent!) as ReportData;
const canvas = document.getElementById('map') as HTMLCanvasElement | null;
const slider = document.getElementById('time') as HTMLInputElement | null;

function show(index: number): void {
  const frame = data.keyFrames[index];
  if (!canvas || !frame) return;
  drawCells(canvas, frame.cells);
  const said = `At ${momentText({ clock: data.clock, atMs: frame.atMs })}: ${bytesText(frame.liveBytes)} live, largest free block ${bytesText(frame.largestFreeBytes)}${frame.exact ? '' : '; the map is not exact here'}.`;
  canvas.setAttribute('aria-label', said);
  document.getElementById('map-at')!.textContent = said;
}

/** The cell under the pointer, in words. */
function hover(event: PointerEvent): void {
  if (!canvas || !slider) return;
  const frame = data.keyFrames[Number(slider.value)]!;
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const column = Math.floor(((event.clientX - left) / width) * canvas.width);
  const row = Math.floor(((event.clientY - top) / height) * canvas.height);
  const cell = row * canvas.width + column;
  const from = cell * data.cellBytes;
  const mark = frame.cells[cell];
  if (mark === undefined || mark === ' ') return;
  const what =
    mark === 'c'
      ? "the policy's own"
      : mark === '0'
        ? 'free'
        : mark === '9'
          ? 'live'
          : `about ${percentText((Number(mark) - 0.5) / 8)} live`;
  document.getElementById('map-at')!.textContent =
    `Bytes ${countText(from)} to ${countText(from + data.cellBytes - 1)}: ${what}.`;
}

if (slider && canvas) {
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
drawCharts(data.series, data.clock);
