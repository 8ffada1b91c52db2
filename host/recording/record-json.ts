/** What the JSON of a record must be, for whoever reads a recording: a file in Node, or what the page was given. */
import * as v from 'valibot';

export const SitesSchema = v.object({
  bundleId: v.number(),
  program: v.string(),
  sites: v.record(v.string(), v.string()),
});

/** A record's JSON, when it is what it should be. */
export function parsed<T>(schema: v.GenericSchema<unknown, T>, payload: Uint8Array): T | null {
  try {
    const result = v.safeParse(schema, JSON.parse(new TextDecoder().decode(payload)));
    return result.success ? result.output : null;
  } catch {
    return null;
  }
}
