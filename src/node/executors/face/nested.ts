import { CallRejected } from '#mesos/protocol';
import type { AgentProcessIO, CommandInfo, ContainerID, ContainerInfo } from '#mesos/protocol';
import type { Container, Process } from '#node/runtime';
import { argumentsOf } from '../checks/probe.ts';
import { directoryName, runNamesOf } from '../paths.ts';
import { waitNumber, waitStatusOf } from '../wait-status.ts';
import type { AgentContext } from './context.ts';

/** What WAIT_CONTAINER answers. */
export interface Termination {
  readonly exit_status?: number | undefined;
}

/** A process that was launched into a task's container by a call (DEBUG class). */
interface Session {
  readonly process: Process;
  readonly ended: Promise<number>;
  exitCode: number | undefined;
  /** All that was written has been told. */
  readonly drained: Promise<void>;
  readonly listeners: Set<Io>;
  /** What came before anybody listened. */
  early: AgentProcessIO[] | undefined;
}

export type Io = (io: AgentProcessIO) => void;

const sessionsMax = 1000;
const earlyChunksMax = 256;
/** How long an end is remembered for those who wait: of sessions, and of what REMOVE should remove. */
const keptMs = { session: 60_000, nested: 3_600_000 };

/** `root.child` */
export function idText(id: ContainerID): string {
  return id.parent === undefined ? id.value : `${idText(id.parent)}.${id.value}`;
}

/**
 * Containers that calls of the operator API make and end. A nested one runs as a process in its
 * parent's container (its namespaces, its file system, its limits), which is what DEBUG containers are.
 */
export class NestedContainers {
  readonly #context: AgentContext;
  readonly #sessions = new Map<string, Session>();

  constructor(context: AgentContext) {
    this.#context = context;
  }

