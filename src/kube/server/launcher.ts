import type { ApiServer, PreparedCreate, PreparedGroup, Reader } from '#apiserver';
import type { Clock } from '#base';
import { namespaces, pods, type Container, type Pod } from '#kube/kinds';
import {
  type Draft,
  type GroupResult,
  type KubeObject,
  type NewObject,
  StatusError,
  alreadyExists,
  badRequest,
  creation,
  forbidden,
  invalid,
  notFound,
  updating,
} from '#machinery';
import type { Claim, Pool, Verdict } from '#pool';
import type { PodClaims } from './pod-claims.ts';
import { heldPortsAnnotation, isActive, ownerOf, placeOf } from './pods.ts';

/** A Pod that comes with its node, and what is written together with it. */
export interface Launch {
  readonly pod: NewObject<Pod>;
  readonly tasks: readonly NewObject[];
}
/** What a running Pod gets more, or less. */
export interface Growth {
  readonly namespace: string;
  readonly podName: string;
  readonly podUID: string;
  readonly containers?: Pod['spec']['containers'] | undefined;
  /** Added to the Pod's; those that only containers taken out had mounted go with these. */
  readonly volumes?: Pod['spec']['volumes'] | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  /** Names of containers that are taken out of the Pod; the last one stays. */
  readonly prune?: readonly string[] | undefined;
  /** Names of containers that have ended and give their room back: they stay for their logs. */
  readonly release?: readonly string[] | undefined;
  /** Of the first container that stays, in place of what it had. */
  readonly ports?: NonNullable<Container['ports']> | undefined;
  /** Of the first container, in place of what it had. */
  readonly requests?: Readonly<Record<string, string>> | undefined;
  readonly limits?: Readonly<Record<string, string>> | undefined;
  readonly heldPorts?: string | undefined;
  readonly tasks: readonly NewObject[];
}
export type LaunchResult =
  | { readonly ok: true; readonly pod: Pod }
  | {
      readonly ok: false;
      readonly reason: 'NoRoom' | 'NodeGone' | 'PodGone';
      readonly message: string;
    }
  | { readonly ok: false; readonly reason: 'Failed'; readonly error: StatusError };

export interface LauncherParts {
  readonly pool: Pool;
  readonly reader: Reader;
  readonly server: Pick<ApiServer, 'writeMany' | 'prepareCreate'>;
  readonly clock: Clock;
}

/** What is decided without letting others have a turn; a few milliseconds of work. */
const perTurn = 32;

/** One launch or growth that the pool granted: its claim is held until the write is through. */
interface Granted {
  readonly at: number;
  readonly owner: string;
  readonly group: PreparedGroup;
}
type Results = (LaunchResult | undefined)[];

/**
 * Room and objects in one step: the pool's claim first, then the Pod and what belongs to it in one
 * commit; a write that fails gives the room back. The way in for Mesos' launches, in process only.
 */
export class Launcher {
  readonly #parts: LauncherParts;
  readonly #claims: PodClaims;

  constructor(parts: LauncherParts, claims: PodClaims) {
    this.#parts = parts;
    this.#claims = claims;
  }

  /** Results are in the order of `launches`; one that loses the race for room stores nothing. */
  async launch(launches: readonly Launch[]): Promise<readonly LaunchResult[]> {
    const results: Results = launches.map(() => undefined);
    const writes: Promise<void>[] = [];
    for (let from = 0; from < launches.length; from += perTurn) {
      if (from > 0) await this.#parts.clock.sleep(0);
      const granted: Granted[] = [];
      const until = Math.min(from + perTurn, launches.length);
      for (let at = from; at < until; at++) {
        const launch = launches[at];
        const made = launch === undefined ? undefined : this.#grantLaunch(launch, at);
        if (made !== undefined && 'group' in made) granted.push(made);
        else results[at] = made;
      }
      writes.push(this.#write(granted, results));
    }
    await Promise.all(writes);
    return results.map(decided);
  }

  /** The same for Pods that run. Several growths of one Pod happen in their order. */
  async grow(growths: readonly Growth[]): Promise<readonly LaunchResult[]> {
    const results: Results = growths.map(() => undefined);
    let open = growths.map((growth, at) => ({ growth, at, owner: ownerOfGrowth(growth) }));
    while (open.length > 0) {
      const turn = new Map<string, (typeof open)[number]>();
      for (const one of open)
        if (turn.size < perTurn && !turn.has(one.owner)) turn.set(one.owner, one);
      await this.#claims.free([...turn.keys()]);
      const granted: Granted[] = [];
      for (const { growth, at } of turn.values()) {
        const made = this.#grantGrowth(growth, at);
        if ('group' in made) granted.push(made);
        else results[at] = made;
      }
      await this.#write(granted, results);
      open = open.filter((one) => turn.get(one.owner) !== one);
    }
    return results.map(decided);
  }

  #grantLaunch(launch: Launch, at: number): Granted | LaunchResult {
    let prepared: PreparedCreate;
    try {
      prepared = this.#prepare(launch.pod);
    } catch (error) {
      return failed(error);
    }
    // The kind that was prepared says what its object is.
    const pod = prepared.draft as unknown as Pod;
    const owner = ownerOf(pod);
    if (this.#claims.isBusy(owner)) return failed(alreadyExists(pods, pod.metadata.name));
    const refusal = this.#claim(this.#claims.claimOf(pod), pod);
    if (refusal !== undefined) return refusal;
    return { at, owner, group: [prepared, ...launch.tasks.map((task) => creation(task))] };
  }

  #prepare(pod: NewObject<Pod>): PreparedCreate {
    const { reader, server } = this.#parts;
    const node = pod.spec?.nodeName ?? '';
    const name = pod.metadata.name ?? '';
    const where = pod.metadata.namespace ?? '';
    if (node === '') throw badRequest(`pod ${name} does not say which node it is for`);
    if (reader.get(pods, name, where) !== undefined) throw alreadyExists(pods, name);
    const namespace = reader.get(namespaces, where);
    if (namespace === undefined) throw notFound(namespaces, where);
    if (namespace.metadata.deletionTimestamp !== undefined)
      throw forbidden(
        pods,
        name,
        `unable to create new content in namespace ${namespace.metadata.name} because it is being terminated`,
      );
    const labels = { ...pod.metadata.labels, ...placeOf(reader, node) };
    return server.prepareCreate({ ...pod, metadata: { ...pod.metadata, labels } });
  }

