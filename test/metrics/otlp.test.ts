// OTLP/HTTP in its JSON form: a receiver checks each body against the specification's mapping; failures cost no count.
import { createServer, type Server } from 'node:http';
import * as v from 'valibot';
import { afterEach, expect, test, vi } from 'vitest';
import { Problem } from '../../boards/problem.ts';
import { otelName, prometheusName } from '../../host/metrics/metric.ts';
import { metrics, readBoard } from '../../host/metrics/metrics.ts';
import { otlpRequest } from '../../host/metrics/otlp.ts';
import { otlpUrl, startPushing } from '../../host/metrics/push.ts';
import { testBoard } from './boards.ts';

vi.mock('../../firmware/src/telemetry/observer.ts', () => import('../../firmware/src/telemetry/recorder.ts'));

// opentelemetry-proto: common/v1, resource/v1, metrics/v1. Strict: a key that the protocol does not have is refused.
const fixed64 = v.pipe(v.string(), v.regex(/^\d{1,20}$/));
const attributes = v.array(v.strictObject({ key: v.string(), value: v.strictObject({ stringValue: v.string() }) }));
const point = v.pipe(
  v.strictObject({
    attributes: v.optional(attributes),
    startTimeUnixNano: v.optional(fixed64),
    timeUnixNano: fixed64,
    asInt: v.optional(v.pipe(v.string(), v.regex(/^-?\d+$/))),
    asDouble: v.optional(v.pipe(v.number(), v.finite())),
  }),
  v.check(({ asInt, asDouble }) => (asInt === undefined) !== (asDouble === undefined), 'one value'),
);
const metric = v.pipe(
  v.strictObject({
    name: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9_.]{0,254}$/)),
    description: v.string(),
    unit: v.optional(v.string()),
    gauge: v.optional(v.strictObject({ dataPoints: v.array(point) })),
    sum: v.optional(
      v.strictObject({
        dataPoints: v.array(point),
        // AggregationTemporality: 1 delta, 2 cumulative.
        aggregationTemporality: v.picklist([1, 2]),
        isMonotonic: v.boolean(),
      }),
    ),
  }),
  v.check(({ gauge, sum }) => (gauge === undefined) !== (sum === undefined), 'one kind of data'),
);
const requestSchema = v.strictObject({
  resourceMetrics: v.array(
    v.strictObject({
      resource: v.strictObject({ attributes }),
      scopeMetrics: v.array(
        v.strictObject({ scope: v.strictObject({ name: v.string(), version: v.string() }), metrics: v.array(metric) }),
      ),
    }),
  ),
});
type Request = v.InferOutput<typeof requestSchema>;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

interface Receiver {
  url: string;
  bodies: Request[];
  paths: string[];
  /** What the next requests are answered with; 200 when it is empty. */
  answers: { status: number; headers?: Record<string, string>; body?: string }[];
}

async function receiver(): Promise<Receiver> {
  const got: Receiver = { url: '', bodies: [], paths: [], answers: [] };
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      expect(request.method).toBe('POST');
      expect(request.headers['content-type']).toBe('application/json');
      got.paths.push(request.url!);
      got.bodies.push(v.parse(requestSchema, JSON.parse(text)));
      const { status, headers = {}, body = '{}' } = got.answers.shift() ?? { status: 200 };
      response.writeHead(status, headers).end(body);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  got.url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  return got;
}

const board = testBoard('kitchen');
board.work(90);
const body = () => otlpRequest(metrics, [readBoard(board)], Date.UTC(2026, 0, 1, 0, 0, 10), '0.1.0');

test('a body is what the protocol says, with the values that the scrape has', () => {
  const request = v.parse(requestSchema, JSON.parse(JSON.stringify(body())));
  const [{ resource, scopeMetrics }] = request.resourceMetrics as [Request['resourceMetrics'][number]];
  expect(resource.attributes).toContainEqual({ key: 'board', value: { stringValue: 'kitchen' } });
  const by = new Map(scopeMetrics[0]!.metrics.map((one) => [one.name, one]));
  expect(by.get('heapglass.mallocs')!.sum).toEqual({
    dataPoints: [{ startTimeUnixNano: '1767225600000000000', timeUnixNano: '1767225610000000000', asInt: '90' }],
    aggregationTemporality: 2,
    isMonotonic: true,
  });
  expect(by.get('heapglass.live')).toMatchObject({
    unit: 'By',
    gauge: { dataPoints: [{ asDouble: board.session.model.liveBytes }] },
  });
  expect(by.get('heapglass.site_live')!.gauge!.dataPoints.every(({ attributes }) => attributes!.length === 1)).toBe(
    true,
  );
});

test('both names of a metric are one name for a collector', () => {
  for (const metric of metrics) {
    const unit =
      { By: '_bytes', s: '_seconds', '1': metric.type === 'gauge' ? '_ratio' : '' }[metric.unit as string] ?? '';
    const made = `${otelName(metric).replaceAll('.', '_')}${unit}${metric.type === 'counter' ? '_total' : ''}`;
    expect(prometheusName(metric)).toBe(made);
  }
  expect(new Set(metrics.map(prometheusName)).size).toBe(metrics.length);
});

test('pushed at intervals and at the end, to /v1/metrics', async () => {
  const got = await receiver();
  const pusher = startPushing({ url: otlpUrl(got.url), body, say: () => {}, everyMs: 20 });
  await vi.waitFor(() => expect(got.bodies.length).toBeGreaterThanOrEqual(2));
  await pusher.close();
  const count = got.bodies.length;
  expect(count).toBeGreaterThanOrEqual(3);
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(got.bodies).toHaveLength(count);
  expect(new Set(got.paths)).toEqual(new Set(['/v1/metrics']));
  expect(otlpUrl('https://collector.example/otlp').pathname).toBe('/otlp');
});

test('a receiver that is away, busy or picky: said once, tried again, said when it works', async () => {
  const got = await receiver();
  got.answers.push(
    { status: 503, headers: { 'Retry-After': '0' } },
    { status: 429 },
    { status: 200, body: '{"partialSuccess":{"rejectedDataPoints":"2"}}' },
  );
  const said: string[] = [];
  const pusher = startPushing({ url: otlpUrl(got.url), body, say: (text) => said.push(text), everyMs: 10 });
  await vi.waitFor(() => expect(got.bodies.length).toBeGreaterThanOrEqual(5));
  await pusher.close();
  expect(said).toHaveLength(2);
  expect(said[0]).toContain('HTTP 503');
  expect(said[1]).toContain('taken again');

  const away: string[] = [];
  const lonely = startPushing({ url: otlpUrl('http://127.0.0.1:9'), body, say: (text) => away.push(text), everyMs: 5 });
  await vi.waitFor(() => expect(away).toHaveLength(1));
  await lonely.close();
  expect(away[0]).toMatch(/127\.0\.0\.1:9 does not take/);
});

test('a receiver that refuses for good is not asked again; what is no URL is a usage Problem', async () => {
  const got = await receiver();
  got.answers.push({ status: 400 });
  const said: string[] = [];
  const pusher = startPushing({ url: otlpUrl(got.url), body, say: (text) => said.push(text), everyMs: 5 });
  await vi.waitFor(() => expect(said).toHaveLength(1));
  await new Promise((resolve) => setTimeout(resolve, 40));
  await pusher.close();
  expect(got.bodies).toHaveLength(1);
  expect(said[0]).toContain('giving up');
  for (const wrong of ['nonsense', 'ftp://host/', 'localhost:4318']) expect(() => otlpUrl(wrong)).toThrow(Problem);
});
