import type { FileFacts } from '#io';
import { CallRejected } from '#mesos/protocol';
import type { FileInfo, VirtualFiles } from '#mesos/protocol';
import { runNamesOf } from '../paths.ts';
import type { WorkPaths } from '../paths.ts';
import { executorVolumes, taskVolumes } from '../volumes.ts';
import type { World } from '../world.ts';

// files.cpp: at most 16 pages a call.
const readBytesMax = 16 * 4096;

interface Found {
  readonly real: string;
  readonly virtual: string;
}

/** Sandboxes of this node under their virtual paths (mesos.md 5.9), and nothing beside them. */
export class SandboxView implements VirtualFiles {
  readonly #world: World;
  readonly #paths: WorkPaths;
  readonly #bringOutput: (containerID: string) => Promise<void>;
  /** Real path by virtual path, of what is no sandbox: the agent's log. */
  readonly #others: ReadonlyMap<string, string>;

  constructor(
    world: World,
    of: { readonly paths: WorkPaths; bringOutput(containerID: string): Promise<void> },
  ) {
    this.#world = world;
    this.#paths = of.paths;
    this.#bringOutput = (containerID) => of.bringOutput(containerID);
    const { logFile } = world.options;
    this.#others = new Map(logFile === undefined ? [] : [['/slave/log', logFile]]);
  }

