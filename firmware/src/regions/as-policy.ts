/**
 * The functions of regions.ts as a policy, for heaps in Node. In a bundle they are the bound policy itself, and the
 * toolchain puts a word in this file's place (firmware/toolchain/device-modules.ts).
 */
import type { Policy } from '../policy.ts';
import * as regions from './regions.ts';

export const regionsPolicy: Policy = regions;
