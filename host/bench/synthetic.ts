/**
 * Made-up work: traces drawn from named distributions of sizes and lifetimes, the same for a seed on every machine.
 *
 *   sensor-loop       a ring of the last 200 readings, a message built and dropped a reading, now and then a report
 *   json-parse        documents: trees of small nodes, keys and values, each held while the next is read
 *   growing-buffers   up to 12 buffers that realloc doubles, or extends by a constant; cut to size at the end
 *   network-packets   buffers of 60 to 1,514 bytes in queues of four sessions, which come and go with their state
 *   string-building   strings made longer one by one, as interpreters do, among interned short ones
 *
 * They exist to measure policies on what they were not tuned to: no policy's rule was chosen by looking at them.
 */
import { parseTrace, type Trace } from '../trace/trace.ts';

export type Random = (below: number) => number;

/** xorshift32 (Marsaglia 2003). */
export function randomSource(seed: number): Random {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Writes operations; every live block is known, so that a workload can end with all freed. */
class Writer {
  readonly lines: string[] = [];
  readonly live = new Set<number>();
  #next = 0;

  allocate(size: number): number {
    const id = this.#next++;
    this.lines.push(`a ${id} ${size}`);
    this.live.add(id);
    return id;
  }

  resize(id: number, size: number): void {
    this.lines.push(`r ${id} ${size}`);
  }

  free(...ids: number[]): void {
    for (const id of ids) {
      this.lines.push(`f ${id}`);
      this.live.delete(id);
    }
  }
}

/** Sizes with a long tail: half are below `median`, a quarter above twice that, ... up to 64 times. */
function longTail(random: Random, median: number): number {
  let scale = 1;
  while (scale < 64 && random(2) === 0) scale *= 2;
  return 1 + random(median * scale);
}

type Workload = (out: Writer, random: Random) => void;

const sensorLoop: Workload = (out, random) => {
  const ring: number[][] = [];
  for (let reading = 0; reading < 900; reading++) {
    const record = [out.allocate(24), out.allocate(6 + random(20))];
    if (random(4) === 0) record.push(out.allocate(32 + random(64)));
    ring.push(record);
    if (ring.length > 200) out.free(...ring.shift()!);
    const message = out.allocate(40 + random(120));
    out.free(message);
    if (reading % 60 === 59) {
      const report = out.allocate(128);
      for (let size = 256; size <= 2048 + random(2048); size += 256) out.resize(report, size);
      out.free(report);
    }
  }
};

const jsonParse: Workload = (out, random) => {
  let held: number[] = [];
  const node = (depth: number, ids: number[]): void => {
    ids.push(out.allocate(40));
    if (depth > 0 && random(3) !== 0) {
      for (let child = 1 + random(6); child > 0; child--) {
        ids.push(out.allocate(3 + random(14)));
        node(depth - 1, ids);
      }
    } else if (random(2) === 0) {
      ids.push(out.allocate(longTail(random, 12)));
    }
  };
  for (let document = 0; document < 40; document++) {
    const text = out.allocate(300 + random(2500));
    const ids: number[] = [];
    node(4, ids);
    out.free(text, ...held);
    held = ids;
  }
};

const growingBuffers: Workload = (out, random) => {
  const buffers: { id: number; size: number; step: number; left: number }[] = [];
  for (let turn = 0; turn < 2500; turn++) {
    if (buffers.length < 12 && random(4) === 0) {
      const size = 16 + random(48);
      buffers.push({ id: out.allocate(size), size, step: random(2) * (16 + random(112)), left: 2 + random(8) });
    }
    if (buffers.length === 0) continue;
    const at = random(buffers.length);
    const buffer = buffers[at]!;
    if (buffer.left-- > 0) {
      buffer.size = buffer.step === 0 ? Math.min(buffer.size * 2, 6144) : buffer.size + buffer.step;
      out.resize(buffer.id, buffer.size);
    } else if (buffer.left > -8) {
      if (buffer.left === -2) out.resize(buffer.id, buffer.size - random(buffer.size >> 1));
    } else {
      out.free(buffer.id);
      buffers.splice(at, 1);
    }
  }
};

const networkPackets: Workload = (out, random) => {
  const sessions = Array.from({ length: 4 }, () => ({ state: [] as number[], queue: [] as number[] }));
  for (let packet = 0; packet < 1800; packet++) {
    const session = sessions[random(4)]!;
    if (session.state.length === 0) {
      session.state = [out.allocate(560), out.allocate(48 + random(80)), out.allocate(1024), out.allocate(20)];
    }
    session.queue.push(out.allocate(random(3) === 0 ? 1514 : 60 + random(180)));
    while (session.queue.length > random(12)) out.free(session.queue.shift()!);
    if (random(80) === 0) {
      out.free(...session.queue, ...session.state);
      session.queue = [];
      session.state = [];
    }
  }
};

const stringBuilding: Workload = (out, random) => {
  const interned: number[] = [];
  const results: number[] = [];
  for (let text = 0; text < 60; text++) {
    let size = 1 + random(16);
    let current = out.allocate(17 + size);
    for (let piece = 10 + random(30); piece > 0; piece--) {
      const part = out.allocate(17 + random(24));
      size += 1 + random(24);
      // Half of the programs make a new string and drop the old one, half resize the one they have.
      if (text % 2 === 0) {
        const longer = out.allocate(17 + size);
        out.free(current);
        current = longer;
      } else {
        out.resize(current, 17 + size);
      }
      if (random(5) === 0) interned.push(part);
      else out.free(part);
    }
    results.push(current);
    if (results.length > 20) out.free(results.splice(random(results.length), 1)[0]!);
    while (interned.length > 150) out.free(interned.splice(random(interned.length), 1)[0]!);
  }
};

const workloads: Record<string, Workload> = {
  'sensor-loop': sensorLoop,
  'json-parse': jsonParse,
  'growing-buffers': growingBuffers,
  'network-packets': networkPackets,
  'string-building': stringBuilding,
};

/** One trace of each workload for the seed, named after the workload. */
export function syntheticTraces(seed: number): Trace[] {
  return Object.entries(workloads).map(([name, workload], i) => {
    const out = new Writer();
    workload(out, randomSource(seed * 8 + i));
    out.free(...out.live);
    return parseTrace(`${JSON.stringify({ name, seed })}\n${out.lines.join('\n')}\n`, name);
  });
}
