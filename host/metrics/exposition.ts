/**
 * Prometheus' text exposition format, version 0.0.4. Written by hand: what a client library would add (registries, counters
 * to be incremented, histograms) has no use here, where every total exists already.
 *
 * Reference: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import { labelText } from '../view/escape.ts';
import { type BoardPoints, type Metric, prometheusName } from './metric.ts';

export const expositionType = 'text/plain; version=0.0.4; charset=utf-8';

/** A label's value: backslash, quote and line feed are what the format escapes. */
const labelValue = (text: string): string =>
  labelText(text).replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));

const helpText = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

/** All boards' points, a family after the other: the format wants the lines of one metric together. */
export function exposition(metrics: readonly Metric[], boards: readonly BoardPoints[]): string {
  const out: string[] = [];
  for (const metric of metrics) {
    const name = prometheusName(metric);
    const lines = boards.flatMap(({ board, port, points }) =>
      points
        .filter((point) => point.metric === metric)
        .map(({ value, labels }) => {
          const pairs = [
            ['board', board],
            ['port', port],
            ...labels.map((text, index) => [metric.labels[index]!, text]),
          ];
          return `${name}{${pairs.map(([label, text]) => `${label}="${labelValue(text!)}"`).join(',')}} ${value}`;
        }),
    );
    if (lines.length === 0) continue;
    out.push(`# HELP ${name} ${helpText(metric.help)}.`, `# TYPE ${name} ${metric.type}`, ...lines);
  }
  return `${out.join('\n')}\n`;
}
