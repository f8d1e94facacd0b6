import { quantityToMillis, quantityValue } from '#base';
import type { Node } from '#kube/kinds';
import type { ResourceName } from '#machinery';
import { agents as agentKind } from '#mesos/kinds';
import type { Agent } from '#mesos/kinds';
import { attributesOf } from '#mesos/protocol';
import type { AgentInfo, Resource } from '#mesos/protocol';
import { isStatus } from '#machinery';
import type { World } from '../world.ts';

const nodes: ResourceName<Node> = {
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  namespaced: false,
};

export interface AgentFacts {
  readonly info: AgentInfo;
  readonly agent: Agent | undefined;
}

const keptMs = 2000;
const megabyte = 2 ** 20;

/** What the store says of this machine, asked when somebody wants to know. */
export class AgentFactsReader {
  readonly #world: World;
  #kept: { readonly facts: AgentFacts; readonly atMs: number } | undefined;

  constructor(world: World) {
    this.#world = world;
  }

  async read(): Promise<AgentFacts> {
    const { clock } = this.#world.options;
    const now = clock.monotonicMs();
    if (this.#kept !== undefined && now - this.#kept.atMs < keptMs) return this.#kept.facts;
    const { api, nodeName } = this.#world.options;
    const [node, agent] = await Promise.all([
      orAbsent(api.get(nodes, { name: nodeName })),
      orAbsent(api.get(agentKind, { name: nodeName })),
    ]);
    const facts = { info: this.#infoOf(node, agent), agent };
    this.#kept = { facts, atMs: now };
    return facts;
  }

  #infoOf(node: Node | undefined, agent: Agent | undefined): AgentInfo {
    const { hostname, port } = this.#world.options;
    const labels = node?.metadata.labels ?? {};
    const region = labels['topology.kubernetes.io/region'];
    const zone = labels['topology.kubernetes.io/zone'];
    const id = agent?.spec.agentID ?? this.#world.tasks.list()[0]?.spec.agentID;
    return {
      hostname,
      port,
      resources: totalOf(node, agent?.spec.resources ?? []),
      attributes: attributesOf(node?.metadata),
      ...(id === undefined ? {} : { id: { value: id } }),
      ...(region !== undefined && zone !== undefined
        ? { domain: { fault_domain: { region: { name: region }, zone: { name: zone } } } }
        : {}),
    };
  }
}

async function orAbsent<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isStatus(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** In Mesos' units, whole megabytes; what is reserved or a volume taken out of the plain rest. */
function totalOf(node: Node | undefined, kept: readonly Resource[]): readonly Resource[] {
  const amounts = node?.status?.allocatable ?? node?.status?.capacity ?? {};
  const of = (name: string, unit: number): number => {
    const text = amounts[name];
    return text === undefined ? 0 : Math.floor(quantityValue(text) / unit);
  };
  const cpu = amounts['cpu'];
  const plain: Readonly<Record<string, number>> = {
    cpus: cpu === undefined ? 0 : quantityToMillis(cpu) / 1000,
    mem: of('memory', megabyte),
    disk: of('ephemeral-storage', megabyte),
    gpus: of('nvidia.com/gpu', 1),
  };
  const total: Resource[] = [];
  for (const [name, value] of Object.entries(plain)) {
    const taken = kept
      .filter((resource) => resource.name === name)
      .reduce((sum, resource) => sum + (resource.scalar?.value ?? 0), 0);
    const left = Math.round((value - taken) * 1000) / 1000;
    if (left > 0) total.push({ name, type: 'SCALAR', scalar: { value: left } });
  }
  total.push({
    name: 'ports',
    type: 'RANGES',
    ranges: { range: [{ begin: 31_000, end: 32_000 }] },
  });
  return [...total, ...kept];
}
