/**
 * Flashes a bundle from the page, with the flashers of the command line, and hands the line over to the board's view.
 * What is on the board is compared with what was sent before success is said (host/flash/flasher.ts, F1).
 */
import { exitCodes, Problem } from '../../../boards/problem.ts';
import type { BundleFile } from '../../flash/bundle-file.ts';
import type { Flashed, Progress, Started } from '../../flash/flasher.ts';
import { describe, openFlasher } from '../../flash/open.ts';
import { TelemetryDecoder } from '../../model/decoder.ts';
import type { SerialBoard } from './serial-board.ts';

/** How long the first frame of a program with telemetry is waited for. */
const FRAME_WITHIN_MS = 8000;

export interface FlashSteps {
  found(text: string): void;
  progress(progress: Progress): void;
  stored(flashed: Flashed): void;
}

/** Rejects with a Problem that says what the board holds now. */
export async function flashBundle(bundle: BundleFile, serial: SerialBoard, steps: FlashSteps): Promise<Started> {
  const { transport, recorder } = serial;
  const { flasher, release } = await openFlasher(transport);
  try {
    const { identity } = flasher;
    steps.found(describe(identity));
    if (identity.engine !== bundle.engine) {
      throw new Problem(
        exitCodes.usage,
        `the bundle is for ${bundle.board}`,
        [`${describe(identity)} answers, which runs ${identity.engine}`, 'nothing was erased'],
        `Bundle the program for this board: \`heapglass bundle ${bundle.program} --board ID\`.`,
      );
    }
    steps.stored(
      await flasher.upload(new TextEncoder().encode(bundle.code), { onProgress: (state) => steps.progress(state) }),
    );
    recorder.sites({ bundleId: bundle.bundleId, program: bundle.program, sites: bundle.sites });
    const decoder = new TelemetryDecoder({});
    return await flasher.start(
      bundle.hasTelemetry
        ? {
            timeoutMs: FRAME_WITHIN_MS,
            isFrame: (bytes) => {
              recorder.line(bytes);
              decoder.push(bytes);
              return decoder.statistics.frames > 0;
            },
          }
        : {},
    );
  } finally {
    recorder.line(release());
    serial.listen();
  }
}
