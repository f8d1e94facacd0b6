import { CallRejected } from '#mesos/protocol';
import type { AgentCall, AgentResponseWaitContainer, ContainerID } from '#mesos/protocol';
import type { Container, Process } from '#node/runtime';
import { idText } from '../nested/ids.ts';
import { feed } from '../nested/input.ts';
import { endOf } from '../nested/launched.ts';
import { Sessions } from '../nested/sessions.ts';
import type { Tell } from '../nested/sessions.ts';
import type { LaunchWish } from '../nested/settings.ts';
import { executorRun, taskContainer } from '../nested/task-containers.ts';
import { terminationOf } from '../nested/termination.ts';
import type { AgentContext } from './context.ts';

/** How long an input goes on after its container has ended: its last words may be on the way. */
const inputTailMs = 1000;

/**
 * The calls on containers, over the three kinds there are: of executors and tasks, launched by calls,
 * and sessions within either.
 */
export class NestedContainers {
  readonly #context: AgentContext;
  readonly #sessions: Sessions;
  /** Containers with an input connection: one at a time. */
  readonly #fed = new Set<string>();

  constructor(context: AgentContext) {
    this.#context = context;
    this.#sessions = context.sessions;
  }

  /** The runtime's container behind an id, of an executor, a task, or launched by a call. */
  #containerOf(id: ContainerID): Container | undefined {
    const { launched, world } = this.#context;
    return launched.find(id) ?? taskContainer(world, id);
  }

  async launch(id: ContainerID, wish: LaunchWish): Promise<'launched' | 'already'> {
    if (this.#sessions.find(id) !== undefined || this.#isTask(id)) return 'already';
    return this.#context.launched.launch(id, wish);
  }

  #isTask(id: ContainerID): boolean {
    const known = taskContainer(this.#context.world, id);
    return known !== undefined && known.state !== 'exited';
  }

  async launchSession(id: ContainerID, wish: LaunchWish): Promise<'launched' | 'already'> {
    if (this.#sessions.find(id) !== undefined) return 'already';
    const existing = this.#containerOf(id);
    if (existing !== undefined && existing.state !== 'exited') return 'already';
    const { container } = wish;
    if (container !== undefined && container.type !== 'MESOS')
      throw new CallRejected(400, 'The provided ContainerInfo is not supported');
    // filesystem/linux.cpp: it has the parent's files and nothing else.
    if (container?.mesos?.image !== undefined)
      throw new CallRejected(400, "A 'rootfs' cannot be set for DEBUG containers");
    if ((container?.volumes ?? []).length > 0)
      throw new CallRejected(400, 'Volumes not supported for DEBUG containers');
    const parent = id.parent === undefined ? undefined : this.#containerOf(id.parent);
    if (id.parent === undefined || parent?.state !== 'running')
      throw new CallRejected(400, `Parent container ${idText(id.parent ?? id)} does not exist`);
    await this.#sessions.launch(id, wish, parent);
    return 'launched';
  }

  async wait(id: ContainerID, signal: AbortSignal): Promise<AgentResponseWaitContainer> {
    const session = this.#sessions.find(id);
    if (session !== undefined) return this.#sessions.wait(session, signal);
    const { launched, world } = this.#context;
    const ended = await launched.wait(id, signal);
    if (ended !== undefined) return ended;
    const container = taskContainer(world, id);
    if (container === undefined)
      throw new CallRejected(404, `Container ${idText(id)} cannot be found`);
    return terminationOf(await endOf(world, container, signal));
  }

  async kill(id: ContainerID, signal: number): Promise<void> {
    const session = this.#sessions.find(id);
    const { launched, world, options } = this.#context;
    if (session !== undefined && this.#sessions.kill(session, signal)) return;
    if (await launched.kill(id, signal)) return;
    const container = taskContainer(world, id);
    const found =
      container !== undefined && (await options.runtime.signalContainer(container.id, signal));
    if (!found)
      throw new CallRejected(
        404,
        `Container '${idText(id)}' cannot be found (or is already killed)`,
      );
  }

  async remove(id: ContainerID): Promise<void> {
    const session = this.#sessions.find(id);
    if (session !== undefined) {
      this.#sessions.remove(session);
      return;
    }
    const { launched, world } = this.#context;
    const own = taskContainer(world, id);
    if (own !== undefined) {
      // What a task leaves belongs to its executor's run, and goes with it.
      if (own.state === 'exited' && id.parent !== undefined) return;
      throw new CallRejected(500, 'Nested container has not terminated yet');
    }
    if (id.parent !== undefined && launched.find(id) === undefined && this.#rootIsUnknown(id))
      throw new CallRejected(500, 'Unknown root container');
    await launched.remove(id);
  }

  #rootIsUnknown(id: ContainerID): boolean {
    const { launched, world } = this.#context;
    if (executorRun(world, id) !== undefined) return false;
    let top = id;
    while (top.parent !== undefined) top = top.parent;
    return launched.find(top) === undefined;
  }

  /** Rejects what has no streams to attach to, before a stream of it begins. */
  expect(id: ContainerID): void {
    const { launched } = this.#context;
    if (this.#sessions.find(id) !== undefined) return;
    const container = this.#containerOf(id);
    if (container?.state === 'running') return;
    if (container === undefined && !this.#rootIsUnknown(id) && !launched.isLaunching(id))
      throw new CallRejected(500, `Unknown container ${idText(id)}`);
    throw new CallRejected(404, `Container ${idText(id)} cannot be found`);
  }

  /** Tells everything the container writes until it ends or the signal aborts. */
  async output(id: ContainerID, signal: AbortSignal, tell: Tell): Promise<void> {
    const session = this.#sessions.find(id);
    if (session !== undefined) return this.#sessions.output(session, signal, tell);
    const process = await this.#attach(id, 'output');
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
    this.#sessions.end(id);
  }

  async #attach(id: ContainerID, to: 'input' | 'output'): Promise<Process> {
    this.expect(id);
    const container = this.#containerOf(id);
    if (container === undefined)
      throw new CallRejected(404, `Container ${idText(id)} cannot be found`);
    const { tty, stdin } = container.spec;
    if (to === 'input' && !stdin)
      throw new CallRejected(500, 'I/O switchboard server was disabled for this container');
    return this.#context.options.runtime.attach(container.id, {
      tty,
      stdin: to === 'input',
      stdout: to === 'output',
      stderr: to === 'output' && !tty,
    });
  }

  /** Puts what comes into the container's input until the records or the container end. */
  async input(id: ContainerID, calls: AsyncIterable<AgentCall>): Promise<void> {
    const name = idText(id);
    const session = this.#sessions.find(id);
    if (this.#fed.has(name))
      throw new CallRejected(409, 'Multiple input connections are not allowed');
    this.#fed.add(name);
    const over = new AbortController();
    try {
      const process = session?.process ?? (await this.#attach(id, 'input'));
      const tty = session?.tty ?? this.#containerOf(id)?.spec.tty ?? false;
      const container = this.#containerOf(id);
      const ended =
        session?.ended ??
        (container === undefined
          ? Promise.resolve()
          : endOf(this.#context.world, container, over.signal));
      const { clock } = this.#context.options;
      const tail = ended.then(
        () => clock.sleep(inputTailMs, over.signal),
        () => undefined,
      );
      await Promise.race([feed(process, calls, { tty }), tail]);
      if (session === undefined) process.close();
    } finally {
      over.abort();
      this.#fed.delete(name);
    }
  }
}