  async browse(path: string): Promise<readonly FileInfo[]> {
    const found = await this.#find(path);
    const { files } = this.#world.options;
    const list = await files.list(found.real);
    if (list === undefined) return [];
    const infos = await Promise.all(list.map((facts) => this.#infoOf(found.virtual, facts)));
    return infos.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  }

  async read(
    path: string,
    range: { readonly offset: number; readonly length?: number | undefined },
  ): Promise<{ readonly size: number; readonly data: Uint8Array }> {
    await using file = await this.open(path, 'read');
    const length = Math.min(range.length ?? readBytesMax, readBytesMax);
    const left = Math.max(0, file.size - range.offset);
    const data =
      left === 0 ? new Uint8Array() : await file.read(range.offset, Math.min(length, left));
    return { size: file.size, data };
  }

  /** The file behind a path, for `download` as well. */
  async open(
    path: string,
    to: 'read' | 'download',
  ): Promise<
    AsyncDisposable & {
      readonly size: number;
      read(offset: number, length: number): Promise<Uint8Array>;
    }
  > {
    const found = await this.#find(path);
    const { files } = this.#world.options;
    const facts = await files.facts(found.real);
    if (facts?.kind === 'directory') throw new CallRejected(400, `Cannot ${to} a directory.`);
    let file: Awaited<ReturnType<typeof files.open>>;
    try {
      file = await files.open(found.real);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new CallRejected(500, `Failed to open file at '${found.real}': ${why}`);
    }
    if (file === undefined) throw new CallRejected(404, '');
    const opened = file;
    // Somebody may have exchanged a directory for a link since we looked.
    if (opened.path !== found.real) {
      await opened.close();
      throw new CallRejected(404, '');
    }
    return {
      size: opened.size,
      read: (offset, length) => opened.read(offset, length),
      [Symbol.asyncDispose]: () => opened.close(),
    };
  }

  attached(): ReadonlyMap<string, string> {
    const all = new Map(this.#others);
    for (const { spec, metadata } of this.#world.tasks.list()) {
      const pod = this.#world.pods.get(`${metadata.namespace}/${spec.podName}`);
      if (pod === undefined) continue;
      const { agentID, frameworkID, executorID } = spec;
      const names = { agentID, frameworkID, executorID, containerID: pod.metadata.uid };
      const run = this.#paths.run(names);
      all.set(run, run);
      all.set(this.#paths.latest(names), run);
      all.set(`/frameworks/${frameworkID}/executors/${executorID}/runs/latest`, run);
    }
    return all;
  }

  async #find(path: string): Promise<Found> {
    const virtual = path.replaceAll(/\/+/g, '/').replace(/(?<=.)\/$/, '');
    if (virtual.split('/').includes('..')) throw new CallRejected(404, '');
    const other = this.#others.get(virtual);
    if (other !== undefined) return { real: other, virtual };
    const wanted = await this.#absolute(virtual);
    const sandbox = wanted === undefined ? undefined : this.#sandboxOf(wanted);
    if (wanted === undefined || sandbox === undefined) throw new CallRejected(404, '');
    const { files } = this.#world.options;
    const run = await files.realPath(sandbox);
    if (run === undefined) throw new CallRejected(404, '');
    const name = wanted.slice(wanted.lastIndexOf('/') + 1);
    if (wanted === sandbox || /^(stdout|stderr)$/.test(name) || isNested(wanted))
      await this.#bringOutput(run.slice(run.lastIndexOf('/') + 1));
    const real = await files.realPath(wanted);
    if (real === undefined) throw new CallRejected(404, '');
    if (!isInside(real, run) && !(await this.#isInVolume(real, run)))
      throw new CallRejected(400, `'${path}' is inaccessible.`);
    return { real, virtual };
  }

  /** Links lead into the persistent volumes of the run's own tasks, and into nobody else's. */
  async #isInVolume(real: string, run: string): Promise<boolean> {
    const { files } = this.#world.options;
    const pod = this.#world.pods.by('uid', run.slice(run.lastIndexOf('/') + 1))[0];
    const tasks = pod === undefined ? [] : this.#world.tasksOfPod(pod);
    const volumes = tasks.flatMap((task) => {
      const names = runNamesOf(task, pod?.metadata.uid ?? '');
      return [
        ...executorVolumes(task, names, this.#paths),
        ...taskVolumes(task, names, this.#paths),
      ];
    });
    for (const { hostPath, persistent } of volumes) {
      const root = persistent ? await files.realPath(hostPath) : undefined;
      if (root !== undefined && isInside(real, root)) return true;
    }
    return false;
  }

  /** `/frameworks/...` names no agent: it is the newest one that has the framework. */
  async #absolute(virtual: string): Promise<string | undefined> {
    if (!virtual.startsWith('/frameworks/')) return virtual;
    const frameworkID = virtual.split('/')[2] ?? '';
    const task = this.#world.tasks.by('framework', frameworkID)[0];
    if (task !== undefined) return `${this.#paths.slaves}/${task.spec.agentID}${virtual}`;
    const { files } = this.#world.options;
    for (const { name } of (await files.list(this.#paths.slaves)) ?? []) {
      const path = `${this.#paths.slaves}/${name}${virtual}`;
      if ((await files.realPath(path)) !== undefined) return path;
    }
    return undefined;
  }

  #sandboxOf(path: string): string | undefined {
    const root = this.#paths.slaves;
    if (!path.startsWith(`${root}/`)) return undefined;
    const parts = path.slice(root.length + 1).split('/');
    // <agent>/frameworks/<fw>/executors/<ex>/runs/<container>
    const fixed = parts[1] === 'frameworks' && parts[3] === 'executors' && parts[5] === 'runs';
    return fixed && parts.length >= 7 ? `${root}/${parts.slice(0, 7).join('/')}` : undefined;
  }

  async #infoOf(directory: string, facts: FileFacts): Promise<FileInfo> {
    const { files } = this.#world.options;
    const user = await files.user(String(facts.uid));
    const group = await files.groupName(facts.gid);
    return {
      path: `${directory}/${facts.name}`,
      nlink: facts.links,
      size: facts.size,
      mtime: { nanoseconds: Math.trunc(facts.modifiedMs) * 1e6 },
      mode: facts.mode,
      uid: user?.name ?? String(facts.uid),
      gid: group ?? String(facts.gid),
    };
  }
}

/** The sandbox of a task of a group. */
function isNested(path: string): boolean {
  return /\/(containers|tasks)\/[^/]+$/.test(path);
}

function isInside(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}/`);
}
