/** Draws a map's cells (view/report/recorder.ts `cellsText`) into a canvas, a pixel a cell, scaled by the style. */
const COLUMNS = 64;

function rgb(name: string): [number, number, number] {
  const value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const number = Number.parseInt(value.slice(1), 16);
  return [(number >> 16) & 255, (number >> 8) & 255, number & 255];
}

export function drawCells(canvas: HTMLCanvasElement, cells: string): void {
  const rows = Math.ceil(cells.trimEnd().length / COLUMNS);
  canvas.width = COLUMNS;
  canvas.height = Math.max(1, rows);
  canvas.style.height = `${Math.max(1, rows) * 12}px`;
  const context = canvas.getContext('2d')!;
  const image = context.createImageData(COLUMNS, Math.max(1, rows));
  const [free, live, control, beyond] = [rgb('--free'), rgb('--live'), rgb('--control'), rgb('--line')];
  for (let cell = 0; cell < COLUMNS * rows; cell++) {
    const mark = cells[cell] ?? ' ';
    if (mark === ' ') continue;
    const part = Number(mark) / 9;
    for (let channel = 0; channel < 3; channel++) {
      image.data[cell * 4 + channel] =
        mark === 'c'
          ? control[channel]!
          : mark === 'b'
            ? beyond[channel]!
            : free[channel]! + (live[channel]! - free[channel]!) * part;
    }
    image.data[cell * 4 + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
