/**
 * Where the package lies on disk: the one place that knows.
 *
 * Holds both for `boards/root.ts` run from source and for its copy bundled into `dist/`, because both folders are
 * one level below the root (see scripts/build.mjs).
 */
import { fileURLToPath } from 'node:url';

/** Absolute path of the package root, without a trailing slash. */
export const packageRoot: string = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');
