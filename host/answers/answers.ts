/** What is wrong with a heap, in sentences: what leaks, when it is full, what fragments it. */
import type { HeapModel } from '../model/heap-model.ts';
import { forecast, forecastSentence } from './forecast.ts';
import { fragmentation, fragmentationSentence } from './fragmentation.ts';
import { type LeakWatch, leakSentence } from './leaks.ts';

/** What is to be said at the moment of `model`, which may be a past one of the session that `leaks` watched. */
export function answersOf(leaks: LeakWatch, model: HeapModel, siteName: (site: number) => string): string[] {
  const said = leaks
    .verdicts(model)
    .map((verdict) => leakSentence(verdict, verdict.site === 0 ? 'Memory without a site' : siteName(verdict.site)));
  const named = (site: number): string => (site === 0 ? 'no site' : siteName(site));
  const full = forecast(leaks, model);
  if (full) said.push(forecastSentence(full, named));
  const held = fragmentation(model);
  if (held.isFragmented) said.push(`Fragmented: ${fragmentationSentence(held, named)}`);
  return said;
}
