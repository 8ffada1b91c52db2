// Walkers that derive a heap again from its raw bytes, written from the layouts drawn in docs/policies and sharing no
// code with the policies. A policy without one here is held to the model and to its own check().
import type { Walker } from '../conformance.ts';
import { walkBoundaryTags } from './boundary-tags.ts';
import { walkSlab } from './slab.ts';
import { walkTrieFit } from './trie-fit.ts';

export const walkers: Partial<Record<string, Walker>> = {
  'first-fit': walkBoundaryTags,
  'next-fit': walkBoundaryTags,
  'best-fit': walkBoundaryTags,
  'trie-fit': walkTrieFit,
  slab: walkSlab,
};
