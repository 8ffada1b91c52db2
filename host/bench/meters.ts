/** Which meter counts the cycles that `--native` or `--board` asks for. */
import type { CycleMeter } from './cycles.ts';

/** The meter for `--native CPU` or `--board ID`; null when neither is given. Each is loaded when asked for: compilers and engines are large. */
export async function cycleMeter(options: { native?: string; board?: string }): Promise<CycleMeter | null> {
  if (options.native !== undefined) return (await import('./native.ts')).nativeMeter(options.native);
  if (options.board !== undefined) return (await import('./interpreted.ts')).boardMeter(options.board);
  return null;
}
