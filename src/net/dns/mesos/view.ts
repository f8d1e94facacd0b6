import type { Clock, Logger } from '#base';
import type { CreateInformer } from '#client';
import { nodes as nodeKind } from '#kube/kinds';
import type { Node } from '#kube/kinds';
import { agents as agentKind, frameworks as frameworkKind, tasks as taskKind } from '#mesos/kinds';
import { MesosRecords } from './records.ts';
import type { Task } from '#mesos/kinds';
import type { ZoneFacts } from './records.ts';
import { keptOfTask } from './task-facts.ts';
import { TaskFollower } from './task-feed.ts';

export interface MesosViewOptions {
  readonly api: Parameters<CreateInformer>[0];
  readonly createInformer: CreateInformer;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly zone: ZoneFacts;
  /** The stream of `task-feed.ts`, for who may not see all tasks; absent: they come from `api`. */
  readonly openTasks?: ((signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>) | undefined;
  /** Addresses of a host name, for frameworks' machines; absent: only nodes and the master are known. */
  readonly lookup?: ((hostname: string) => Promise<readonly string[]>) | undefined;
}

const lookupKeepMs = 60_000;

/**
 * The names of Mesos, as the store has them. Nothing is followed before the first question: a node
 * on which nobody asks pays nothing.
 */
export class MesosView {
  readonly records: MesosRecords;
  readonly #options: MesosViewOptions;
  readonly #hosts = new Map<string, { readonly ips: readonly string[]; readonly atMs: number }>();
  #ready: Promise<void> | undefined;
  #changedMs: number;

  constructor(options: MesosViewOptions) {
    this.#options = options;
    this.#changedMs = options.clock.nowMs();
    this.records = new MesosRecords(options.zone, (hostname) => this.#ipsOf(hostname));
  }

  /** Serial number of the zone: when it changed last, in seconds. */
  get serial(): number {
    return Math.floor(this.#changedMs / 1000);
  }

  /** Resolves when all that is stored is known. */
  ready(): Promise<void> {
    this.#ready ??= this.#open();
    return this.#ready;
  }

  async #open(): Promise<void> {
    const { api, createInformer, clock, logger, signal } = this.#options;
    const common = { clock, logger };
    const touched = (): void => {
      this.#changedMs = clock.nowMs();
    };
    const tasks = this.#tasks((key, task) => {
      this.records.setTask(key, task);
      touched();
    });
    const frameworks = createInformer(api, frameworkKind, common);
    const agents = createInformer(api, agentKind, common);
    const nodes = createInformer<Node>(api, nodeKind, { ...common, keep: keptOfNode });
    agents.onChange(({ key, object }) => this.records.setAgent(key, object));
    nodes.onChange(({ key, object }) => this.records.setNode(key, object));
    frameworks.onChange(({ object, old }) => {
      if (object !== undefined) this.records.setFramework(object);
      else if (old !== undefined) this.records.removeFramework(old.spec.frameworkID);
    });
    agents.onChange(touched);
    frameworks.onChange(touched);
    const all = [tasks, frameworks, agents, nodes];
    for (const one of all)
      one.run(signal).catch((error: unknown) => {
        if (!signal.aborted) logger.error('Names of Mesos are no longer followed', { error });
      });
    await Promise.all(all.map(({ synced }) => synced));
  }

  #tasks(changed: (key: string, task: Task | undefined) => void): {
    readonly synced: Promise<void>;
    run(signal: AbortSignal): Promise<void>;
  } {
    const { api, createInformer, clock, logger, openTasks: open } = this.#options;
    if (open !== undefined) return new TaskFollower({ open, changed, clock, logger });
    const tasks = createInformer(api, taskKind, {
      clock,
      logger,
      fieldSelector: 'status.state=TASK_RUNNING',
      keep: keptOfTask,
    });
    tasks.onChange(({ key, object }) => changed(key, object));
    return tasks;
  }

  /** What is known now; a name that is looked up elsewhere is known at the next question. */
  #ipsOf(hostname: string): readonly string[] {
    const { clock, zone, lookup } = this.#options;
    if (isAddress(hostname)) return [hostname];
    // Frameworks of the server's own machine.
    if (hostname === '' || hostname === 'localhost') return hostname === '' ? [] : [zone.master.ip];
    const own = this.records.nodeIps(hostname);
    if (own.length > 0 || lookup === undefined) return own;
    const known = this.#hosts.get(hostname);
    const nowMs = clock.nowMs();
    if (known === undefined || nowMs - known.atMs > lookupKeepMs) {
      this.#hosts.set(hostname, { ips: known?.ips ?? [], atMs: nowMs });
      void this.#look(hostname, lookup);
    }
    return known?.ips ?? [];
  }

  async #look(
    hostname: string,
    lookup: (hostname: string) => Promise<readonly string[]>,
  ): Promise<void> {
    const { clock, zone, logger } = this.#options;
    try {
      const found = await lookup(hostname);
      const ips = found.map((ip) => (/^(127\.|::1$)/.test(ip) ? zone.master.ip : ip));
      this.#hosts.set(hostname, { ips: [...new Set(ips)], atMs: clock.nowMs() });
    } catch (error) {
      logger.debug('A framework’s machine has no address', { hostname, error });
    }
  }
}

function isAddress(text: string): boolean {
  return /^(\d{1,3}\.){3}\d{1,3}$/.test(text) || (text.includes(':') && /^[\da-f:.]+$/i.test(text));
}

function keptOfNode(node: Node): Node {
  const { name, uid, resourceVersion, creationTimestamp } = node.metadata;
  const { addresses, daemonEndpoints, nodeInfo } = node.status;
  return {
    apiVersion: node.apiVersion,
    kind: node.kind,
    metadata: { name, uid, resourceVersion, creationTimestamp },
    spec: {},
    status: { addresses, daemonEndpoints, nodeInfo },
  };
}
