/** A layer that would reach out of its folder, or is otherwise not what it should be. */
export class LayerError extends Error {
  override readonly name = 'LayerError';
}

type Seen =
  | { readonly kind: 'file' | 'whiteout' }
  | { readonly kind: 'dir'; readonly mode: number; readonly uid: number; readonly gid: number }
  | { readonly kind: 'link'; readonly target: string };

const hopsMax = 40;
const pathBytesMax = 4096;

/**
 * Where each entry of a layer lands. Parents that are symbolic links made by the layer itself are
 * resolved inside the layer's root, so nothing is ever written through a link.
 */
export class LayerPaths {
  readonly #seen = new Map<string, Seen>();

  /** The path without links in its parents, relative, '' for the root. */
  place(name: string): string {
    const parts = partsOf(name);
    const last = parts.pop();
    if (last === undefined) return '';
    const parent = this.#resolve(parts, 0);
    return parent === '' ? last : `${parent}/${last}`;
  }
  get(path: string): Seen | undefined {
    return this.#seen.get(path);
  }
  put(path: string, seen: Seen): void {
    this.#seen.set(path, seen);
  }

  #resolve(parts: readonly string[], hops: number): string {
    let path: string[] = [];
    for (const [index, part] of parts.entries()) {
      if (part === '..') {
        path.pop();
        continue;
      }
      path.push(part);
      const seen = this.#seen.get(path.join('/'));
      if (seen?.kind !== 'link') continue;
      if (hops >= hopsMax)
        throw new LayerError(`layer entry "${parts.join('/')}" goes through too many links`);
      const base = seen.target.startsWith('/') ? [] : path.slice(0, -1);
      const target = seen.target.split('/').filter((piece) => piece !== '' && piece !== '.');
      // `..` at the root stays at the root, as in a chroot.
      const rest = [...base, ...target, ...parts.slice(index + 1)];
      return this.#resolve(rest, hops + 1);
    }
    path = path.filter((part) => part !== '');
    return path.join('/');
  }
}

/** Components of an entry's name. Absolute names are below the root; `..` is refused. */
function partsOf(name: string): string[] {
  if (name.length > pathBytesMax || name.includes('\0'))
    throw new LayerError('layer holds an entry with an impossible name');
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new LayerError(`layer entry "${name}" reaches out of the image`);
  return parts;
}