  #grantGrowth(growth: Growth, at: number): Granted | LaunchResult {
    const { namespace, podName } = growth;
    const pod = this.#parts.reader.get(pods, podName, namespace);
    const gone = goneText(pod, growth);
    if (pod === undefined || gone !== undefined)
      return { ok: false, reason: 'PodGone', message: gone ?? '' };
    const claim = this.#claims.claimOf(grown(pod, growth));
    const refusal = this.#claim({ ...claim, resize: true });
    if (refusal !== undefined) return refusal;
    const update = updating<Pod>(pods, { name: podName, namespace }, (draft) => {
      const late = goneText(draft as Pod, growth);
      if (late !== undefined) throw new PodGone(late);
      Object.assign(draft, grown(draft as Pod, growth));
      checkGrown(draft);
    });
    const tasks = growth.tasks.map((task) => creation(task));
    return {
      at,
      owner: ownerOf(pod),
      group: [{ ...update, validated: false }, ...tasks],
    };
  }

  /** Takes the room and holds it; undefined when it was granted. */
  #claim(claim: Claim, written?: Pod): LaunchResult | undefined {
    const [verdict] = this.#parts.pool.commit([claim]);
    if (verdict?.ok !== true) return refusalOf(verdict);
    this.#claims.begin(claim.owner, written);
    return undefined;
  }

  async #write(granted: readonly Granted[], results: Results): Promise<void> {
    if (granted.length === 0) return;
    try {
      const done = await this.#parts.server.writeMany(granted.map(({ group }) => group));
      for (const [index, { at }] of granted.entries()) results[at] = resultOf(done[index]);
    } catch (error) {
      for (const { at } of granted) results[at] = failed(error);
    } finally {
      this.#claims.end(granted.map(({ owner }) => owner));
    }
  }
}

/** The Pod of a growth ended, or is on its way out. */
class PodGone extends StatusError {
  constructor(message: string) {
    super('Gone', message);
  }
}

function ownerOfGrowth({ namespace, podName }: Growth): string {
  return `pod/${namespace}/${podName}`;
}

function goneText(pod: Pod | undefined, growth: Growth): string | undefined {
  const name = `${growth.namespace}/${growth.podName}`;
  if (pod === undefined || pod.metadata.uid !== growth.podUID) return `pod ${name} is gone`;
  if (pod.metadata.deletionTimestamp !== undefined) return `pod ${name} is being deleted`;
  return isActive(pod) ? undefined : `pod ${name} has ended`;
}

/** The Pod as it will be. Nothing of the old one is changed, parts of it are shared. */
function grown(pod: Pod, growth: Growth): Pod {
  const { prune = [], release = [], containers = [], heldPorts, annotations } = growth;
  const kept = pod.spec.containers
    .filter(({ name }) => !prune.includes(name))
    .map((one) => (release.includes(one.name) ? emptied(one) : one));
  const all = [...kept, ...containers.map(withRequests)];
  const list = all.length === 0 ? pod.spec.containers.slice(-1) : all;
  const [first, ...others] = list;
  const resized = first === undefined ? list : [{ ...first, ...ofFirst(first, growth) }, ...others];
  const { generation } = pod.metadata;
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      generation: generation === undefined ? undefined : generation + 1,
      ...((heldPorts ?? annotations) !== undefined && {
        annotations: {
          ...pod.metadata.annotations,
          ...annotations,
          ...(heldPorts !== undefined && { [heldPortsAnnotation]: heldPorts }),
        },
      }),
    },
    spec: { ...pod.spec, containers: resized, ...volumesOf(pod, growth, resized) },
    ...(release.length > 0 && { status: statusWithout(pod.status, release) }),
  };
}

