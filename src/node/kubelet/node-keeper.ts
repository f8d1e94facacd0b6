import type { Node } from '#kube/kinds';
import { isStatus } from '#machinery';
import type { Machine } from '#node/runtime';
import { newNode, nodeLabels, nodeStatus, sameNodeStatus, withdrawnOf } from './node-object.ts';
import type { NodeInput, Pressure } from './node-object.ts';
import type { KubeletOptions } from './options.ts';
import { nodes } from './resources.ts';

const postMs = 300_000;

/** This node's object: registered once, its status written when it changed and every five minutes. */
export class NodeKeeper {
  readonly #options: KubeletOptions;
  #node: Node | undefined;
  #postedMs = Number.NEGATIVE_INFINITY;
  #ready: boolean | undefined;

  constructor(options: KubeletOptions) {
    this.#options = options;
  }

  get node(): Node | undefined {
    return this.#node;
  }

  seen(node: Node): void {
    this.#node = node;
  }

  /** Creates the Node or brings its labels up to date. */
  async register(machine: Machine): Promise<void> {
    const { api, nodeName } = this.#options;
    const input = await this.#input(machine, { memory: false, disk: false, pid: false }, '');
    const wanted = newNode(input);
    try {
      this.#node = await api.create(nodes, {
        ...wanted,
        metadata: { name: nodeName, labels: wanted.metadata.labels },
      });
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) throw error;
      const existing = await api.get(nodes, { name: nodeName });
      const labels = nodeLabels(this.#options, machine);
      const differs = Object.entries(labels).some(
        ([key, value]) => existing.metadata.labels?.[key] !== value,
      );
      this.#node = differs
        ? await api.patch(
            nodes,
            { name: nodeName },
            { type: 'merge', body: { metadata: { labels } } },
          )
        : existing;
    }
    this.#options.recorder.event(this.#node, 'Normal', {
      reason: 'Starting',
      message: 'Starting kubelet.',
    });
  }

  /** Writes the status where it differs from what the server has. */
  async post(machine: Machine, pressure: Pressure, problem: string): Promise<void> {
    const { api, clock, nodeName, recorder } = this.#options;
    const input = await this.#input(machine, pressure, problem);
    const status = nodeStatus(input, this.#node?.status);
    const due = clock.nowMs() - this.#postedMs >= postMs;
    if (!due && sameNodeStatus(status, this.#node?.status)) return;
    const { conditions, addresses, ...rest } = status;
    const allocatable = { ...rest.allocatable, ...withdrawnOf(this.#node?.status) };
    this.#node = await api.patch(
      nodes,
      { name: nodeName, subresource: 'status' },
      { type: 'strategic', body: { status: { ...rest, allocatable, conditions, addresses } } },
    );
    this.#postedMs = clock.nowMs();
    const ready = problem === '';
    if (ready !== this.#ready)
      recorder.event(this.#node, 'Normal', {
        reason: ready ? 'NodeReady' : 'NodeNotReady',
        message: `Node ${nodeName} status is now: ${ready ? 'NodeReady' : 'NodeNotReady'}`,
      });
    this.#ready = ready;
  }

  async #input(machine: Machine, pressure: Pressure, problem: string): Promise<NodeInput> {
    const { runtime, clock } = this.#options;
    const images = await runtime.images.list();
    return { options: this.#options, machine, images, pressure, nowMs: clock.nowMs(), problem };
  }
}
