import type { Task } from '#mesos/kinds';

/** What names an executor's run on this node. */
export interface RunNames {
  readonly agentID: string;
  readonly frameworkID: string;
  readonly executorID: string;
  /** The container id of Mesos: the Pod's uid. */
  readonly containerID: string;
}

/** Directories of Mesos' `--work_dir`; tools know them by heart (docs/sandbox.md). */
export class WorkPaths {
  readonly root: string;
  constructor(root: string) {
    this.root = root;
  }
  executor({ agentID, frameworkID, executorID }: Omit<RunNames, 'containerID'>): string {
    const names = [agentID, frameworkID, executorID].map(directoryName);
    return `${this.root}/slaves/${names[0]}/frameworks/${names[1]}/executors/${names[2]}`;
  }
  run(names: RunNames): string {
    return `${this.executor(names)}/runs/${directoryName(names.containerID)}`;
  }
  latest(names: Omit<RunNames, 'containerID'>): string {
    return `${this.executor(names)}/runs/latest`;
  }
  /** Sandbox of a container within an executor's. */
  nested(names: RunNames, container: string): string {
    return `${this.run(names)}/containers/${directoryName(container)}`;
  }
  taskLink(names: RunNames, taskID: string): string {
    return `${this.run(names)}/tasks/${directoryName(taskID)}`;
  }
  volume(role: string, id: string): string {
    return `${this.root}/volumes/roles/${directoryName(role.replaceAll('/', ' '))}/${directoryName(id)}`;
  }
  /** Standalone containers. */
  standalone(id: string): string {
    return `${this.root}/containers/${directoryName(id)}`;
  }
  get slaves(): string {
    return `${this.root}/slaves`;
  }
  get cache(): string {
    return `${this.root}/fetch`;
  }
  /** The agent's own notes of one run. */
  notes(containerID: string): string {
    return `${this.root}/meta/runs/${directoryName(containerID)}`;
  }
}

const nameBytesMax = 255;

/**
 * The master lets no slash, dot-dot or control character into ids, yet a path is built from nothing
 * unchecked. Ids longer than a file name may be keep their start and a number made of the whole.
 */
export function directoryName(id: string): string {
  if (id === '' || id === '.' || id === '..' || /[/\0]/.test(id))
    throw new Error(`Cannot make a directory for ${JSON.stringify(id)}`);
  if (Buffer.byteLength(id) <= nameBytesMax) return id;
  let hash = 0n;
  for (const byte of Buffer.from(id)) hash = (hash * 1_099_511_628_211n + BigInt(byte)) % 2n ** 64n;
  return `${Buffer.from(id)
    .subarray(0, 220)
    .toString('latin1')
    .replaceAll(/[^\x20-\x7e]/g, '_')}-${hash.toString(16)}`;
}

export function runNamesOf(task: Task, podUid: string): RunNames {
  const { agentID, frameworkID, executorID } = task.spec;
  return { agentID, frameworkID, executorID, containerID: podUid };
}

/** The nested container's id: the Task's uid, known before it is launched and after any restart. */
export function nestedIDOf(task: Task): string {
  return task.metadata.uid;
}
