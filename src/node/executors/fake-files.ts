import type { FetchTools, FileFacts, SandboxFiles } from '#io';

type Node =
  | { readonly kind: 'directory'; mode: number; uid: number; gid: number }
  | { readonly kind: 'file'; data: Uint8Array; mode: number; uid: number; gid: number }
  | { readonly kind: 'link'; readonly target: string; uid: number; gid: number };

/** Directories, files and links in memory; enough for sandboxes in simulations. */
export class FakeSandboxFiles implements SandboxFiles {
  readonly nodes = new Map<string, Node>();
  availableBytes = 80 * 2 ** 30;

  text(path: string): string | undefined {
    const node = this.nodes.get(this.#real(path) ?? path);
    return node?.kind === 'file' ? Buffer.from(node.data).toString() : undefined;
  }
  put(path: string, text: string): void {
    this.nodes.set(path, { kind: 'file', data: Buffer.from(text), mode: 0o644, uid: 0, gid: 0 });
  }

  async makeDir(
    path: string,
    options: { owner?: { uid: number; gid: number } | undefined; mode?: number } = {},
  ): Promise<void> {
    let at = '';
    for (const part of path.split('/').slice(1)) {
      at += `/${part}`;
      if (!this.nodes.has(at))
        this.nodes.set(at, { kind: 'directory', mode: 0o755, uid: 0, gid: 0 });
    }
    const node = this.nodes.get(path);
    if (node?.kind !== 'directory') return;
    if (options.owner !== undefined) Object.assign(node, options.owner);
    if (options.mode !== undefined) node.mode = options.mode;
  }
  async link(target: string, path: string): Promise<void> {
    this.nodes.set(path, { kind: 'link', target, uid: 0, gid: 0 });
  }
  async readLink(path: string): Promise<string | undefined> {
    const node = this.nodes.get(path);
    return node?.kind === 'link' ? node.target : undefined;
  }
  async facts(path: string): Promise<FileFacts | undefined> {
    const node = this.nodes.get(path);
    return node === undefined ? undefined : factsOf(path, node);
  }
  async list(path: string): Promise<readonly FileFacts[] | undefined> {
    const real = this.#real(path);
    if (real === undefined || this.nodes.get(real)?.kind !== 'directory') return undefined;
    return [...this.nodes].flatMap(([name, node]) =>
      name.startsWith(`${real}/`) && !name.slice(real.length + 1).includes('/')
        ? [factsOf(name, node)]
        : [],
    );
  }
  async realPath(path: string): Promise<string | undefined> {
    const real = this.#real(path);
    return real !== undefined && this.nodes.has(real) ? real : undefined;
  }
  async open(path: string): ReturnType<SandboxFiles['open']> {
    const real = this.#real(path) ?? path;
    const node = this.nodes.get(real);
    if (node === undefined) return undefined;
    if (node.kind !== 'file') throw new Error(`Cannot read "${path}": it is no file`);
    const { data } = node;
    return {
      path: real,
      size: data.length,
      read: async (offset, length) => data.subarray(offset, offset + length),
      close: async () => undefined,
    };
  }
  async append(
    path: string,
    data: Uint8Array,
    owner: { uid: number; gid: number } | undefined,
  ): Promise<void> {
    const node = this.nodes.get(path);
    const before = node?.kind === 'file' ? node.data : new Uint8Array();
    const made = Buffer.concat([before, data]);
    const { uid = 0, gid = 0 } = owner ?? {};
    this.nodes.set(path, { kind: 'file', data: made, mode: 0o644, uid, gid });
  }
  async truncate(path: string, size: number): Promise<void> {
    const node = this.nodes.get(path);
    if (node?.kind === 'file') node.data = node.data.subarray(0, size);
  }
  async write(path: string, data: Uint8Array): Promise<void> {
    await this.makeDir(path.slice(0, path.lastIndexOf('/')));
    this.nodes.set(path, { kind: 'file', data, mode: 0o644, uid: 0, gid: 0 });
  }
  async readText(path: string): Promise<string | undefined> {
    return this.text(path);
  }
  async rename(from: string, to: string): Promise<void> {
    for (const [name, node] of this.nodes) {
      if (name !== from && !name.startsWith(`${from}/`)) continue;
      this.nodes.delete(name);
      this.nodes.set(`${to}${name.slice(from.length)}`, node);
    }
  }
  async copy(from: string, to: string): Promise<void> {
    this.put(to, this.text(from) ?? '');
  }
  async chmod(path: string, mode: number): Promise<void> {
    const node = this.nodes.get(path);
    if (node !== undefined && node.kind !== 'link') node.mode = mode;
  }
  async chown(path: string, owner: { uid: number; gid: number }): Promise<void> {
    const { uid, gid } = owner;
    for (const [name, node] of this.nodes)
      if (name === path || name.startsWith(`${path}/`)) Object.assign(node, { uid, gid });
  }
  async remove(path: string): Promise<void> {
    for (const name of this.nodes.keys())
      if (name === path || name.startsWith(`${path}/`)) this.nodes.delete(name);
  }
  async space(): Promise<{ bytes: number; availableBytes: number }> {
    return { bytes: 100 * 2 ** 30, availableBytes: this.availableBytes };
  }
  async user(name: string): ReturnType<SandboxFiles['user']> {
    if (name === 'root' || name === '0') return { name: 'root', uid: 0, gid: 0, home: '/root' };
    if (name === 'stranger') return undefined;
    return { name, uid: 1000, gid: 1000, home: `/home/${name}` };
  }
  async groupName(): Promise<string | undefined> {
    return 'users';
  }

  /** Follows links in every part. */
  #real(path: string, hops = 0): string | undefined {
    if (hops > 20) return undefined;
    const parts = path.split('/').slice(1);
    for (let count = 1; count <= parts.length; count++) {
      const at = `/${parts.slice(0, count).join('/')}`;
      const node = this.nodes.get(at);
      if (node?.kind !== 'link') continue;
      const rest = parts.slice(count).join('/');
      return this.#real(rest === '' ? node.target : `${node.target}/${rest}`, hops + 1);
    }
    return path;
  }
}

function factsOf(path: string, node: Node): FileFacts {
  return {
    name: path.slice(path.lastIndexOf('/') + 1),
    kind: node.kind,
    links: 1,
    size: node.kind === 'file' ? node.data.length : 0,
    modifiedMs: 0,
    mode: node.kind === 'link' ? 0o777 : node.mode,
    uid: node.uid,
    gid: node.gid,
  };
}

/** Downloads what is listed; anything else is a 404. */
export function fakeFetchTools(
  files: FakeSandboxFiles,
  web: ReadonlyMap<string, string> = new Map(),
): FetchTools {
  return {
    async download(url, path) {
      const text = web.get(url);
      if (text === undefined) return 404;
      files.put(path, text);
      return 200;
    },
    async downloadByFtp(url, path) {
      const text = web.get(url.href);
      if (text === undefined) return 550;
      files.put(path, text);
      return 226;
    },
    async copyByHadoop(uri, path) {
      const text = web.get(uri);
      if (text === undefined) throw new Error('HDFS copyToLocal failed: no such file');
      files.put(path, text);
    },
    async extract(path, { root }) {
      files.put(`${root}/extracted`, files.text(path) ?? '');
    },
    async gunzip(from, to) {
      files.put(to, files.text(from) ?? '');
    },
  };
}
