import type { Cancel, Clock, Logger, Random } from '#base';
import type { Offer } from '#mesos/protocol';
import type { Instance, ModelSettings, Root, RunSpec } from '../model/index.ts';
import {
  enforcesRole,
  isResident,
  matchOffer,
  releaseOperations,
  remainingOffer,
  reservedFor,
  runSpecOf,
} from '../model/index.ts';
import type { Backoff } from './backoff.ts';
import type { Framework } from './framework.ts';
import { noteUnused, noteUsed } from './offer-stats.ts';
import type { Lingering } from './lingering.ts';
import { createLingering } from './lingering.ts';
import type { OpenOffer } from './open-offer.ts';
import { isReserved, offerRole, opened, scalarsOf } from './open-offer.ts';
import type { MarathonSettings } from './options.ts';
import type { Provisioned } from './provision.ts';
import { joined, provision, reserve } from './provision.ts';
import { amountsOf, hasConstraints } from './run-spec.ts';
import type { InstanceChange, Tracker } from './tracker.ts';
import { hasLiveTasks, isScheduled } from './transitions.ts';
import { createTokens } from './tokens.ts';
import type { Tokens } from './tokens.ts';
import type { WaitingSpec } from './waiting.ts';
import { WaitingLine } from './waiting.ts';

/** Turns offers into launches of what waits. */
export interface Launcher {
  offers(offers: readonly Offer[]): void;
  rescinded(offerID: string): void;
  disconnected(): void;
  executorEnded(executorID: string): void;
  /** What waits, for `/v2/queue`. */
  waiting(): readonly WaitingSpec[];
  /** Tells the framework which roles want offers. */
  reviseDemand(): void;
  /** Recomputes who waits; throws when it differs. */
  check(): void;
  stop(): void;
}

export interface LauncherOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly settings: MarathonSettings;
  readonly model: ModelSettings;
  readonly framework: Framework;
  readonly tracker: Tracker;
  readonly backoff: Backoff;
  root(): Root;
}

export function createLauncher(options: LauncherOptions): Launcher {
  return new OfferLauncher(options);
}

class OfferLauncher implements Launcher {
  readonly #options: LauncherOptions;
  readonly #line = new WaitingLine();
  readonly #tokens: Tokens;
  readonly #lingering: Lingering;
  readonly #offers = new Map<string, Offer>();
  readonly #rescinded = new Set<string>();
  /** Roles that got somebody to launch while offers were being given away. */
  readonly #late = new Set<string>();
  /** Roles of instances that are no more and whose reservations are still to be given back. */
  readonly #releasing = new Map<string, string>();
  #busy = false;
  #demandSoon = false;
  #reservationTimer: Cancel | undefined;

