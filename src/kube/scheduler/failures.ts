import type { Clock, Logger } from '#base';
import { silentLogger } from '#base';
import { seconds, type EventRecorder } from '#client';
import { podPriority, pods as podKind, type Pod, type PodCondition } from '#kube/kinds';
import { isStatus, type Api } from '#machinery';
import { noVictimsMessage, refusalMessage } from './messages.ts';
import type { Refusal } from './placer.ts';
import { findVictims, type Candidate } from './preemption.ts';
import type { QueuedPod } from './queue.ts';
import type { Shape } from './shape.ts';
import type { TopologyWorld } from './topology.ts';

export interface FailureOptions {
  readonly api: Api;
  readonly clock: Clock;
  readonly recorder: EventRecorder;
  readonly logger?: Logger | undefined;
  readonly name: string;
}

/** Tells the world that Pods found no place, and makes room for those that are important enough. */
export class FailureHandler {
  readonly #options: FailureOptions;
  readonly #world: TopologyWorld;

  constructor(options: FailureOptions, world: TopologyWorld) {
    this.#options = options;
    this.#world = world;
  }

  async handle(entries: readonly QueuedPod[], shape: Shape, refusal: Refusal): Promise<void> {
    const { recorder } = this.#options;
    const writes: Promise<void>[] = [];
    for (const [at, { pod }] of entries.entries()) {
      // One of a batch makes room; the others look again when that room is there.
      const outcome = this.#preempt(pod, at === 0 ? shape : undefined, refusal);
      const message = refusalMessage(refusal, outcome.message);
      recorder.event(pod, 'Warning', {
        reason: 'FailedScheduling',
        action: 'Scheduling',
        message,
      });
      const { candidate } = outcome;
      const nominated = candidate === undefined ? '' : this.#world.table.names[candidate.row];
      writes.push(this.#write(() => this.#tell(pod, message, nominated ?? '')));
      for (const victim of candidate?.victims ?? [])
        writes.push(this.#write(() => this.#evict(victim, pod, nominated ?? '')));
    }
    await Promise.all(writes);
  }

  /** Held back by the pool although there is room: no preemption, only the reason. */
  async held(refused: readonly { readonly pod: Pod; readonly reason: string }[]): Promise<void> {
    const nodes = this.#world.table.count;
    const writes: Promise<void>[] = [];
    for (const { pod, reason } of refused) {
      const message = `0/${nodes} nodes are available: ${reason}.`;
      if (this.#says(pod, message)) continue;
      this.#options.recorder.event(pod, 'Warning', {
        reason: 'FailedScheduling',
        action: 'Scheduling',
        message,
      });
      writes.push(this.#write(() => this.#tell(pod, message, '')));
    }
    await Promise.all(writes);
  }

  #preempt(
    pod: Pod,
    shape: Shape | undefined,
    refusal: Refusal,
  ): { readonly message: string; readonly candidate?: Candidate | undefined } {
    if (pod.spec.preemptionPolicy === 'Never')
      return { message: 'preemption: not eligible due to preemptionPolicy=Never.' };
    const { nominatedNodeName } = pod.status;
    if (nominatedNodeName !== undefined && nominatedNodeName !== '') {
      for (const there of this.#world.index.on(nominatedNodeName).values())
        if (there.metadata.deletionTimestamp !== undefined && podPriority(there) < podPriority(pod))
          return {
            message: 'preemption: not eligible due to a terminating pod on the nominated node.',
          };
    }
    if (shape === undefined) return { message: noVictimsMessage(refusal) };
    const candidate = findVictims(shape, refusal, this.#world);
    if (candidate === undefined) return { message: noVictimsMessage(refusal) };
    return { message: '', candidate };
  }

  async #tell(pod: Pod, message: string, nominated: string): Promise<void> {
    if (this.#says(pod, message) && nominated === '') return;
    const condition = this.#condition(pod, {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
    });
    const status = nominated === '' ? {} : { nominatedNodeName: nominated };
    await this.#writeStatus(pod, condition, status);
  }

  /** The Pod shows this reason already. */
  #says(pod: Pod, message: string): boolean {
    const known = pod.status.conditions?.find(({ type }) => type === 'PodScheduled');
    return (
      known?.status === 'False' && known.reason === 'Unschedulable' && known.message === message
    );
  }

  async #evict(victim: Pod, by: Pod, node: string): Promise<void> {
    const { api, recorder, name } = this.#options;
    if (victim.metadata.deletionTimestamp !== undefined) return;
    const condition = this.#condition(victim, {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: `${name}: preempting to accommodate a higher priority pod`,
    });
    await this.#writeStatus(victim, condition, {});
    const { namespace, name: victimName, uid } = victim.metadata;
    await api.delete(podKind, { namespace, name: victimName }, { uid });
    recorder.event(victim, 'Normal', {
      reason: 'Preempted',
      action: 'Preempting',
      message: `Preempted by pod ${by.metadata.uid} on node ${node}`,
    });
  }

  async #writeStatus(pod: Pod, condition: PodCondition, status: Partial<Pod['status']>) {
    const others = (pod.status.conditions ?? []).filter(({ type }) => type !== condition.type);
    await this.#options.api.update(
      podKind,
      { ...pod, status: { ...pod.status, ...status, conditions: [...others, condition] } },
      { subresource: 'status' },
    );
  }

  #condition(pod: Pod, fresh: PodCondition): PodCondition {
    const known = pod.status.conditions?.find(({ type }) => type === fresh.type);
    const { generation } = pod.metadata;
    return {
      ...fresh,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
      lastTransitionTime:
        known?.status === fresh.status && known.lastTransitionTime !== undefined
          ? known.lastTransitionTime
          : seconds(this.#options.clock.nowMs()),
    };
  }

  /** A Pod that changed or went meanwhile comes by again anyway. */
  async #write(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (isStatus(error, 'Conflict') || isStatus(error, 'NotFound')) return;
      (this.#options.logger ?? silentLogger).warn('Cannot write why a Pod waits', { error });
    }
  }
}
