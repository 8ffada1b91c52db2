/** Figures as people read them. Pure; the locale is never consulted, so that frames are the same everywhere. */

/** `512 B`, `9.8 KB`, `128 KB`, `1.4 MB`: three significant figures from 1 KB up. */
export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${Math.round(bytes)} B`;
  const [value, unit] = bytes < 1024 * 1024 ? [bytes / 1024, 'KB'] : [bytes / (1024 * 1024), 'MB'];
  return `${value < 99.95 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** `0 %`, `4 %`, `98 %`; a part that is not zero is never shown as 0. */
export function percentText(part: number): string {
  const percent = part * 100;
  return percent > 0 && percent < 0.5 ? '<1 %' : `${Math.round(percent)} %`;
}

/** `12.3 s`, `4 min 07 s`, `850 ms`, `5 h 07 min`, `3 d 04 h`. */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const two = (value: number): string => String(value).padStart(2, '0');
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (hours === 0) return `${minutes} min ${two(seconds % 60)} s`;
  return hours < 48 ? `${hours} h ${two(minutes % 60)} min` : `${Math.floor(hours / 24)} d ${two(hours % 24)} h`;
}

/** A scene's moment: `12.3 s`, or `operation 1 145` where there is no clock. */
export function momentText({ clock, atMs }: { clock: 'time' | 'operations'; atMs: number }): string {
  return clock === 'time' ? durationText(atMs) : `operation ${countText(atMs)}`;
}

/** `1234567` as `1 234 567`. */
export function countText(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ' ');
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}