function volumesOf(
  { spec }: Pod,
  { volumes = [], prune = [] }: Growth,
  left: readonly Container[],
): Pick<Pod['spec'], 'volumes'> {
  if (volumes.length === 0 && prune.length === 0) return {};
  const mountedBy = (containers: readonly Container[]): ReadonlySet<string> =>
    new Set(containers.flatMap((one) => (one.volumeMounts ?? []).map(({ name }) => name)));
  const gone = mountedBy(spec.containers.filter(({ name }) => prune.includes(name)));
  const kept = mountedBy(left);
  const all = [...(spec.volumes ?? []), ...volumes];
  return { volumes: all.filter(({ name }) => !gone.has(name) || kept.has(name)) };
}

function ofFirst(first: Container, { ports, requests, limits }: Growth): Partial<Container> {
  const amounts = {
    ...(requests !== undefined && { requests }),
    ...(limits !== undefined && { limits }),
  };
  return {
    ...(ports !== undefined && { ports }),
    ...(Object.keys(amounts).length > 0 && { resources: { ...first.resources, ...amounts } }),
  };
}

/** It holds nothing any more. A bound of nothing is still one: the Pod as a whole stays bounded. */
function emptied(container: Container): Container {
  const nothing = (list: Readonly<Record<string, string>> = {}): Record<string, string> =>
    Object.fromEntries(Object.keys(list).map((name) => [name, '0']));
  const { requests, limits } = container.resources;
  return {
    ...container,
    ports: [],
    resources: {
      ...(requests !== undefined && { requests: nothing(requests) }),
      ...(limits !== undefined && { limits: nothing(limits) }),
    },
  };
}

/** Nor was it given anything. */
function statusWithout(status: Pod['status'], names: readonly string[]): Pod['status'] {
  const { containerStatuses } = status;
  if (containerStatuses === undefined) return status;
  return {
    ...status,
    containerStatuses: containerStatuses.map((one) => {
      if (!names.includes(one.name)) return one;
      const { resources: _had, allocatedResources: _given, ...rest } = one;
      return rest;
    }),
  };
}

/** What is limited and not asked for is asked for, as in every Pod. */
function withRequests(container: Pod['spec']['containers'][number]) {
  const resources = (container as Partial<typeof container>).resources ?? {};
  const { limits } = resources;
  if (limits === undefined) return { ...container, resources };
  return {
    ...container,
    resources: { ...resources, requests: { ...limits, ...resources.requests } },
  };
}

/** A Pod that grows obeys the rules of a new one; what was added for debugging is not looked at. */
function checkGrown(draft: Draft<Pod>): void {
  pods.defaults?.(draft);
  const { ephemeralContainers: _debug, ...spec } = draft.spec;
  const problems = pods.validateCreate?.({ ...draft, spec } as Pod) ?? [];
  if (problems.length > 0) throw invalid(pods, draft.metadata.name, problems);
}

function refusalOf(verdict: Verdict | undefined): LaunchResult {
  if (verdict === undefined || verdict.ok) return failed(new Error('the claim was not decided'));
  const { reason, message } = verdict;
  return { ok: false, reason: reason === 'NodeGone' ? 'NodeGone' : 'NoRoom', message };
}

function resultOf(done: GroupResult | undefined): LaunchResult {
  if (done === undefined) return failed(new Error('the launch was not written'));
  if (done.ok)
    return {
      ok: true,
      get pod() {
        const [pod] = done.objects;
        return podOf(pod);
      },
    };
  const { error } = done;
  if (error instanceof PodGone) return { ok: false, reason: 'PodGone', message: error.message };
  return failed(error);
}

/** The Pod is the first write of every group. */
function podOf(object: KubeObject | undefined): Pod {
  if (object === undefined) throw new Error('Cannot show the Pod of a launch: it was not written');
  return object as Pod;
}

function failed(error: unknown): LaunchResult {
  if (error instanceof StatusError) return { ok: false, reason: 'Failed', error };
  const text = error instanceof Error ? error.message : String(error);
  return {
    ok: false,
    reason: 'Failed',
    error: new StatusError('InternalError', `Internal error occurred: ${text}`, { cause: error }),
  };
}

function decided(result: LaunchResult | undefined): LaunchResult {
  return result ?? failed(new Error('the launch was not decided'));
}
