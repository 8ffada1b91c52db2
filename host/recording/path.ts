/** Where the recordings of several boards go: `night.hgrec` becomes `night-1.hgrec`, `night-2.hgrec`. */
import { extname } from 'node:path';

export function recordingPath(path: string, index: number, count: number): string {
  if (count === 1) return path;
  const extension = extname(path);
  return `${path.slice(0, path.length - extension.length)}-${index + 1}${extension}`;
}
