import type { SystemUser } from '#io';
import type { ContainerID } from '#mesos/protocol';
import type { Container, Image, Sandbox, SandboxSpec } from '#node/runtime';
import { containerLabels } from '../names.ts';
import { directoryName, runNamesOf } from '../paths.ts';
import { registryCredentials } from '../registry-credentials.ts';
import { launchedVolumes } from '../volumes.ts';
import { makeVolumes } from '../volume-places.ts';
import type { World } from '../world.ts';
import { idText, namesBelowRoot, rootOf } from './ids.ts';
import type { LaunchedParts } from './launched.ts';
import { launchProblem, launchedSpec } from './settings.ts';
import type { LaunchWish } from './settings.ts';
import { executorRun, taskContainer } from './task-containers.ts';

/** The id as JSON: a restarted agent knows its containers by it, and the kubelet leaves them to us. */
export const idAnnotation = 'tandem.dev/apart';
/** On sandboxes of standalone containers: the container's id. */
export const standaloneLabel = 'tandem.dev/apart';
const root = { uid: 0, gid: 0 };
const sandboxMode = 0o750;

/** The id of a container that a call launched. */
export function idOf({ spec }: Container): ContainerID | undefined {
  const text = spec.annotations[idAnnotation];
  if (text === undefined) return undefined;
  // Written by us out of a decoded message.
  const id: ContainerID = JSON.parse(text);
  return id;
}

/** What lies around a container that is about to be launched. */
interface Surroundings {
  readonly directory: string;
  readonly parentDirectory: string;
  readonly user: SystemUser | undefined;
  readonly logDir: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly security: Container['spec']['security'] | undefined;
  sandbox(): Promise<{ readonly id: string; readonly made: boolean }>;
}

/** Directory, files, image, sandbox, container: the steps of one launch, undone when one fails. */
export class Launcher {
  readonly #world: World;
  readonly #parts: Pick<LaunchedParts, 'paths' | 'fetcher' | 'sandboxes'>;

  constructor(world: World, parts: Pick<LaunchedParts, 'paths' | 'fetcher' | 'sandboxes'>) {
    this.#world = world;
    this.#parts = parts;
  }

  /** Its sandbox; undefined when nothing is known of its root. */
  directoryOf(id: ContainerID): string | undefined {
    const { paths } = this.#parts;
    const top = rootOf(id);
    const run = executorRun(this.#world, id);
    const base =
      run === undefined ? this.#standalone(top.value) : paths.run(runNamesOf(run.task, top.value));
    if (base === undefined) return undefined;
    return namesBelowRoot(id).reduce((at, name) => `${at}/containers/${directoryName(name)}`, base);
  }

  /** A root that is no executor's is a standalone container, if it is any. */
  #standalone(value: string): string | undefined {
    return /^[^/\0]+$/.test(value) ? this.#parts.paths.standalone(value) : undefined;
  }

  async launch(id: ContainerID, wish: LaunchWish, signal: AbortSignal): Promise<Container> {
    const problem = launchProblem(wish);
    if (problem !== undefined) throw new Error(problem);
    const around = await this.#around(id, wish);
    const { files, runtime } = this.#world.options;
    const { directory, user } = around;
    const process = wish.container?.mesos?.image === undefined;
    const volumes = launchedVolumes(wish.container?.volumes ?? [], {
      own: directory,
      parent: around.parentDirectory,
    });
    await files.makeDir(directory, { owner: root, mode: 0o700 });
    let made: { readonly id: string; readonly made: boolean } | undefined;
    try {
      await makeVolumes(files, volumes, { directory, owner: user, process });
      await this.#fetch(id, wish, { directory, user, signal });
      if (user !== undefined) await files.chown(directory, user);
      await files.chmod(directory, sandboxMode);
      const image = await this.#image(wish, directory, signal);
      signal.throwIfAborted();
      made = await around.sandbox();
      const name = directoryName(`launched-${namesBelowRoot(id).join('.') || id.value}`);
      const spec = launchedSpec(wish, {
        name,
        image,
        directory,
        volumes,
        user,
        logPath: `${around.logDir}/${name}/0.log`,
        labels: around.labels,
        annotations: { [idAnnotation]: JSON.stringify(id) },
        security: around.security,
        ownLimits: id.parent === undefined || wish.container?.linux_info?.share_cgroups === false,
      });
      signal.throwIfAborted();
      return await this.#start(made.id, spec, signal);
    } catch (error) {
      if (made?.made === true) {
        await runtime.stopSandbox(made.id);
        await runtime.removeSandbox(made.id);
      }
      throw error;
    }
  }

