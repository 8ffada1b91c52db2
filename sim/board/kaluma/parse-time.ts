/**
 * What JerryScript takes before a program's first statement runs: a new VM, and the parsing of the whole text. Names are
 * looked up in a list, so a token costs more the more names a text has.
 *
 * Fitted to the time from `.load` to the first print of Kaluma 1.2.1, executed in rp2040js: 19 ms for an empty program,
 * 25 to 27 ms for 0.7 to 2.8 KB, 255 ms for a bundle of 10.4 KB (6,955 tokens, 211 names), 22 ms for 5 KB of comment.
 */
import { tokenizer } from 'acorn';
import { nsPerMs } from '../time.ts';

export const vmStartNs = 17 * nsPerMs;
const tokenNs = 15_200;
const tokenNsPerName = 88;
/** Comments and spaces. */
const skippedNsPerByte = 600;

export function parseNs(source: string): number {
  let tokens = 0;
  let tokenBytes = 0;
  const names = new Set<string>();
  try {
    for (const { type, start, end } of tokenizer(source, { ecmaVersion: 2022 })) {
      tokens++;
      tokenBytes += end - start;
      if (type.label === 'name') names.add(source.slice(start, end));
    }
  } catch {
    // The text up to what is no token has been parsed.
  }
  return tokens * (tokenNs + tokenNsPerName * names.size) + (source.length - tokenBytes) * skippedNsPerByte;
}
