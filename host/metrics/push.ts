/**
 * Pushes the points to an OTLP/HTTP receiver (an OpenTelemetry collector, or whatever speaks it) every few seconds and once
 * more at the end. Sums are cumulative: a push that fails costs nothing but time, so nothing is queued, and no push begins
 * before the last one ended.
 *
 * Reference: opentelemetry-proto, docs/specification.md, "OTLP/HTTP": 429, 502, 503 and 504 may be tried again, after
 * Retry-After where it is given; other answers of 400 and more are the sender's fault and are not.
 */
import { exitCodes, Problem } from '../../boards/problem.ts';

const EVERY_MS = 10_000;
const TIMEOUT_MS = 5_000;
/** The specification asks for a limit, and takes 4 MiB as one. */
const MOST_ANSWER_BYTES = 4 << 20;
const LONGEST_PAUSE_MS = 300_000;
const RETRYABLE = new Set([429, 502, 503, 504]);
/** The path of a receiver that was named by host and port alone. */
const METRICS_PATH = '/v1/metrics';

export interface PushOptions {
  url: URL;
  /** The body of this moment. */
  body: () => object;
  /** Said when pushes begin to fail, and when they work again. */
  say: (text: string) => void;
  everyMs?: number;
}

/** The receiver's URL; a usage Problem when it is none. */
export function otlpUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new Problem(
      exitCodes.usage,
      `"${text}" is no OTLP/HTTP receiver`,
      ['it is a URL with http:// or https://; the usual port is 4318'],
      'For example `--otlp http://127.0.0.1:4318`.',
    );
  }
  if (url.pathname === '/' || url.pathname === '') url.pathname = METRICS_PATH;
  return url;
}

export interface Pusher {
  /** Pushes a last time and ends. */
  close(): Promise<void>;
}

export function startPushing({ url, body, say, everyMs = EVERY_MS }: PushOptions): Pusher {
  let failing = false;
  let isRefused = false;
  let pausedUntilMs = 0;
  let inFlight: Promise<void> | null = null;

  const failed = (reason: string): void => {
    if (!failing) say(`OTLP: ${url.origin} does not take the metrics: ${reason}; trying again`);
    failing = true;
  };
  const push = async (): Promise<void> => {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body()),
        signal: AbortSignal.timeout(TIMEOUT_MS),
        redirect: 'error',
      });
      const answer = await bodyOf(response);
      if (response.ok) {
        const rejected = rejectedOf(answer);
        if (rejected !== null) failed(rejected);
        else if (failing) say('OTLP: the metrics are taken again');
        failing = rejected !== null;
      } else if (RETRYABLE.has(response.status)) {
        const seconds = Number(response.headers.get('Retry-After') ?? 0);
        pausedUntilMs = performance.now() + Math.min(LONGEST_PAUSE_MS, Math.max(0, seconds * 1000 || 0));
        failed(`HTTP ${response.status}`);
      } else {
        isRefused = true;
        say(`OTLP: ${url.href} refuses the metrics with HTTP ${response.status}; giving up`);
      }
    } catch (error) {
      const { cause, message } = error as Error & { cause?: { code?: string } };
      failed(cause?.code ?? message);
    }
  };
  const begin = (): void => {
    if (inFlight !== null || isRefused || performance.now() < pausedUntilMs) return;
    inFlight = push().finally(() => {
      inFlight = null;
    });
  };
  const timer = setInterval(begin, everyMs);
  return {
    async close() {
      clearInterval(timer);
      await inFlight;
      begin();
      await inFlight;
    },
  };
}

/** The answer's text; a receiver that sends more than any answer needs is not listened to. */
async function bodyOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MOST_ANSWER_BYTES) throw new Error('its answer is endless');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** What a receiver that answered 200 left out; null when it took everything. */
function rejectedOf(answer: string): string | null {
  try {
    const { partialSuccess } = JSON.parse(answer) as {
      partialSuccess?: { rejectedDataPoints?: string | number; errorMessage?: string };
    };
    const rejected = Number(partialSuccess?.rejectedDataPoints ?? 0);
    return rejected > 0 ? `${rejected} points rejected` : null;
  } catch {
    return null;
  }
}
