/**
 * The folders of Kaluma's file system, as far as dot-commands make and show them. Files come from the `fs` module, which
 * is not modelled, so there are none; a power cycle forgets the folders.
 * Source: kaluma-project/kaluma@1.2.1 src/modules/fs/module_fs.c.
 */
export type FolderError = 'No such file or directory' | 'File exists' | 'Invalid argument';

const root = '/';

export class Folders {
  #current = root;
  readonly #paths = new Set([root]);

  get current(): string {
    return this.#current;
  }

  names(): string[] {
    const inside = this.#current === root ? root : `${this.#current}/`;
    return [...this.#paths]
      .filter((path) => path.startsWith(inside) && path !== inside && !path.slice(inside.length).includes('/'))
      .map((path) => path.slice(inside.length))
      .sort();
  }

  enter(name: string): FolderError | null {
    const path = this.#resolve(name);
    if (!this.#paths.has(path)) return 'No such file or directory';
    this.#current = path;
    return null;
  }

  make(name: string): FolderError | null {
    const path = this.#resolve(name);
    if (this.#paths.has(path)) return 'File exists';
    if (!this.#paths.has(path.slice(0, path.lastIndexOf('/')) || root)) return 'No such file or directory';
    this.#paths.add(path);
    return null;
  }

  remove(name: string): FolderError | null {
    const path = this.#resolve(name);
    if (path === root) return 'Invalid argument';
    return this.#paths.delete(path) ? null : 'No such file or directory';
  }

  #resolve(name: string): string {
    const parts: string[] = [];
    for (const part of (name.startsWith('/') ? name : `${this.#current}/${name}`).split('/')) {
      if (part === '..') parts.pop();
      else if (part !== '' && part !== '.') parts.push(part);
    }
    return root + parts.join('/');
  }
}