  async #start(
    sandboxID: string,
    spec: ReturnType<typeof launchedSpec>,
    signal: AbortSignal,
  ): Promise<Container> {
    const { runtime } = this.#world.options;
    const container = await runtime.createContainer(sandboxID, { ...spec, attempt: 0 });
    try {
      signal.throwIfAborted();
      await runtime.startContainer(container.id);
      return runtime.container(container.id) ?? container;
    } catch (error) {
      await runtime.removeContainer(container.id);
      throw error;
    }
  }

  async #around(id: ContainerID, wish: LaunchWish): Promise<Surroundings> {
    const { paths, sandboxes } = this.#parts;
    const directory = this.directoryOf(id) ?? '';
    const named = await this.#user(wish.command?.user);
    const run = executorRun(this.#world, id);
    if (run === undefined) return this.#aroundStandalone(id, { directory, user: named });
    const { pod, task } = run;
    const { uid, name, namespace = '' } = pod.metadata;
    const parent =
      taskContainer(this.#world, id.parent ?? id) ?? taskContainer(this.#world, rootOf(id));
    if (parent === undefined) throw new Error(`Parent container ${uid} does not exist`);
    const logs = parent.spec.logPath.split('/').slice(0, -2).join('/');
    return {
      directory,
      parentDirectory: this.directoryOf(id.parent ?? id) ?? paths.run(runNamesOf(task, uid)),
      user: named ?? (await sandboxes.userOf(pod, task)),
      logDir: logs,
      labels: {
        [containerLabels.uid]: uid,
        [containerLabels.name]: name,
        [containerLabels.namespace]: namespace,
      },
      security: parent.spec.security,
      sandbox: async () => ({ id: parent.sandboxId, made: false }),
    };
  }

  /** A standalone container, or one nested in it. */
  #aroundStandalone(
    id: ContainerID,
    of: { readonly directory: string; readonly user: SystemUser | undefined },
  ): Surroundings {
    const { paths } = this.#parts;
    const { runtime } = this.#world.options;
    const top = rootOf(id).value;
    const parent = id.parent === undefined ? undefined : this.directoryOf(id.parent);
    const existing = runtime
      .sandboxes()
      .find(({ spec, state }) => spec.labels[standaloneLabel] === top && state === 'ready');
    return {
      ...of,
      parentDirectory: parent ?? of.directory,
      logDir: paths.notes(top),
      labels: {},
      security: undefined,
      sandbox: async () => {
        if (id.parent === undefined) {
          const made: Sandbox = await runtime.createSandbox(
            await this.#sandboxSpec(top),
            new AbortController().signal,
          );
          return { id: made.id, made: true };
        }
        if (existing === undefined)
          throw new Error(`Parent container ${idText(id.parent)} does not exist`);
        return { id: existing.id, made: false };
      },
    };
  }

  /** On the machine's own network, as containers of the Mesos containerizer are unless told otherwise. */
  async #sandboxSpec(name: string): Promise<SandboxSpec> {
    const { files, hostname } = this.#world.options;
    return {
      podName: name,
      podNamespace: '',
      podUid: `standalone-${name}`,
      attempt: 0,
      hostname,
      hostNetwork: true,
      hostPid: false,
      hostIpc: false,
      sharePid: false,
      dns: resolverOf((await files.readText('/etc/resolv.conf')) ?? ''),
      sysctls: {},
      hostAliases: [],
      labels: { [standaloneLabel]: name },
      annotations: {},
      resources: {},
      qosClass: 'Burstable',
    };
  }

  async #user(name: string | undefined): Promise<SystemUser | undefined> {
    if (name === undefined) return undefined;
    const user = await this.#world.options.files.user(name);
    if (user === undefined)
      throw new Error(`Failed to get user information for '${name}': No such user`);
    return user;
  }

  async #fetch(
    id: ContainerID,
    { command }: LaunchWish,
    of: {
      readonly directory: string;
      readonly user: SystemUser | undefined;
      readonly signal: AbortSignal;
    },
  ): Promise<void> {
    const uris = command?.uris ?? [];
    if (uris.length === 0) return;
    const { directory, user, signal } = of;
    const request = { uris, directory, user: user?.name ?? '', containerID: idText(id) };
    await this.#parts.fetcher.fetch(request, signal);
  }

  async #image(
    { container }: LaunchWish,
    directory: string,
    signal: AbortSignal,
  ): Promise<Image | undefined> {
    const image = container?.mesos?.image;
    const name = image?.docker?.name;
    if (image === undefined || name === undefined) return undefined;
    const { runtime, files } = this.#world.options;
    const known = image.cached === false ? undefined : await runtime.images.resolve(name);
    if (known !== undefined) return known;
    const secrets = [
      ...configOf(image.docker?.config?.value?.data),
      ...(await registryCredentials(files, directory)),
    ];
    return runtime.images.pull(name, { secrets, signal });
  }
}

/** A docker configuration that came with the call, in base64. */
function configOf(data: string | undefined): readonly unknown[] {
  if (data === undefined) return [];
  const config: unknown = JSON.parse(Buffer.from(data, 'base64').toString());
  return [config];
}

/** The machine's own resolver. */
function resolverOf(text: string): SandboxSpec['dns'] {
  const words = text.split('\n').map((line) => line.trim().split(/\s+/));
  const of = (key: string): readonly string[] =>
    words.filter(([first]) => first === key).flatMap(([, ...rest]) => rest);
  return { servers: of('nameserver'), searches: of('search'), options: of('options') };
}
