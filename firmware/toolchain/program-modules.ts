/**
 * How the program's own files are found. A file is a module when it imports or exports: what the nearest package.json
 * says of Node's reading (`"type": "commonjs"`, as `npm init` writes it) does not matter on a board.
 */
import { isBuiltin } from 'node:module';
import type { Plugin } from 'esbuild';

/** Marks a request as this plugin's own. */
const asked = { asked: true };

export const programModules: Plugin = {
  name: 'modules of the program',
  setup(build) {
    build.onResolve({ filter: /^(https?|data):/ }, ({ path }) => ({
      errors: [{ text: `"${path.slice(0, 60)}" is no file: what is bundled lies on this machine` }],
    }));
    build.onResolve({ filter: /.*/ }, async ({ importer, kind, namespace, path, pluginData, resolveDir }) => {
      if (pluginData === asked) return undefined;
      const found = await build.resolve(path, { importer, kind, namespace, resolveDir, pluginData: asked });
      if (found.errors.length > 0 && isBuiltin(path) && kind !== 'require-call')
        return {
          errors: [
            { text: `"${path}" is a module of Node; what a board has under that name comes with require("${path}")` },
          ],
        };
      if (found.errors.length > 0 || found.external) return undefined;
      // An answer without what package.json says of the file's kind.
      return { path: found.path, namespace: found.namespace, sideEffects: found.sideEffects };
    });
  },
};