  /** The runtime's container behind an id of ours: an executor's or a task's. */
  #containerOf(id: ContainerID): Container | undefined {
    const { world } = this.#context;
    for (const task of world.tasks.list()) {
      const pod = world.pod(task);
      if (pod === undefined) continue;
      const { uid } = pod.metadata;
      const nested = id.parent === undefined ? undefined : id.value;
      const root = id.parent?.value ?? id.value;
      if (root !== uid || id.parent?.parent !== undefined) continue;
      if (nested !== undefined && nested !== task.metadata.uid) continue;
      const name = nested === undefined ? pod.spec.containers[0]?.name : task.spec.container;
      const found = name === undefined ? undefined : world.containers.newest(uid, name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Starts a command in its parent's container; gives what must be told of its output, if anything. */
  async launch(
    id: ContainerID,
    of: {
      readonly command: CommandInfo | undefined;
      readonly container: ContainerInfo | undefined;
      readonly session: boolean;
    },
  ): Promise<'launched' | 'already'> {
    const name = idText(id);
    if (this.#sessions.has(name)) return 'already';
    if (id.parent === undefined)
      throw new CallRejected(400, 'The provided ContainerInfo is not supported');
    const image = of.container?.mesos?.image ?? of.container?.docker;
    if (image !== undefined)
      throw new CallRejected(400, 'The provided ContainerInfo is not supported');
    const parent = this.#containerOf(id.parent);
    if (parent?.state !== 'running')
      throw new CallRejected(
        400,
        `Failed to launch container: Parent container ${idText(id.parent)} does not exist`,
      );
    if (this.#sessions.size >= sessionsMax)
      throw new CallRejected(503, 'Too many nested containers');
    const tty = of.container?.tty_info !== undefined;
    const process = await this.#context.options.runtime.exec(parent.id, {
      command: argumentsOf(of.command ?? { value: '/bin/sh', shell: false }),
      tty,
      stdin: of.session,
      stdout: true,
      stderr: !tty,
    });
    const size = of.container?.tty_info?.window_size;
    if (size !== undefined) process.resize(size.columns, size.rows);
    const sandbox = of.session ? undefined : await this.#sandboxOf(id);
    this.#sessions.set(name, this.#follow(name, process, sandbox));
    return 'launched';
  }

  /** Tells what it writes to whoever listens, into its sandbox too; forgets it a while after its end. */
  #follow(name: string, process: Process, sandbox: string | undefined): Session {
    const { files, logger, clock } = this.#context.options;
    const copy = async (
      stream: AsyncIterable<Uint8Array> | undefined,
      type: 'STDOUT' | 'STDERR',
    ): Promise<void> => {
      for await (const chunk of stream ?? []) {
        const data = Buffer.from(chunk).toString('base64');
        const io: AgentProcessIO = { type: 'DATA', data: { type, data } };
        for (const tell of session.listeners) tell(io);
        if ((session.early?.length ?? earlyChunksMax) < earlyChunksMax) session.early?.push(io);
        const path = `${sandbox}/${type.toLowerCase()}`;
        if (sandbox !== undefined) await files.append(path, chunk, undefined);
      }
    };
    const drain = async (): Promise<void> => {
      await Promise.all([copy(process.stdout, 'STDOUT'), copy(process.stderr, 'STDERR')]);
    };
    const lost = (error: unknown): void =>
      logger.info('A nested container was lost', { container: name, error });
    const session: Session = {
      process,
      ended: process.exited.catch((error: unknown) => {
        lost(error);
        return 255;
      }),
      exitCode: undefined,
      drained: Promise.resolve().then(drain).catch(lost),
      listeners: new Set(),
      early: [],
    };
    void session.ended.then((code) => {
      session.exitCode = code;
      clock.after(sandbox === undefined ? keptMs.session : keptMs.nested, () => {
        if (this.#sessions.get(name) === session) this.#sessions.delete(name);
      });
    });
    return session;
  }

  /** `containers/<id>` of the sandbox it was launched into. */
  async #sandboxOf(id: ContainerID): Promise<string | undefined> {
    const { world, paths, options } = this.#context;
    const names: string[] = [];
    let root = id;
    for (; root.parent !== undefined; root = root.parent) names.unshift(root.value);
    const task = world.tasks.list().find((one) => world.pod(one)?.metadata.uid === root.value);
    if (task === undefined) return undefined;
    const run = paths.run(runNamesOf(task, root.value));
    const path = names.reduce((at, name) => `${at}/containers/${directoryName(name)}`, run);
    await options.files.makeDir(path);
    return path;
  }

  async wait(id: ContainerID, signal: AbortSignal): Promise<Termination> {
    const session = this.#sessions.get(idText(id));
    if (session !== undefined) {
      const gone = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('The client has gone')), {
          once: true,
        });
      });
      const code = await Promise.race([session.ended, gone]);
      return { exit_status: code > 128 && code < 160 ? code - 128 : code << 8 };
    }
    const container = this.#containerOf(id);
    if (container === undefined)
      throw new CallRejected(404, `Container ${idText(id)} cannot be found`);
    const ended = await this.#endOf(container, signal);
    return { exit_status: waitNumber(waitStatusOf(ended)) };
  }

  #endOf(container: Container, signal: AbortSignal): Promise<Container> {
    const { runtime } = this.#context.options;
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const now = runtime.container(container.id);
        if (now !== undefined && now.state !== 'exited') return;
        changes[Symbol.dispose]();
        resolve(now ?? container);
      };
      const changes = runtime.onChange(({ id }) => {
        if (id === container.id) look();
      });
      signal.addEventListener(
        'abort',
        () => {
          changes[Symbol.dispose]();
          reject(new Error('The client has gone'));
        },
        { once: true },
      );
      look();
    });
  }

  async kill(id: ContainerID, signal: number): Promise<void> {
    const session = this.#sessions.get(idText(id));
    if (session !== undefined && session.exitCode === undefined) {
      session.process.close();
      return;
    }
    const container = this.#containerOf(id);
    if (container?.state !== 'running')
      throw new CallRejected(
        404,
        `Container '${idText(id)}' cannot be found (or is already killed)`,
      );
    const { runtime, logger } = this.#context.options;
    if (signal === 9) {
      await runtime.stopContainer(container.id, { graceMs: 0 });
      return;
    }
    // Only the signal: what the task makes of it is its own affair, for a day.
    runtime
      .stopContainer(container.id, { graceMs: 86_400_000, signal: String(signal) })
      .catch((error: unknown) => {
        logger.info('Cannot signal a container', { container: idText(id), error });
      });
  }

  async remove(id: ContainerID): Promise<void> {
    const name = idText(id);
    const session = this.#sessions.get(name);
    if (session !== undefined) {
      if (session.exitCode === undefined)
        throw new CallRejected(500, `Failed to remove nested container ${name}: It is running`);
      this.#sessions.delete(name);
      return;
    }
    const container = this.#containerOf(id);
    if (container !== undefined && container.state !== 'exited')
      throw new CallRejected(500, `Failed to remove nested container ${name}: It is running`);
  }

  /** Throws unless there is something whose output can be followed. */
  demand(id: ContainerID): void {
    if (this.#sessions.has(idText(id)) || this.#containerOf(id)?.state === 'running') return;
    throw new CallRejected(404, `Container ${idText(id)} cannot be found`);
  }

  /** Tells everything the container writes until it ends or the signal aborts. */
  async output(id: ContainerID, signal: AbortSignal, tell: Io): Promise<void> {
    const session = this.#sessions.get(idText(id));
    if (session !== undefined) {
      for (const io of session.early ?? []) tell(io);
      session.early = undefined;
      session.listeners.add(tell);
      signal.addEventListener('abort', () => session.listeners.delete(tell), { once: true });
      await session.drained;
      return;
    }
    const process = await this.#attach(id);
    signal.addEventListener('abort', () => process.close(), { once: true });
    const copy = async (
      stream: AsyncIterable<Uint8Array> | undefined,
      type: 'STDOUT' | 'STDERR',
    ): Promise<void> => {
      for await (const chunk of stream ?? []) {
        if (signal.aborted) return;
        const data = Buffer.from(chunk).toString('base64');
        tell({ type: 'DATA', data: { type, data } });
      }
    };
    await Promise.all([copy(process.stdout, 'STDOUT'), copy(process.stderr, 'STDERR')]);
  }

  /** A session ends with the stream that shows it. */
  end(id: ContainerID): void {
    const session = this.#sessions.get(idText(id));
    if (session !== undefined && session.exitCode === undefined) session.process.close();
  }

  /** Rejects what has no output to follow, before a stream of it begins. */
  expect(id: ContainerID): void {
    if (!this.#sessions.has(idText(id)) && this.#containerOf(id)?.state !== 'running')
      throw new CallRejected(404, `Container ${idText(id)} cannot be found`);
  }

  async #attach(id: ContainerID): Promise<Process> {
    const container = this.#containerOf(id);
    if (container?.state !== 'running')
      throw new CallRejected(404, `Container ${idText(id)} cannot be found`);
    return this.#context.options.runtime.attach(container.id, {
      tty: container.spec.tty,
      stdin: false,
      stdout: true,
      stderr: !container.spec.tty,
    });
  }

  /** Puts what comes into the container's input until it ends. */
  async input(id: ContainerID, messages: AsyncIterable<AgentProcessIO>): Promise<void> {
    const session = this.#sessions.get(idText(id));
    const container = session === undefined ? this.#containerOf(id) : undefined;
    const process =
      session?.process ??
      (container?.state === 'running'
        ? await this.#context.options.runtime.attach(container.id, {
            tty: container.spec.tty,
            stdin: true,
            stdout: false,
            stderr: false,
          })
        : undefined);
    if (process === undefined)
      throw new CallRejected(404, `Container ${idText(id)} cannot be found`);
    for await (const message of messages) {
      const size = message.control?.tty_info?.window_size;
      if (size !== undefined) process.resize(size.columns, size.rows);
      if (message.type !== 'DATA') continue;
      const data = Buffer.from(message.data?.data ?? '', 'base64');
      if (data.length === 0) {
        process.stdin?.end();
        return;
      }
      if (process.stdin?.write(data) === false) await process.stdin.drained();
    }
  }
}
