// Memory that is still referred to: what a test may hold to a limit. Resident memory also counts garbage that nobody has
// collected yet, which depends on how busy the machine is.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Millions of bytes that live after full collections (the second frees what finalizers kept): objects and buffers. */
export function liveMegabytes(): number {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1e6;
}
