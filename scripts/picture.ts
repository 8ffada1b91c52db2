// Draws docs/demo.svg from a real run of the demo: the frame that a terminal shows at a moment of the board's time.
// `npm run picture` writes it; test/view/picture.test.ts fails when it is not current.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadBoard } from '../boards/board.ts';
import { packageRoot } from '../boards/root.ts';
import { defaultPolicyName } from '../firmware/src/policies/index.ts';
import { runOnBoard } from '../host/demo/board-run.ts';
import { planReplay } from '../host/demo/plan.ts';
import { readTrace } from '../host/trace/trace.ts';
import { drawFrame } from '../host/view/frame.ts';
import type { Grid } from '../host/view/grid.ts';
import { framePicture } from '../host/view/picture.ts';

export const picturePath = join(packageRoot, 'docs', 'demo.svg');

/** The demo's fullest second. */
const AT_MS = 8200;
const SIZE = { columns: 100, rows: 30 } as const;

export async function demoPicture(): Promise<string> {
  const trace = readTrace(join(packageRoot, 'test/fixtures/traces/lua-queens.trace'));
  const plan = planReplay(loadBoard('kaluma-pico'), trace, { policy: defaultPolicyName, seconds: 12 });
  let frame: Grid | null = null;
  await runOnBoard(plan, 1, {
    onMoment: (session) => {
      if (frame !== null || session.elapsedMs < AT_MS) return;
      frame = drawFrame(session.scene('live'), { ...SIZE, form: 'colour', keys: 'Ctrl-C ends the demo' });
    },
  });
  return framePicture(
    frame!,
    'heapglass demo: a live map of the heap of a virtual Kaluma Pico, its series and figures',
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(picturePath, await demoPicture());
