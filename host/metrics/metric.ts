/**
 * What a metric is, and its name in both worlds: `heapglass.lost_frames` in OpenTelemetry, `heapglass_lost_frames_total` in
 * Prometheus. A collector that turns the one into the other comes to the same name.
 *
 * Reference: OpenTelemetry, "Prometheus and OpenMetrics Compatibility": dots become underscores, the unit is a suffix,
 * `1` of a gauge is `_ratio`, units in braces are left out, counters end in `_total`.
 */

export type MetricType = 'gauge' | 'counter';

/** UCUM, as OpenTelemetry wants it. '' is a state: 0 or 1, or one of a few numbers. */
export type Unit = 'By' | 's' | '1' | '' | `{${string}}`;

export interface Metric {
  /** OpenTelemetry's name without the `heapglass.` in front. */
  name: string;
  type: MetricType;
  unit: Unit;
  /** One sentence, without a full stop. */
  help: string;
  /** Labels besides `board` and `port`. */
  labels: readonly string[];
}

export interface Point {
  metric: Metric;
  value: number;
  /** Values of the metric's own labels, in its order. From a board: not to be trusted. */
  labels: readonly string[];
}

/** Everything about one board at one moment. */
export interface BoardPoints {
  board: string;
  port: string;
  /** Unix milliseconds at which counting began. */
  startedAtMs: number;
  points: readonly Point[];
}

const suffixes: Partial<Record<Unit, string>> = { By: '_bytes', s: '_seconds' };

export function prometheusName({ name, type, unit }: Metric): string {
  const suffix = unit === '1' && type === 'gauge' ? '_ratio' : (suffixes[unit] ?? '');
  return `heapglass_${name.replaceAll('.', '_')}${suffix}${type === 'counter' ? '_total' : ''}`;
}

export const otelName = ({ name }: Metric): string => `heapglass.${name}`;
