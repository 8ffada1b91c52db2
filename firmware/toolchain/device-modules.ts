/**
 * Where the bundler finds the device code: 'heapglass' and the modules that differ from bundle to bundle.
 *
 *   'heapglass'          firmware/src/index.ts
 *   ./bound-policy.ts    the one policy of this bundle, in place of Node's table of all
 *   ./observer.ts        the recorder, when there is telemetry (else the empty functions, which vanish)
 *   require("Storage")   a module of the board: left as it is
 */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Plugin } from 'esbuild';
import { packageRoot } from '../../boards/root.ts';
import type { PolicyName } from '../src/policies/index.ts';

export const deviceFolder = join(packageRoot, 'firmware', 'src');
const recorder = join(deviceFolder, 'recorder.ts');

/** Modules written here rather than read from a file; maps and site tables name them with this prefix. */
export const virtualNamespace = 'heapglass-device';

export function deviceModules(policy: PolicyName, telemetry: boolean): Plugin {
  return {
    name: 'heapglass device code',
    setup(build) {
      build.onResolve({ filter: /^heapglass$/ }, () => ({ path: join(deviceFolder, 'index.ts'), sideEffects: false }));
      build.onResolve({ filter: /\/bound-policy\.ts$/ }, ({ importer }) =>
        inDeviceCode(importer)
          ? { path: 'bound-policy.ts', namespace: virtualNamespace, sideEffects: false }
          : undefined,
      );
      build.onResolve({ filter: /\/observer\.ts$/ }, ({ importer }) =>
        telemetry && inDeviceCode(importer) && basename(importer) !== 'recorder.ts' && existsSync(recorder)
          ? { path: recorder }
          : undefined,
      );
      build.onResolve({ filter: /^[^./]/ }, ({ kind, path }) =>
        kind === 'require-call' ? { path, external: true } : undefined,
      );
      build.onLoad({ filter: /^bound-policy\.ts$/, namespace: virtualNamespace }, () => ({
        contents: boundPolicy(policy),
        resolveDir: deviceFolder,
        loader: 'ts',
      }));
    },
  };
}

const inDeviceCode = (path: string): boolean => dirname(path) === deviceFolder;

/** Nothing is left to bind or to look up: the functions are the policy's own. */
function boundPolicy(policy: PolicyName): string {
  return `export * from './policies/${policy}.ts';
export function bindPolicy() {}
export function policyNamed() { return 1; }
`;
}
