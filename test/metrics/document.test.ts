// docs/metrics.md is the exporter's table, and the Grafana dashboard asks only for metrics and labels that exist.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { prometheusName } from '../../host/metrics/metric.ts';
import { metrics } from '../../host/metrics/metrics.ts';
import { documentPath, metricsDocument } from '../../scripts/metrics-doc.ts';

test('docs/metrics.md is current (npx tsx scripts/metrics-doc.ts writes it)', () => {
  expect(readFileSync(documentPath, 'utf8')).toBe(metricsDocument());
});

interface Panel {
  id: number;
  title: string;
  description: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets: { expr: string; legendFormat: string }[];
}
const dashboard = JSON.parse(readFileSync(join(packageRoot, 'docs', 'grafana-dashboard.json'), 'utf8')) as {
  panels: Panel[];
  templating: { list: { name: string; type: string; definition?: string }[] };
};
const expressions = dashboard.panels.flatMap(({ targets }) => targets);
const byName = new Map(metrics.map((metric) => [prometheusName(metric), metric]));

test.each(expressions.map(({ expr, legendFormat }) => [expr, legendFormat]))('%s', (expr, legend) => {
  const used = expr.match(/heapglass_\w+/g) ?? [];
  expect(used.length).toBeGreaterThan(0);
  for (const name of used) {
    const metric = byName.get(name);
    expect(metric, name).toBeDefined();
    const isRate = new RegExp(`(rate|increase)\\(${name}\\{[^}]*\\}\\[`).test(expr);
    expect(isRate, `${name}: counters are for rates, gauges are not`).toBe(metric!.type === 'counter');
    const labels = ['board', 'port', ...metric!.labels];
    for (const [, label] of expr.matchAll(/[{,]\s*(\w+)\s*[=!]/g)) expect(labels).toContain(label);
    for (const [, label] of legend.matchAll(/\{\{(\w+)\}\}/g)) expect(labels).toContain(label);
  }
});

test('its panels have titles and words, do not overlap, and its variables exist', () => {
  const taken = new Set<string>();
  for (const { title, description, gridPos } of dashboard.panels) {
    expect(title).not.toBe('');
    expect(description).not.toBe('');
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(x).toBeLessThan(24);
        expect(taken.has(`${x},${y}`), title).toBe(false);
        taken.add(`${x},${y}`);
      }
    }
  }
  const text = JSON.stringify(dashboard);
  const variables = dashboard.templating.list.map(({ name }) => name);
  for (const [, name] of text.matchAll(/\$\{?(?!__)(\w+)\}?/g)) expect(variables).toContain(name);
});
