// F1 under faults: no upload that is reported as stored is anything else, and each failure names its cause.
// HEAPGLASS_FLASHES sets the number of flashes in this process (and an eighth of it over TCP and over a tty, or all
// of it with HEAPGLASS_WAY=tcp or tty); HEAPGLASS_SEED the first seed.
import { describe, expect, test } from 'vitest';
import { exitCodes } from '../../boards/problem.ts';
import { openFlasher } from '../../host/flash/open.ts';
import { openSim } from '../../host/transport/sim.ts';
import { createRandom } from '../../sim/board/random.ts';
import { campaignTable, holds, makeProgram, type Outcome, runCampaign, type Way } from '../support/flash-campaign.ts';
import { hasSocat } from '../support/tty.ts';

const flashes = Number(process.env.HEAPGLASS_FLASHES ?? 24);
const firstSeed = Number(process.env.HEAPGLASS_SEED ?? 1);
const onlyWay = process.env.HEAPGLASS_WAY as Way | undefined;
const hourMs = 3_600_000;

function check(outcomes: readonly Outcome[]): void {
  console.info(
    `seeds ${firstSeed} to ${firstSeed + outcomes.length - 1}, ${outcomes[0]?.way}\n${campaignTable(outcomes)}`,
  );
  if (process.env.HEAPGLASS_SEED) for (const outcome of outcomes) console.info(JSON.stringify(outcome));
  expect(outcomes.filter(({ result }) => result === 'false success' || result === 'defect')).toEqual([]);
  for (const { cause } of outcomes.filter(({ result }) => result === 'failed')) {
    // An exit code of the line or of verification, the problem, and at least one fact about what happened.
    expect(cause).toMatch(/^exit [457] \| .+ \| .+/);
  }
  // Without faults nothing fails.
  expect(outcomes.filter(({ faults, result }) => faults === '' && result !== 'stored')).toEqual([]);
}

describe('flashes with seeded faults', () => {
  test.skipIf(onlyWay && onlyWay !== 'process')('in this process', { timeout: hourMs }, async () => {
    check(await runCampaign(firstSeed, flashes, 'process', 1));
  });

  test.skipIf(onlyWay && onlyWay !== 'tcp')('over TCP', { timeout: hourMs }, async () => {
    check(await runCampaign(firstSeed, onlyWay ? flashes : Math.ceil(flashes / 8), 'tcp', 8));
  });

  test.skipIf(!hasSocat || (onlyWay && onlyWay !== 'tty'))('over a tty', { timeout: hourMs }, async () => {
    check(await runCampaign(firstSeed, onlyWay ? flashes : Math.ceil(flashes / 8), 'tty', 8));
  });
});

test.each(['kaluma-pico', 'pico_r1_3'])(
  '%s: a backup is restored after a flash that the supply broke off',
  async (boardId) => {
    const before = makeProgram(3_000, createRandom(1));
    const transport = await openSim(boardId);
    const { flasher } = await openFlasher(transport, { board: transport.board.board });
    await flasher.upload(before);
    const backup = await flasher.read();
    expect(backup).toEqual(before);
    let isCut = false;
    const problem = await flasher
      .upload(makeProgram(9_000, createRandom(2)), {
        onProgress: ({ phase, doneBytes }) => {
          if (isCut || phase !== 'upload' || doneBytes < 4_000) return;
          isCut = true;
          void transport.clock.sleep(1).then(() => transport.board.powerCycle());
        },
      })
      .catch((error) => error);
    // A board on USB takes its port with it.
    expect(problem).toMatchObject({ exitCode: exitCodes.lineLost });
    expect(problem.facts.join(' ')).toMatch(/is gone/);
    expect(holds(transport.board, before)).toBe(false);
    const again = await openSim(boardId, { board: transport.board });
    await again.clock.sleep(500);
    const reopened = await openFlasher(again, { board: transport.board.board });
    await reopened.flasher.upload(backup);
    expect(holds(transport.board, before)).toBe(true);
    await again.close();
  },
);
