/**
 * speedscope's file format: sampled profiles whose weights are bytes, one sample a call site. Two profiles: what is live
 * at the end, and all that was ever made.
 *
 * Reference: https://www.speedscope.app/file-format-schema.json
 */
import { HeapModel } from '../model/heap-model.ts';
import type { Recording } from '../recording/reader.ts';
import type { NameOf } from './exporter.ts';

export function exportSpeedscope(recording: Recording, write: (text: string) => void, nameOf: NameOf): void {
  const model = new HeapModel();
  recording.play(model);
  const sites = model.sites.list();
  const bundleId = model.lastHello?.bundleId ?? 0;
  const profile = (name: string, weights: number[]) => ({
    type: 'sampled',
    name,
    unit: 'bytes',
    startValue: 0,
    endValue: weights.reduce((sum, bytes) => sum + bytes, 0),
    samples: weights.map((_, index) => [index]),
    weights,
  });
  const live = sites.map((site) => Math.max(site.liveBytes, 0));
  const made = sites.map((site) => site.madeBytes);
  const file = {
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    exporter: 'heapglass',
    name: recording.header.program ?? recording.header.source,
    shared: { frames: sites.map(({ site }) => ({ name: nameOf(site, bundleId) })) },
    profiles: [profile('live at the end', live), profile('made in all', made)],
  };
  write(`${JSON.stringify(file)}\n`);
}
