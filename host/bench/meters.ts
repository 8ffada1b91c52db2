/** Which meter counts the cycles that `--native` or `--board` asks for. */
import { exitCodes, Problem } from '../../boards/problem.ts';
import type { CycleMeter } from './cycles.ts';

/** Meters by target. Each is loaded when it is asked for: compilers and engines are large. */
const meters: Record<string, (target: string) => Promise<CycleMeter>> = {
  native: async (target) => (await import('./native.ts')).nativeMeter(target),
  board: async (target) => (await import('./interpreted.ts')).boardMeter(target),
};

/** The meter for `--native CPU` or `--board ID`; null when neither is given. */
export async function cycleMeter(options: { native?: string; board?: string }): Promise<CycleMeter | null> {
  const kind = options.native !== undefined ? 'native' : options.board !== undefined ? 'board' : null;
  if (kind === null) return null;
  const load = meters[kind];
  if (!load) {
    throw new Problem(
      exitCodes.unsupported,
      `cycles cannot be counted with --${kind} in this version`,
      [],
      'Leave the option out: footprints need neither.',
    );
  }
  return load((options.native ?? options.board)!);
}
