/**
 * OTLP/HTTP's JSON form of the same points: an ExportMetricsServiceRequest, a resource a board. By hand, because it is one
 * object; the official exporter is nine packages that would want to own the counting.
 *
 * The JSON mapping (opentelemetry-proto, docs/specification.md, "JSON Protobuf Encoding"): keys in lowerCamelCase, enums
 * as numbers, 64-bit integers as decimal strings, doubles as numbers.
 *
 * Reference: opentelemetry-proto, metrics/v1/metrics.proto and collector/metrics/v1/metrics_service.proto, 1.x.
 */
import { labelText } from '../view/escape.ts';
import { type BoardPoints, type Metric, otelName, type Point } from './metric.ts';

/** AGGREGATION_TEMPORALITY_CUMULATIVE: a push that fails loses nothing, the next one says it all. */
const CUMULATIVE = 2;

const text = (key: string, value: string) => ({ key, value: { stringValue: labelText(value) } });

/** Nanoseconds as a decimal string: more digits than a double holds. */
const nanoseconds = (unixMs: number): string => `${Math.round(unixMs)}000000`;

function dataPoint({ metric, value, labels }: Point, startedAtMs: number, nowMs: number) {
  const isCounter = metric.type === 'counter';
  const attributes = labels.map((value, index) => text(metric.labels[index]!, value));
  return {
    ...(attributes.length > 0 && { attributes }),
    ...(isCounter && { startTimeUnixNano: nanoseconds(startedAtMs) }),
    timeUnixNano: nanoseconds(nowMs),
    ...(isCounter && Number.isSafeInteger(value) ? { asInt: String(value) } : { asDouble: value }),
  };
}

/** A gauge, or a cumulative sum that never falls. */
interface OtlpMetric {
  name: string;
  description: string;
  unit?: string;
  gauge?: { dataPoints: object[] };
  sum?: { dataPoints: object[]; aggregationTemporality: number; isMonotonic: boolean };
}

function metricOf(metric: Metric, { points, startedAtMs }: BoardPoints, nowMs: number): OtlpMetric[] {
  const dataPoints = points
    .filter((point) => point.metric === metric)
    .map((point) => dataPoint(point, startedAtMs, nowMs));
  if (dataPoints.length === 0) return [];
  const head = { name: otelName(metric), description: metric.help, ...(metric.unit !== '' && { unit: metric.unit }) };
  return metric.type === 'gauge'
    ? [{ ...head, gauge: { dataPoints } }]
    : [{ ...head, sum: { dataPoints, aggregationTemporality: CUMULATIVE, isMonotonic: true } }];
}

export function otlpRequest(
  metrics: readonly Metric[],
  boards: readonly BoardPoints[],
  nowMs: number,
  version: string,
) {
  return {
    resourceMetrics: boards.map((one) => ({
      resource: {
        attributes: [text('service.name', 'heapglass'), text('board', one.board), text('port', one.port)],
      },
      scopeMetrics: [
        { scope: { name: 'heapglass', version }, metrics: metrics.flatMap((metric) => metricOf(metric, one, nowMs)) },
      ],
    })),
  };
}
