import type { Owner, SandboxFiles } from '#io';

/** Where a container's log is and where its words belong. */
export interface OutputPlace {
  /** The CRI log file the runtime writes; rotated ones lie beside it with the time appended. */
  readonly logPath: string;
  readonly directory: string;
  readonly owner: Owner | undefined;
  /** The agent's note on how far it came. */
  readonly notePath: string;
}

/** How far a log was split: which file, how many bytes of it, and the sizes of what was written. */
interface Progress {
  /** Which of all log files, the oldest 0: rotated ones count. */
  readonly done: readonly string[];
  readonly offset: number;
  readonly stdout: number;
  readonly stderr: number;
}

const chunkBytes = 1024 * 1024;
const lineFeed = 0x0a;
const space = 0x20;

/**
 * Splits a container's log into `stdout` and `stderr` of its sandbox, as far as there is one. Done
 * when somebody looks and when the container has ended: while nobody looks it costs nothing. A crash
 * in the middle is mended by the note, which tells how long both files were.
 */
export class OutputSplitter {
  readonly #files: SandboxFiles;
  readonly #busy = new Map<string, Promise<void>>();

  constructor(files: SandboxFiles) {
    this.#files = files;
  }

  /** One at a time for each container; who asks meanwhile waits for a turn of its own. */
  async bring(place: OutputPlace): Promise<void> {
    const before = this.#busy.get(place.notePath) ?? Promise.resolve();
    const turn = before.then(() => this.#bring(place));
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#busy.set(place.notePath, settled);
    try {
      await turn;
    } finally {
      if (this.#busy.get(place.notePath) === settled) this.#busy.delete(place.notePath);
    }
  }

  async #bring(place: OutputPlace): Promise<void> {
    let progress = await this.#load(place);
    if (progress === undefined) {
      progress = { done: [], offset: 0, stdout: 0, stderr: 0 };
      for (const name of ['stdout', 'stderr'])
        await this.#files.append(`${place.directory}/${name}`, new Uint8Array(), place.owner);
    } else {
      await this.#files.truncate(`${place.directory}/stdout`, progress.stdout);
      await this.#files.truncate(`${place.directory}/stderr`, progress.stderr);
    }
    const slash = place.logPath.lastIndexOf('/');
    const dir = place.logPath.slice(0, slash);
    const base = place.logPath.slice(slash + 1);
    // Read in this order: a rotation meanwhile moves the current file to a name that is new to us.
    const rotated = ((await this.#files.list(dir)) ?? [])
      .map(({ name }) => name)
      .filter((name) => name.startsWith(`${base}.`) && !name.endsWith('.gz'))
      .toSorted();
    for (const name of rotated) {
      if (progress.done.includes(name)) continue;
      progress = await this.#split(place, `${dir}/${name}`, progress);
      progress = { ...progress, done: [...progress.done, name].slice(-64), offset: 0 };
      await this.#save(place, progress);
    }
    const after: Progress = await this.#split(place, place.logPath, progress);
    if (after !== progress || progress.offset === 0) await this.#save(place, after);
  }

  async #split(place: OutputPlace, path: string, from: Progress): Promise<Progress> {
    const file = await this.#files.open(path);
    if (file === undefined) return from;
    let progress = from;
    try {
      while (progress.offset < file.size) {
        const chunk = await file.read(progress.offset, chunkBytes);
        const end = chunk.lastIndexOf(lineFeed) + 1;
        if (end === 0) break;
        const { stdout, stderr } = splitLog(chunk.subarray(0, end));
        for (const [name, data] of [
          ['stdout', stdout],
          ['stderr', stderr],
        ] as const)
          if (data.length > 0)
            await this.#files.append(`${place.directory}/${name}`, data, place.owner);
        progress = {
          ...progress,
          offset: progress.offset + end,
          stdout: progress.stdout + stdout.length,
          stderr: progress.stderr + stderr.length,
        };
        await this.#save(place, progress);
      }
    } finally {
      await file.close();
    }
    return progress;
  }

  async #load({ notePath }: OutputPlace): Promise<Progress | undefined> {
    const text = await this.#files.readText(notePath);
    if (text === undefined) return undefined;
    // Our own note, written whole or not at all.
    const parsed: Progress = JSON.parse(text);
    return parsed;
  }

  #save({ notePath }: OutputPlace, progress: Progress): Promise<void> {
    return this.#files.write(notePath, Buffer.from(JSON.stringify(progress)));
  }
}

/** Whole lines in CRI format (`<time> <stream> <P|F> <text>`) to the bytes of each stream. */
export function splitLog(log: Uint8Array): {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
} {
  const parts: Record<'stdout' | 'stderr', Uint8Array[]> = { stdout: [], stderr: [] };
  for (let start = 0; start < log.length; ) {
    const found = log.indexOf(lineFeed, start);
    const end = found < 0 ? log.length : found;
    const first = log.indexOf(space, start);
    const second = log.indexOf(space, first + 1);
    const third = log.indexOf(space, second + 1);
    if (first > 0 && second > 0 && third > 0 && third < end) {
      const head = Buffer.from(log.buffer, log.byteOffset + first + 1, third - first - 1);
      const [stream, tag] = head.toString('latin1').split(' ');
      // A part of a line (P) goes on in the next record; a whole one brings its line feed.
      const text = log.subarray(third + 1, tag === 'F' ? end + 1 : end);
      if (stream === 'stdout' || stream === 'stderr') parts[stream].push(text);
    }
    start = end + 1;
  }
  return { stdout: Buffer.concat(parts.stdout), stderr: Buffer.concat(parts.stderr) };
}
