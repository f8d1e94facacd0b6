import type { Files, PathKind, PayloadFile } from '#io';

/** Directories and files in memory; enough for volumes and last words in simulations. */
export class FakeFiles implements Files {
  readonly #kinds = new Map<string, PathKind>();
  readonly #texts = new Map<string, Uint8Array>();
  used: (path: string) => number = () => 0;
  readonly payloads = new Map<string, ReadonlyMap<string, PayloadFile>>();

  write(path: string, text: string): void {
    this.#kinds.set(path, 'file');
    this.#texts.set(path, Buffer.from(text));
  }

  async makeDir(path: string): Promise<void> {
    let at = '';
    for (const part of path.split('/').slice(1)) {
      at += `/${part}`;
      this.#kinds.set(at, 'directory');
    }
  }

  async createFile(path: string): Promise<void> {
    this.#kinds.set(path, 'file');
  }

  async kind(path: string): Promise<PathKind> {
    return this.#kinds.get(path) ?? 'absent';
  }

  async list(path: string): Promise<readonly string[]> {
    const below = [...this.#kinds.keys(), ...this.payloads.keys()].filter((name) =>
      name.startsWith(`${path}/`),
    );
    return [...new Set(below.map((name) => name.slice(path.length + 1).split('/')[0] ?? ''))];
  }

  async readTail(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
    return this.#texts.get(path)?.subarray(-bytesMax);
  }

  async open(): Promise<undefined> {
    return undefined;
  }

  onChange(): Disposable {
    return { [Symbol.dispose]: () => undefined };
  }

  async writePayload(dir: string, files: ReadonlyMap<string, PayloadFile>): Promise<boolean> {
    this.payloads.set(dir, files);
    return true;
  }

  async mountTmpfs(path: string): Promise<void> {
    await this.makeDir(path);
  }

  async bindInside(_root: string, _sub: string, options: { target: string }): Promise<void> {
    await this.makeDir(options.target);
  }

  async remove(path: string): Promise<void> {
    for (const map of [this.#kinds, this.#texts, this.payloads])
      for (const name of map.keys())
        if (name === path || name.startsWith(`${path}/`)) map.delete(name);
  }

  async giveToGroup(): Promise<void> {
    await Promise.resolve();
  }

  async usedBytes(path: string): Promise<number> {
    return this.used(path);
  }
}
