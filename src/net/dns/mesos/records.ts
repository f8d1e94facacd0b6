import type { Node } from '#kube/kinds';
import type { Agent, Framework, Task } from '#mesos/kinds';
import { agentTail, frameworkLabels, labelOf, taskHash } from './labels.ts';
import { fixedNames } from './fixed-names.ts';
import { factsOf } from './task-facts.ts';
import type { TaskFacts } from './task-facts.ts';

/** The zone's own facts. */
export interface ZoneFacts {
  /** `mesos`. */
  readonly domain: string;
  /** The leading master, as clients reach it. */
  readonly master: { readonly ip: string; readonly port: number };
  /** Port of the agents' endpoints. */
  readonly agentPort: number;
  /** Addresses of this server of names. */
  readonly listeners: readonly string[];
}

export interface ServiceTarget {
  /** Without the last dot. */
  readonly host: string;
  readonly port: number;
}
/** What a name has; a name without any does not exist. */
export interface Found {
  readonly ips: readonly string[];
  readonly services: readonly ServiceTarget[];
}
/** One record as it is listed: `host` is an address, or `name.:port`. */
export interface ListedRecord {
  readonly name: string;
  readonly host: string;
  readonly rtype: 'A' | 'AAAA' | 'SRV';
}

/** A running task with the names it goes by. */
export interface TaskEntry {
  readonly facts: TaskFacts;
  readonly framework: string;
  /** With discovery twice: as it was written, and as a label. */
  readonly names: readonly string[];
  /** `<hash>-<agent>`, the tail of canonical names. */
  readonly tail: string;
}

/**
 * Every name of Mesos-DNS (mesos-dns records/generator): kept by what tasks, frameworks and agents
 * are called, so that a change touches only its own names and a question nothing but its answers.
 */
export class MesosRecords {
  readonly zone: ZoneFacts;
  readonly #hosts: (hostname: string) => readonly string[];
  readonly #tasks = new Map<string, TaskFacts>();
  readonly #entries = new Map<string, TaskEntry>();
  readonly #frameworks = new Map<string, { name: string; labels: string; hostname: string }>();
  readonly #ofFramework = new Map<string, Set<string>>();
  readonly #agents = new Map<string, string>();
  readonly #agentIDs = new Map<string, string>();
  readonly #nodes = new Map<string, readonly string[]>();
  /** By `<task>.<framework>`, and by canonical names. */
  readonly #named = new Map<string, Set<TaskEntry>>();

  /** `hosts` gives the addresses of a framework's machine, as far as they are known. */
  constructor(zone: ZoneFacts, hosts: (hostname: string) => readonly string[]) {
    this.zone = zone;
    this.#hosts = hosts;
  }

  setTask(key: string, task: Task | undefined): void {
    const before = this.#tasks.get(key);
    if (before !== undefined) {
      this.#unlist(key);
      this.#tasks.delete(key);
      const others = this.#ofFramework.get(before.frameworkID);
      others?.delete(key);
      if (others?.size === 0) this.#ofFramework.delete(before.frameworkID);
    }
    const facts = task === undefined ? undefined : factsOf(task);
    if (facts === undefined) return;
    this.#tasks.set(key, facts);
    const own = this.#ofFramework.get(facts.frameworkID) ?? new Set();
    this.#ofFramework.set(facts.frameworkID, own.add(key));
    this.#list(key, facts);
  }

