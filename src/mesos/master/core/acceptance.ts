import {
  addResources,
  containsResources,
  isShared,
  sharedResources,
  subtractResources,
  sumResources,
  type Filters,
  type LaunchContext,
  type OperationContext,
  type Resource,
  type Resources,
} from '#mesos/protocol';
import type { AgentBook, FrameworkBook, OfferBook } from './books.ts';
import { agentCapabilities } from './books.ts';
import type { Core } from './core.ts';
import type { LaunchPlan } from './launcher.ts';

const capabilities: ReadonlySet<string> = new Set(agentCapabilities);

/** One ACCEPT under way: what its offers still have, and what it is going to launch. */
export class Acceptance {
  readonly core: Core;
  readonly framework: FrameworkBook;
  readonly agent: AgentBook;
  readonly role: string;
  readonly offers: readonly OfferBook[];
  /** Allocated; a sum. */
  remaining: Resources;
  /** Shared volumes of the offers: any number of tasks of the call may use each. */
  #shared: Resources;
  /** Made by operations of this call and not used by a later one: given back without a filter. */
  converted: Resources = [];
  /** Volumes grown and shrunk, with what they left: for the next offer. */
  resized: Resources = [];
  readonly plans: LaunchPlan[] = [];
  readonly writes: Promise<unknown>[] = [];

  constructor(
    core: Core,
    options: {
      readonly framework: FrameworkBook;
      readonly agent: AgentBook;
      readonly offers: readonly OfferBook[];
    },
  ) {
    this.core = core;
    this.framework = options.framework;
    this.agent = options.agent;
    this.offers = options.offers;
    this.role = options.offers[0]?.role ?? '*';
    for (const offer of this.offers) core.offers.take(offer);
    this.remaining = sumResources(...this.offers.map(({ resources }) => resources));
    this.#shared = sharedResources(this.remaining);
  }

  launchContext(): LaunchContext {
    const { framework, agent } = this;
    return {
      frameworkID: framework.id,
      agentID: agent.id,
      agentCapabilities: capabilities,
      hasTask: (id) => framework.tasks.has(id),
      hasUnreachableTask: (id) => framework.unreachableTasks.has(id),
      executor: (id) => framework.executor(agent.id, id)?.info,
      containersOf: (id) =>
        [...(framework.executor(agent.id, id)?.tasks ?? [])].map(({ info }) => info.container),
      offered: [...this.remaining.filter((one) => !isShared(one)), ...this.#shared],
    };
  }

  operationContext(): OperationContext {
    const { framework, agent } = this;
    return {
      principal: framework.info.principal,
      agentCapabilities: capabilities,
      framework: {
        id: framework.id,
        roles: framework.roles,
        capabilities: framework.capabilities,
      },
      checkpointed: agent.kept,
      used: agent.usedLists(),
    };
  }

  /** A task or an executor takes its part of the offers; of a shared volume it takes a copy. */
  consume(resources: readonly Resource[]): void {
    const own = resources.filter(({ shared }) => shared === undefined);
    if (own.length < resources.length)
      this.agent.busy.add(resources.filter(({ shared }) => shared !== undefined));
    this.remaining = subtractResources(this.remaining, sumResources(own));
  }

  noteConverted(consumed: Resources, converted: Resources): void {
    if ([...consumed, ...converted].some(isShared)) this.#shared = sharedResources(this.remaining);
    if (containsResources(this.converted, consumed))
      this.converted = subtractResources(this.converted, consumed);
    this.converted = addResources(this.converted, converted);
  }

  /** Step 7: what was converted goes back as it is, the rest as if declined. */
  settle(filters: Filters | undefined): void {
    const { agent, core } = this;
    const [first] = this.offers;
    const inHand = this.converted.filter((one) => containsResources(this.remaining, [one]));
    const rest = subtractResources(this.remaining, inHand);
    agent.busy.remove(this.remaining);
    agent.busy.remove(this.resized);
    core.cycle.freed(agent);
    const piece = this.#smallest();
    if (piece !== undefined) core.cycle.launched(this.framework, this.role, piece);
    if (first !== undefined && rest.length > 0) core.cycle.refuse(first, rest, filters);
  }

  /** What the smallest thing that is launched takes: a task, or a group as a whole. */
  #smallest(): readonly Resource[] | undefined {
    const cpus = (resources: readonly Resource[]): number =>
      resources.reduce((sum, one) => sum + (one.name === 'cpus' ? (one.scalar?.value ?? 0) : 0), 0);
    const units = this.plans.flatMap(({ tasks }) => {
      const each = tasks.map(({ info }) => info.resources ?? []);
      return tasks.some(({ execution }) => execution === 'Group') ? [each.flat()] : each;
    });
    return units.toSorted((a, b) => cpus(a) - cpus(b))[0];
  }

  async launch(): Promise<void> {
    await Promise.all(this.writes);
    if (this.plans.length > 0) await this.core.launcher.launch(this.plans);
  }
}
