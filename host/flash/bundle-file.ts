/**
 * A bundle as a file: what `heapglass bundle` writes and the page flashes without any install. JSON, so that the source
 * lines of the call sites travel with the code. Imports no Node.
 */
import * as v from 'valibot';
import { exitCodes, Problem } from '../../boards/problem.ts';

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const BundleFileSchema = v.object({
  heapglassBundle: v.literal(1),
  /** The board it was made and checked for. */
  board: v.string(),
  engine: v.picklist(['espruino', 'kaluma']),
  program: v.string(),
  policy: v.string(),
  /** As the board's hello says it. */
  bundleId: whole,
  /** Whether a telemetry frame is to be expected. */
  hasTelemetry: v.boolean(),
  /** What is flashed. */
  code: v.pipe(v.string(), v.minLength(1)),
  /** Source line of each call site, by its number. */
  sites: v.record(v.string(), v.string()),
});

export type BundleFile = v.InferOutput<typeof BundleFileSchema>;

export const encodeBundleFile = (bundle: BundleFile): string => `${JSON.stringify(bundle, null, 1)}\n`;

/** A Problem when the text is no bundle. */
export function parseBundleFile(text: string, name: string): BundleFile {
  let json: unknown = null;
  try {
    json = JSON.parse(text);
  } catch {
    // Said below, as for any other content that is none.
  }
  const parsed = v.safeParse(BundleFileSchema, json);
  if (parsed.success) return parsed.output;
  throw new Problem(
    exitCodes.badInput,
    `${name} is no bundle`,
    [json === null ? 'it is no JSON' : (parsed.issues[0]?.message ?? 'it has other fields')],
    'Make one with `heapglass bundle app.js --board ID`.',
  );
}