  setFramework(framework: Framework): void {
    const { frameworkID, info } = framework.spec;
    const active = framework.status.phase !== 'Completed';
    const labels = frameworkLabels(info.name);
    const before = this.#frameworks.get(frameworkID);
    if (active)
      this.#frameworks.set(frameworkID, { name: info.name, labels, hostname: info.hostname ?? '' });
    else this.#frameworks.delete(frameworkID);
    if (before?.labels === labels && active) return;
    for (const key of this.#ofFramework.get(frameworkID) ?? []) {
      this.#unlist(key);
      const facts = this.#tasks.get(key);
      if (facts !== undefined) this.#list(key, facts);
    }
  }
  removeFramework(frameworkID: string): void {
    this.#frameworks.delete(frameworkID);
    for (const key of this.#ofFramework.get(frameworkID) ?? []) this.#unlist(key);
  }

  /** Registered agents are `slaves`; lost and removed ones have no names. */
  setAgent(name: string, agent: Agent | undefined): void {
    const before = this.#agentIDs.get(name);
    if (before !== undefined) this.#agents.delete(before);
    this.#agentIDs.delete(name);
    if (agent === undefined || agent.spec.gone === true) return;
    if (agent.status.unreachableTime !== undefined) return;
    this.#agentIDs.set(name, agent.spec.agentID);
    this.#agents.set(agent.spec.agentID, agent.spec.nodeName);
  }

  setNode(name: string, node: Node | undefined): void {
    const ips = (node?.status?.addresses ?? [])
      .filter(({ type }) => type === 'InternalIP')
      .map(({ address }) => address);
    if (ips.length === 0) this.#nodes.delete(name);
    else this.#nodes.set(name, ips);
  }

  nodeIps(name: string): readonly string[] {
    return this.#nodes.get(name) ?? [];
  }
  agentIps(agentID: string): readonly string[] | undefined {
    const node = this.#agents.get(agentID);
    return node === undefined ? undefined : this.nodeIps(node);
  }
  get allAgentIps(): readonly string[] {
    return [...new Set([...this.#agents.values()].flatMap((node) => this.nodeIps(node)))];
  }
  frameworkIps(labels: string): readonly string[] {
    const ips = [...this.#frameworks.values()]
      .filter((one) => one.labels === labels)
      .flatMap(({ hostname }) => this.#hosts(hostname));
    return [...new Set(ips)];
  }
  get frameworks(): readonly {
    readonly name: string;
    readonly labels: string;
    readonly id: string;
  }[] {
    return [...this.#frameworks].map(([id, { name, labels }]) => ({ name, labels, id }));
  }
  /** Tasks of a framework that have names. */
  entriesOf(frameworkID: string): readonly TaskEntry[] {
    return [...(this.#ofFramework.get(frameworkID) ?? [])].flatMap((key) => {
      const entry = this.#entries.get(key);
      return entry === undefined || this.agentIps(entry.facts.agentID) === undefined ? [] : [entry];
    });
  }

  /** `name` in small letters, without the domain and the dot before it. */
  find(name: string): Found {
    const fixed = fixedNames(this, name);
    return {
      ips: [
        ...new Set([...fixed.ips, ...this.#taskAddresses(name), ...this.#slaveAddresses(name)]),
      ],
      services: unique([...fixed.services, ...this.#taskServices(name)]),
    };
  }

  #taskAddresses(name: string): readonly string[] {
    return this.#live(name).flatMap((entry) => this.taskIps(entry));
  }
  #slaveAddresses(name: string): readonly string[] {
    if (!name.endsWith(slaveSuffix)) return [];
    return this.#live(name.slice(0, -slaveSuffix.length)).flatMap(
      ({ facts }) => this.agentIps(facts.agentID) ?? [],
    );
  }
  taskIps({ facts }: TaskEntry): readonly string[] {
    return facts.ips.length > 0 ? facts.ips : (this.agentIps(facts.agentID) ?? []);
  }

  /** Every way to read `_[port._]task._proto.framework[.slave]`: names may hold dots of their own. */
  #taskServices(name: string): readonly ServiceTarget[] {
    if (!name.startsWith('_')) return [];
    const found: ServiceTarget[] = [];
    for (let at = name.indexOf('._'); at > 0; at = name.indexOf('._', at + 1)) {
      const end = name.indexOf('.', at + 2);
      if (end < 0) break;
      const front = name.slice(1, at);
      const question = { protocol: name.slice(at + 2, end), rest: name.slice(end + 1) };
      found.push(...this.#servicesAt(front, undefined, question));
      for (let dot = front.indexOf('._'); dot > 0; dot = front.indexOf('._', dot + 1))
        found.push(...this.#servicesAt(front.slice(dot + 2), front.slice(0, dot), question));
    }
    return found;
  }

  #servicesAt(
    task: string,
    portName: string | undefined,
    { protocol, rest }: { readonly protocol: string; readonly rest: string },
  ): readonly ServiceTarget[] {
    const wanted = { name: task, portName, protocol };
    const plain = this.#live(`${task}.${rest}`).flatMap((entry) =>
      servicesOf(this.zone, entry, { ...wanted, slave: false }),
    );
    if (!rest.endsWith(slaveSuffix) || portName !== undefined) return plain;
    const framework = rest.slice(0, -slaveSuffix.length);
    return [
      ...plain,
      ...this.#live(`${task}.${framework}`).flatMap((entry) =>
        servicesOf(this.zone, entry, { ...wanted, slave: true }),
      ),
    ];
  }

  /** Those of the name whose agent is there. */
  #live(name: string): readonly TaskEntry[] {
    return [...(this.#named.get(name) ?? [])].filter(
      ({ facts }) => this.agentIps(facts.agentID) !== undefined,
    );
  }

  #list(key: string, facts: TaskFacts): void {
    const framework = this.#frameworks.get(facts.frameworkID)?.labels;
    if (framework === undefined) return;
    const { discovery, name } = facts;
    const names =
      discovery === undefined
        ? [labelOf(name)]
        : [...new Set([discovery.name.toLowerCase(), labelOf(discovery.name)])];
    const tail = `${taskHash(facts.taskID)}-${agentTail(facts.agentID)}`;
    const entry: TaskEntry = { facts, framework, names, tail };
    this.#entries.set(key, entry);
    for (const one of keysOf(entry)) {
      const all = this.#named.get(one) ?? new Set();
      this.#named.set(one, all.add(entry));
    }
  }
  #unlist(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    for (const one of keysOf(entry)) {
      const all = this.#named.get(one);
      all?.delete(entry);
      if (all?.size === 0) this.#named.delete(one);
    }
  }
}

export const slaveSuffix = '.slave';

function keysOf({ names, framework, tail }: TaskEntry): readonly string[] {
  return names.flatMap((name) => [`${name}.${framework}`, `${name}-${tail}.${framework}`]);
}

/** A canonical name, whole. */
export function canonicalOf(
  zone: ZoneFacts,
  entry: TaskEntry,
  at: { name: string; slave: boolean },
): string {
  const slave = at.slave ? slaveSuffix : '';
  return `${at.name}-${entry.tail}.${entry.framework}${slave}.${zone.domain}`;
}

interface Wanted {
  readonly name: string;
  readonly portName: string | undefined;
  readonly protocol: string;
  readonly slave: boolean;
}

function servicesOf(zone: ZoneFacts, entry: TaskEntry, wanted: Wanted): readonly ServiceTarget[] {
  const { facts, names } = entry;
  const { name, portName, protocol, slave } = wanted;
  if (!names.includes(name)) return [];
  const { discovery } = facts;
  if (discovery === undefined || slave) {
    if (portName !== undefined || !anyProtocol.includes(protocol)) return [];
    const host = canonicalOf(zone, entry, { name, slave: true });
    return facts.ports.map((port) => ({ host, port }));
  }
  const host = canonicalOf(zone, entry, { name, slave: false });
  return discovery.ports
    .filter((port) => protocolsOf(port.protocol).includes(protocol))
    .filter((port) => portName === undefined || labelOf(port.name) === portName)
    .map((port) => ({ host, port: port.number }));
}

export const anyProtocol: readonly string[] = ['tcp', 'udp'];

/** A port without a protocol is both. */
export function protocolsOf(protocol: string): readonly string[] {
  const label = labelOf(protocol);
  return label === '' ? anyProtocol : [label];
}

function unique(targets: readonly ServiceTarget[]): readonly ServiceTarget[] {
  const seen = new Set<string>();
  return targets.filter(({ host, port }) => {
    const key = `${host}:${port}`;
    return seen.has(key) ? false : seen.add(key) !== undefined;
  });
}
