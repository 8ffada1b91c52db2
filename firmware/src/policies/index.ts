/**
 * Every policy by the name the command line knows. Not part of a device's bundle: that holds the one policy it uses.
 *
 * A policy's id is its number on the wire and in recordings: stable, never given to another.
 */
import type { Policy } from '../policy.ts';
import * as bestFit from './best-fit.ts';
import * as buddy from './buddy.ts';
import * as compact from './compact.ts';
import * as firstFit from './first-fit.ts';
import * as nextFit from './next-fit.ts';
import * as percore from './percore.ts';
import * as segregated from './segregated.ts';
import * as slab from './slab.ts';
import * as tlsf from './tlsf.ts';
import * as trieFit from './trie-fit.ts';

const registry = [
  { id: 1, name: 'first-fit', policy: firstFit },
  { id: 2, name: 'next-fit', policy: nextFit },
  { id: 3, name: 'best-fit', policy: bestFit },
  { id: 4, name: 'tlsf', policy: tlsf },
  { id: 5, name: 'trie-fit', policy: trieFit },
  { id: 6, name: 'compact', policy: compact },
  { id: 7, name: 'segregated', policy: segregated },
  { id: 8, name: 'percore', policy: percore },
  { id: 9, name: 'buddy', policy: buddy },
  { id: 10, name: 'slab', policy: slab },
] as const satisfies readonly { id: number; name: string; policy: Policy }[];

export type PolicyName = (typeof registry)[number]['name'];

export const policyNames: readonly PolicyName[] = registry.map(({ name }) => name);

/** Copies, as plain objects: the exports of a module that was bundled are read through getters, which cost most of a call. */
export const policies = Object.fromEntries(registry.map(({ name, policy }) => [name, { ...policy }])) as Record<
  PolicyName,
  Policy
>;

/** The policy that is used when none is named. */
export const defaultPolicyName: PolicyName = 'trie-fit';

export function isPolicyName(name: string): name is PolicyName {
  return Object.hasOwn(policies, name);
}

export function policyId(name: PolicyName): number {
  return registry.find((entry) => entry.name === name)!.id;
}

/** The policy's name for an id from the wire; undefined for an id this version does not know. */
export function policyNameOf(id: number): PolicyName | undefined {
  return registry.find((entry) => entry.id === id)?.name;
}
