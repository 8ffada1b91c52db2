// Loop steps of every call stay within the bound that host/bench/steps.ts states, on traces, on random operations, and on
// sequences that a search makes worse and worse. HEAPGLASS_SEARCH: sequences tried a policy (default 150).
import { afterAll, expect, test } from 'vitest';
import { packageRoot } from '../../boards/root.ts';
import { policies, policyNames } from '../../firmware/src/policies/index.ts';
import { ampleArenaBytes } from '../../host/bench/cycles.ts';
import { minimumFootprint } from '../../host/bench/footprint.ts';
import { calls, keepWorse, StepMeter } from '../../host/bench/step-meter.ts';
import { countedPolicy } from '../../host/bench/steps.ts';
import { SEARCH_SEED as SEED, searchWorst, worstOf } from '../../host/bench/worst.ts';
import { OP_FREE, readTrace, type Trace } from '../../host/trace/trace.ts';

const searches = Number(process.env.HEAPGLASS_SEARCH ?? 150);
const SEARCH_ARENA_BYTES = 8192;
const rows: string[] = [];

function runTrace(meter: StepMeter, trace: Trace): void {
  const keys = new Int32Array(trace.idCount);
  for (let i = 0; i < trace.kinds.length; i++) {
    const id = trace.ids[i]!;
    const key = keys[id]!;
    if (trace.kinds[i] === OP_FREE) {
      meter.free(key);
      keys[id] = 0;
    } else {
      const given = key === 0 ? meter.malloc(trace.sizes[i]!) : meter.realloc(key, trace.sizes[i]!);
      if (given !== 0) keys[id] = given;
    }
  }
}

const traces = ['expat-config', 'lua-queens', 'mqtt-sub'].map((name) =>
  readTrace(`${packageRoot}/test/fixtures/traces/${name}.trace`),
);

test.each(policyNames)(`%s: no call takes more steps than stated (seed ${SEED})`, async (name) => {
  const found = new StepMeter(name, await countedPolicy(name, SEARCH_ARENA_BYTES), SEARCH_ARENA_BYTES).found;
  for (const trace of traces) {
    for (const arenaBytes of [ampleArenaBytes(trace), minimumFootprint(policies[name], trace)!.footprintBytes]) {
      const meter = new StepMeter(name, await countedPolicy(name, arenaBytes), arenaBytes);
      runTrace(meter, trace);
      keepWorse(found, meter.found);
    }
  }
  keepWorse(found, (await searchWorst(name, SEARCH_ARENA_BYTES, searches, SEED)).found);
  // The constructed sequences, without boards.
  keepWorse(found, (await worstOf(name, 1, [])).steps);
  const cells = calls.map((call) => `${found[call].steps} of ${found[call].bound}`);
  rows.push(`${name.padEnd(12)} ${cells.map((cell) => cell.padStart(14)).join(' ')}`);
  expect(found.malloc.steps).toBeGreaterThanOrEqual(0);
});

afterAll(() => {
  console.info(
    `worst steps found, and the bound there\n${''.padEnd(12)}         malloc           free        realloc\n${rows.join('\n')}`,
  );
});
