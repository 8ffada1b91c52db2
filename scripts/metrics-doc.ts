/** Writes docs/metrics.md from the table in host/metrics/metrics.ts. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../boards/root.ts';
import { otelName, prometheusName } from '../host/metrics/metric.ts';
import { metrics } from '../host/metrics/metrics.ts';

export const documentPath = join(packageRoot, 'docs', 'metrics.md');

export function metricsDocument(): string {
  const rows = metrics.map((metric) => {
    const labels = ['board', 'port', ...metric.labels].join(', ');
    return `| \`${prometheusName(metric)}\` | \`${otelName(metric)}\` | ${metric.type} | ${metric.unit || 'state'} | ${labels} | ${metric.help} |`;
  });
  return `# Metrics

\`heapglass monitor\` carries many boards into Prometheus, Grafana and OpenTelemetry. This page is made by
\`npx tsx scripts/metrics-doc.ts\` from the table that the exporter reads (\`host/metrics/metrics.ts\`).

\`\`\`
heapglass monitor kitchen=/dev/ttyACM0 garden=tcp://10.0.0.7:4000 --prometheus
heapglass monitor kitchen=/dev/ttyACM0 --prometheus 0.0.0.0:9464 --record kitchen.hgrec
heapglass monitor kitchen=/dev/ttyACM0 --otlp http://127.0.0.1:4318
\`\`\`

- **Prometheus** scrapes \`http://127.0.0.1:9464/metrics\`, the text exposition format 0.0.4. It is on loopback unless a host
  is given; nothing there is encrypted or asks for a password. A request under a foreign name (DNS rebinding) is refused.

  \`\`\`yaml
  scrape_configs:
    - job_name: heapglass
      static_configs:
        - targets: ['127.0.0.1:9464']
  \`\`\`

- **OpenTelemetry**: OTLP/HTTP in its JSON form, pushed every 10 s and once more at the end, to \`/v1/metrics\` where the URL
  has no path. Sums are cumulative, so a push that fails loses nothing. A board is a resource with the attributes
  \`service.name\`, \`board\` and \`port\`. A collector that turns these into Prometheus metrics comes to the names below.
- **Grafana**: \`docs/grafana-dashboard.json\` (Dashboards, New, Import).

## What holds for all of them

- \`board\` is the name given as \`NAME=PORT\`, else the last part of the port (\`ttyACM0\`, \`puckjs\`).
- A counter never falls while \`monitor\` runs: not when the board restarts, not when the line is lost and opened again. What
  the board counted before \`monitor\` began is in the counters of its own (operations, failed_requests, misuses,
  dropped_events, skipped_events).
- Losses are metrics: \`lost_frames\` and \`damaged\` on the line, \`dropped_events\` and \`skipped_events\` on the board.
- What is not known is absent, never a guess. While the map is not exact, live and free bytes are the board's own.
- The first 128 call sites of a board have names of their own; the rest are \`other sites\`. Control characters in a name
  from a board become \`?\`, and names are cut at 200 characters.
- A metric that ends in \`_total\` is for \`rate()\`; the rest are for reading as they are.

## The metrics

| Prometheus | OpenTelemetry | type | unit | labels | meaning |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
}

if (argv[1] === fileURLToPath(import.meta.url)) writeFileSync(documentPath, metricsDocument());
