import { CallRejected } from '#mesos/protocol';
import type { AgentProcessIO, AgentResponseWaitContainer, ContainerID } from '#mesos/protocol';
import type { Container, Process } from '#node/runtime';
import { waitNumber } from '../wait-status.ts';
import type { World } from '../world.ts';
import { idText } from './ids.ts';
import { variablesOf } from './settings.ts';
import type { LaunchWish } from './settings.ts';

export type Tell = (io: AgentProcessIO) => void;

/** A command in another container (class DEBUG): its namespaces, files, limits and environment. */
interface Session {
  readonly id: ContainerID;
  readonly tty: boolean;
  readonly process: Process;
  readonly ended: Promise<number>;
  exitCode: number | undefined;
  /** All that was written has been told. */
  readonly drained: Promise<void>;
  readonly listeners: Set<Tell>;
  /** What came before anybody listened. */
  early: AgentProcessIO[] | undefined;
}

const sessionsMax = 1000;
const earlyChunksMax = 256;

/** What LAUNCH_NESTED_CONTAINER_SESSION starts. It lives as long as the stream that shows it. */
export class Sessions {
  readonly #world: World;
  /** In order of launch; those that ended are kept for WAIT until REMOVE, or until there are too many. */
  readonly #sessions = new Map<string, Session>();

  constructor(world: World) {
    this.#world = world;
  }

  find(id: ContainerID): Session | undefined {
    return this.#sessions.get(idText(id));
  }

  /** All that run. */
  list(): readonly ContainerID[] {
    return [...this.#sessions.values()]
      .filter(({ exitCode }) => exitCode === undefined)
      .map(({ id }) => id);
  }

  async launch(id: ContainerID, wish: LaunchWish, parent: Container): Promise<void> {
    this.#makeRoom();
    const tty = wish.container?.tty_info !== undefined;
    const { runtime, files } = this.#world.options;
    const name = wish.command?.user;
    const user = name === undefined ? undefined : await files.user(name);
    if (name !== undefined && user === undefined)
      throw new CallRejected(400, `Failed to get user information for '${name}': No such user`);
    let process: Process;
    try {
      process = await runtime.exec(parent.id, {
        command: argvOf(wish),
        env: variablesOf(wish.command),
        user,
        tty,
        size: wish.container?.tty_info?.window_size,
        stdin: true,
        stdout: true,
        stderr: !tty,
      });
    } catch (error) {
      throw new CallRejected(400, error instanceof Error ? error.message : String(error));
    }
    this.#sessions.set(idText(id), this.#follow(id, process, tty));
  }

  #makeRoom(): void {
    if (this.#sessions.size < sessionsMax) return;
    for (const [name, { exitCode }] of this.#sessions)
      if (exitCode !== undefined) {
        this.#sessions.delete(name);
        return;
      }
    throw new CallRejected(400, `There are ${sessionsMax} sessions already`);
  }

  #follow(id: ContainerID, process: Process, tty: boolean): Session {
    const { logger } = this.#world.options;
    const lost = (error: unknown): void =>
      logger.info('A session was lost', { container: idText(id), error });
    const copy = async (
      stream: AsyncIterable<Uint8Array> | undefined,
      type: 'STDOUT' | 'STDERR',
    ): Promise<void> => {
      for await (const chunk of stream ?? []) {
        const data = Buffer.from(chunk).toString('base64');
        const io: AgentProcessIO = { type: 'DATA', data: { type, data } };
        for (const tell of session.listeners) tell(io);
        if ((session.early?.length ?? earlyChunksMax) < earlyChunksMax) session.early?.push(io);
      }
    };
    const drain = async (): Promise<void> => {
      await Promise.all([copy(process.stdout, 'STDOUT'), copy(process.stderr, 'STDERR')]);
    };
    const session: Session = {
      id,
      tty,
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
    });
    return session;
  }

  async wait(session: Session, signal: AbortSignal): Promise<AgentResponseWaitContainer> {
    const gone = new Promise<never>((_, reject) => {
      const leave = (): void => reject(new Error('The client has gone'));
      signal.addEventListener('abort', leave, { once: true });
    });
    const code = await Promise.race([session.ended, gone]);
    // The runtime tells a signal as 128 + number, as shells do.
    const signalled = code > 128 && code <= 128 + 31;
    return {
      exit_status: waitNumber(
        signalled ? { kind: 'signalled', signal: code - 128 } : { kind: 'exited', code },
      ),
    };
  }

  /** False when it has ended. */
  kill(session: Session, signal: number): boolean {
    if (session.exitCode !== undefined) return false;
    if (signal === 9) session.process.close();
    else session.process.signal?.(signal);
    return true;
  }

  remove(session: Session): void {
    if (session.exitCode === undefined)
      throw new CallRejected(500, 'Nested container has not terminated yet');
    this.#sessions.delete(idText(session.id));
  }

  /** The stream that shows it is over. */
  end(id: ContainerID): void {
    const session = this.find(id);
    if (session !== undefined && session.exitCode === undefined) session.process.close();
  }

  /** Tells everything it writes until it ends or the signal aborts. */
  async output(session: Session, signal: AbortSignal, tell: Tell): Promise<void> {
    for (const io of session.early ?? []) tell(io);
    session.early = undefined;
    session.listeners.add(tell);
    signal.addEventListener('abort', () => session.listeners.delete(tell), { once: true });
    await session.drained;
    session.listeners.delete(tell);
  }
}

function argvOf({ command }: LaunchWish): readonly string[] {
  const { value, shell = true, arguments: argv = [] } = command ?? {};
  if (shell) return ['/bin/sh', '-c', value ?? ''];
  return [value ?? '/bin/sh', ...argv.slice(1)];
}
