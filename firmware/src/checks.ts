/**
 * Whether a policy that could believe its blocks' words holds them against a second place all the same: 1 wherever it runs
 * as JavaScript. The native compiler puts a 0 here unless it is asked for checks; what either costs is in docs/native.md.
 */
export const CHECKS: number = 1;
