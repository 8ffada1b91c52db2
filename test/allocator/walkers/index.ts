// Walkers that derive a heap again from its raw bytes, written from the layouts drawn in docs/policies and sharing no
// code with the policies.
import type { PolicyName } from '../../../firmware/src/policies/index.ts';
import type { Walker } from '../conformance.ts';
import { walkBoundaryTags } from './boundary-tags.ts';
import { walkBuddy } from './buddy.ts';
import { walkCompact } from './compact.ts';
import { walkPercore } from './percore.ts';
import { walkSegregated } from './segregated.ts';
import { walkSlab } from './slab.ts';
import { walkTlsf } from './tlsf.ts';
import { walkTrieFit } from './trie-fit.ts';

export const walkers: Record<PolicyName, Walker> = {
  'first-fit': walkBoundaryTags,
  'next-fit': walkBoundaryTags,
  'best-fit': walkBoundaryTags,
  'trie-fit': walkTrieFit,
  slab: walkSlab,
  segregated: walkSegregated,
  tlsf: walkTlsf,
  buddy: walkBuddy,
  percore: walkPercore,
  compact: walkCompact,
};