  constructor(options: LauncherOptions) {
    this.#options = options;
    this.#tokens = createTokens(options.clock, options.settings, () => this.#reviveAll());
    for (const instance of options.tracker.all())
      this.#line.note(undefined, instance, options.clock.nowMs());
    this.#lingering = createLingering(options, ({ role }) => {
      this.reviseDemand();
      this.#revive(role);
    });
    options.tracker.onChange((change) => this.#changed(change));
    options.backoff.onOver(() => this.#reviveAll());
  }

  offers(offers: readonly Offer[]): void {
    for (const offer of offers) this.#offers.set(offer.id.value, offer);
    this.#start();
  }

  rescinded(offerID: string): void {
    if (!this.#offers.delete(offerID) && this.#busy) this.#rescinded.add(offerID);
  }

  disconnected(): void {
    this.#offers.clear();
  }

  executorEnded(executorID: string): void {
    this.#lingering.ended(executorID);
  }

  waiting(): readonly WaitingSpec[] {
    return this.#line.specs();
  }

  check(): void {
    const counted = new WaitingLine();
    for (const instance of this.#options.tracker.all()) counted.note(undefined, instance, 0);
    const text = (line: WaitingLine): string =>
      line
        .specs()
        .map(({ id, role, scheduled, provisioned }) =>
          [id, role, ...[...scheduled].toSorted(), '|', ...[...provisioned].toSorted()].join(' '),
        )
        .toSorted()
        .join('\n');
    if (text(counted) !== text(this.#line))
      throw new Error(`Waiting: ${text(this.#line)}\nShould wait: ${text(counted)}`);
  }

  stop(): void {
    this.#tokens.stop();
    this.#lingering.stop();
    this.#reservationTimer?.();
  }

  reviseDemand(): void {
    if (this.#demandSoon) return;
    this.#demandSoon = true;
    queueMicrotask(() => {
      this.#demandSoon = false;
      this.#options.framework.demand(this.#wantedRoles());
    });
  }

  #wantedRoles(): ReadonlySet<string> {
    const wanted = new Set<string>(this.#releasing.values());
    for (const role of this.#line.roles())
      for (const { id, scheduled } of this.#line.of(role) ?? [])
        if (this.#isLaunchable(id) && !this.#allLinger(scheduled)) {
          wanted.add(role);
          break;
        }
    return wanted;
  }

  #allLinger(scheduled: ReadonlySet<string>): boolean {
    for (const id of scheduled) if (!this.#lingering.has(id)) return false;
    return true;
  }

  #isLaunchable(id: string): boolean {
    const runSpec = runSpecOf(this.#options.root(), id);
    return runSpec !== undefined && this.#options.backoff.deadlineOf(runSpec) === undefined;
  }

  #reviveAll(): void {
    this.reviseDemand();
    for (const role of this.#line.roles()) this.#revive(role);
  }

  /** What is accepted or declined after this makes the master hold back offers again. */
  #revive(role: string): void {
    if (this.#busy) this.#late.add(role);
    this.#options.framework.revive(role);
  }

  #changed({ old, now }: InstanceChange): void {
    const isNew = this.#line.note(old, now, this.#options.clock.nowMs());
    if (old?.condition === 'Provisioned' && now?.condition !== 'Provisioned')
      this.#tokens.giveBack();
    if (now?.reservation?.state === 'New') this.#watchReservations();
    const leaves = old?.reservation !== undefined && now === undefined;
    if (leaves) this.#releasing.set(old.instanceID, old.role);
    if (!isNew && !leaves && old?.condition === now?.condition) return;
    this.reviseDemand();
    if (isNew && now !== undefined) {
      this.#options.framework.need();
      if (!this.#lingering.has(now.instanceID)) this.#revive(now.role);
    }
    if (leaves) this.#revive(old.role);
  }

  /** One round after the other: what comes meanwhile is looked at together. */
  #start(): void {
    if (this.#busy || this.#offers.size === 0) return;
    this.#busy = true;
    queueMicrotask(() => {
      this.#rounds().catch((error: unknown) => {
        this.#options.logger.error('Cannot launch on offers', { error });
        this.#busy = false;
      });
    });
  }

  async #rounds(): Promise<void> {
    while (this.#offers.size > 0) {
      const batch = [...this.#offers.values()];
      this.#offers.clear();
      await this.#round(batch);
      this.#rescinded.clear();
    }
    this.#busy = false;
  }

  async #round(offers: readonly Offer[]): Promise<void> {
    const open = offers.map(opened);
    for (const one of open) this.#release(one);
    const stored = this.#fill(open);
    await Promise.all(stored);
    const declined: OpenOffer[] = [];
    const calls: Promise<void>[] = [];
    for (const one of open) {
      if (this.#rescinded.has(one.id)) this.#revert(one);
      else if (one.operations.length > 0) calls.push(this.#accept(one));
      else declined.push(one);
    }
    calls.push(...this.#decline(declined));
    await Promise.all(calls);
    const late = [...this.#late];
    this.#late.clear();
    for (const role of late) this.#options.framework.revive(role);
  }

  /** Offer by offer one launch, then again: what is alike spreads over the machines. */
  #fill(open: readonly OpenOffer[]): Promise<void>[] {
    const stored: Promise<void>[] = [];
    for (let launched = this.#pass(open, stored); launched; ) {
      // Where a constraint stood against it a launch elsewhere may have made way (GROUP_BY).
      let again = false;
      for (const one of open)
        for (const waiting of one.refused) {
          const runSpec = runSpecOf(this.#options.root(), waiting.id);
          if (waiting.scheduled.size === 0 || runSpec === undefined) continue;
          if (!hasConstraints(runSpec)) continue;
          one.refused.delete(waiting);
          one.done = false;
          again = true;
        }
      launched = again && this.#pass(open, stored);
    }
    return stored;
  }

  /** True when anything was launched. */
  #pass(open: readonly OpenOffer[], stored: Promise<void>[]): boolean {
    const before = stored.length;
    let active = open.filter(
      (one) => !one.done && this.#line.of(offerRole(one.offer)) !== undefined,
    );
    while (active.length > 0) {
      for (const one of active) {
        const write = this.#launchOne(one);
        if (write === undefined) one.done = true;
        else stored.push(write);
      }
      active = active.filter((one) => !one.done);
    }
    return stored.length > before;
  }

  /** Undefined when nothing that waits fits. */
  #launchOne(open: OpenOffer): Promise<void> | undefined {
    const { settings, tracker } = this.#options;
    if (open.launched.length >= settings.max_instances_per_offer || !this.#tokens.has()) {
      open.cutShort = true;
      return undefined;
    }
    const specs = this.#line.of(offerRole(open.offer));
    for (const waiting of specs ?? []) {
      if (open.refused.has(waiting)) continue;
      const runSpec = runSpecOf(this.#options.root(), waiting.id);
      if (runSpec === undefined || !this.#isLaunchable(waiting.id)) continue;
      const found = this.#tryLaunch(open, waiting, runSpec);
      if (found === undefined) {
        open.refused.add(waiting);
        continue;
      }
      const { before, provisioned } = found;
      open.operations.push(...provisioned.operations);
      open.launched.push({ before, after: provisioned.instance });
      open.rest = remainingOffer(open.rest, provisioned.taken);
      Object.assign(open, scalarsOf(open.rest));
      this.#tokens.take();
      return tracker.put(provisioned.instance);
    }
    return undefined;
  }

  #tryLaunch(
    open: OpenOffer,
    waiting: WaitingSpec,
    runSpec: RunSpec,
  ): { readonly before: Instance; readonly provisioned: Provisioned } | undefined {
    const { tracker, clock, random, model, framework } = this.#options;
    const nowMs = clock.nowMs();
    const instance = this.#candidate(waiting, runSpec, open.offer);
    if (instance === undefined) return undefined;
    const { cpus, mem } = amountsOf(runSpec);
    const { reservation } = instance;
    if (reservation === undefined && (open.cpus < cpus || open.mem < mem)) {
      const reason = open.cpus < cpus ? 'InsufficientCpus' : 'InsufficientMemory';
      noteUnused(waiting.stats, open.offer, { reasons: [reason], nowMs });
      return undefined;
    }
    const others = hasConstraints(runSpec)
      ? [...tracker.of(waiting.id).values()].filter((one) => one !== instance && hasPlace(one))
      : [];
    const match = matchOffer({
      offer: open.rest,
      runSpec,
      instances: others,
      settings: model,
      nowMs,
      random,
      localRegion: framework.region,
      role: instance.role,
      ...(reservation !== undefined && {
        relaunch: { instanceID: instance.instanceID, reservation },
      }),
    });
    if (!match.ok) {
      noteUnused(waiting.stats, open.offer, { reasons: match.reasons, nowMs });
      return undefined;
    }
    noteUsed(waiting.stats, nowMs);
    const context = {
      offer: open.offer,
      match,
      settings: model,
      nowMs,
      random,
      frameworkID: framework.id ?? '',
      enforceRole: enforcesRole(this.#options.root(), waiting.id, model),
      reservationTimeoutMs: this.#options.settings.task_reservation_timeout,
    };
    const provisioned = (match.toReserve ? reserve : provision)(instance, runSpec, context);
    return { before: instance, provisioned };
  }

  /** An instance of this run spec that could start here: one with a reservation only on its agent. */
  #candidate(waiting: WaitingSpec, runSpec: RunSpec, offer: Offer): Instance | undefined {
    const { tracker } = this.#options;
    const resident = isResident(runSpec);
    let fresh: Instance | undefined;
    for (const id of waiting.scheduled) {
      const instance = tracker.get(id);
      if (instance === undefined || this.#lingering.has(id, offer.agent_id.value)) continue;
      if (!resident) return instance;
      if (instance.reservation === undefined) fresh ??= instance;
      else if (instance.agent?.agentID === offer.agent_id.value) {
        const mine =
          offer.resources?.some((resource) => reservedFor(resource)?.instanceID === id) ?? false;
        if (mine) return instance;
      }
    }
    return fresh;
  }

  async #accept(open: OpenOffer): Promise<void> {
    const { framework, settings, logger } = this.#options;
    const seconds = open.cutShort ? 0 : settings.decline_offer_duration / 1000;
    try {
      await framework.call({
        type: 'ACCEPT',
        accept: {
          offer_ids: [{ value: open.id }],
          operations: joined(open.operations),
          filters: { refuse_seconds: seconds },
        },
      });
    } catch (error) {
      logger.warn('Cannot accept an offer', { offer: open.id, error });
      this.#revert(open);
    }
  }

  /** The master never saw the launches of this offer. */
  #revert(open: OpenOffer): void {
    const { tracker } = this.#options;
    for (const { before, after } of open.launched) {
      const now = tracker.get(after.instanceID);
      if (now?.condition !== after.condition || now.tasks !== after.tasks) continue;
      const back = { ...before, goal: now.goal };
      // Meanwhile it may not be wanted any more: nothing will end that never began.
      if (back.goal === 'Decommissioned' && !hasLiveTasks(back)) void tracker.expunge(back);
      else void tracker.put(back);
    }
  }

  #decline(open: readonly OpenOffer[]): Promise<void>[] {
    const { framework, settings, logger } = this.#options;
    const call = (
      some: readonly OpenOffer[],
      filters: { refuse_seconds?: number },
    ): Promise<void>[] => {
      if (some.length === 0) return [];
      const ids = some.map(({ id }) => ({ value: id }));
      return [
        framework
          .call({ type: 'DECLINE', decline: { offer_ids: ids, filters } })
          .catch((error: unknown) => logger.warn('Cannot decline offers', { error })),
      ];
    };
    return [
      ...call(
        open.filter(({ cutShort }) => !cutShort),
        { refuse_seconds: settings.decline_offer_duration / 1000 },
      ),
      ...call(
        open.filter(({ cutShort }) => cutShort),
        {},
      ),
    ];
  }

  /** Gives back what is reserved on this agent for instances that are no more. */
  #release(open: OpenOffer): void {
    const { offer } = open;
    if (this.#options.framework.id === undefined || !offer.resources?.some(isReserved)) return;
    const known = new Set<string>();
    for (const { instanceID, reservation } of this.#options.tracker.all())
      if (reservation !== undefined) known.add(instanceID);
    const operations = releaseOperations(offer, { frameworkID: this.#options.framework.id, known });
    if (operations.length === 0) return;
    open.operations.push(...operations);
    open.done = true;
    for (const resource of offer.resources)
      this.#releasing.delete(reservedFor(resource)?.instanceID ?? '');
    this.reviseDemand();
  }

  /** Reservations that no offer confirmed in time are made anew. */
  #watchReservations(): void {
    if (this.#reservationTimer !== undefined) return;
    const { clock, settings, tracker } = this.#options;
    this.#reservationTimer = clock.after(settings.task_reservation_timeout, () => {
      this.#reservationTimer = undefined;
      let waits = false;
      const nowMs = clock.nowMs();
      for (const instance of tracker.all()) {
        const { reservation } = instance;
        if (reservation?.state !== 'New') continue;
        if (Date.parse(reservation.deadline ?? '') > nowMs) waits = true;
        else void tracker.put({ ...instance, reservation: undefined, agent: undefined });
      }
      if (waits) this.#watchReservations();
    });
  }
}

/** It is somewhere, or will come back there. */
function hasPlace(instance: Instance): boolean {
  if (instance.agent === undefined) return false;
  return instance.reservation !== undefined || !isScheduled(instance);
}
