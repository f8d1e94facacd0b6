import type { Instance } from '../model/index.ts';
import type { OfferStats } from './offer-stats.ts';
import { newOfferStats } from './offer-stats.ts';
import { isScheduled } from './transitions.ts';

/** Instances of one run spec and role that wait for an offer, or for word of their launch. */
export interface WaitingSpec {
  readonly id: string;
  readonly role: string;
  readonly scheduled: Set<string>;
  readonly provisioned: Set<string>;
  readonly stats: OfferStats;
}

/** Who waits for offers, by role, in the order in which they began to wait. */
export class WaitingLine {
  readonly #byRole = new Map<string, Map<string, WaitingSpec>>();
  /** Run specs of each role with somebody scheduled: only these are matched against offers. */
  readonly #scheduled = new Map<string, Set<WaitingSpec>>();

  /** True when `now` waits for an offer and `old` did not. */
  note(old: Instance | undefined, now: Instance | undefined, nowMs: number): boolean {
    const was = old === undefined ? undefined : setOf(old);
    const is = now === undefined ? undefined : setOf(now);
    if (old !== undefined && was !== undefined && (was !== is || old.role !== now?.role))
      this.#remove(old, was);
    return now !== undefined && is !== undefined && this.#add(now, is, nowMs);
  }

  roles(): Iterable<string> {
    return this.#scheduled.keys();
  }

  /** Run specs with somebody scheduled. */
  of(role: string): ReadonlySet<WaitingSpec> | undefined {
    return this.#scheduled.get(role);
  }

  specs(): WaitingSpec[] {
    return [...this.#byRole.values()].flatMap((specs) => [...specs.values()]);
  }

  #add(instance: Instance, set: 'scheduled' | 'provisioned', nowMs: number): boolean {
    const { role, runSpecID: id, instanceID } = instance;
    let specs = this.#byRole.get(role);
    if (specs === undefined) {
      specs = new Map();
      this.#byRole.set(role, specs);
    }
    let spec = specs.get(id);
    if (spec === undefined) {
      const stats = newOfferStats(nowMs);
      spec = { id, role, scheduled: new Set(), provisioned: new Set(), stats };
      specs.set(id, spec);
    }
    if (spec[set].has(instanceID)) return false;
    spec[set].add(instanceID);
    if (set !== 'scheduled') return false;
    const scheduled = this.#scheduled.get(role);
    if (scheduled === undefined) this.#scheduled.set(role, new Set([spec]));
    else scheduled.add(spec);
    return true;
  }

  #remove({ role, runSpecID, instanceID }: Instance, set: 'scheduled' | 'provisioned'): void {
    const specs = this.#byRole.get(role);
    const spec = specs?.get(runSpecID);
    if (specs === undefined || spec === undefined) return;
    spec[set].delete(instanceID);
    if (spec.scheduled.size === 0) {
      const scheduled = this.#scheduled.get(role);
      scheduled?.delete(spec);
      if (scheduled?.size === 0) this.#scheduled.delete(role);
    }
    if (spec.scheduled.size > 0 || spec.provisioned.size > 0) return;
    specs.delete(runSpecID);
    if (specs.size === 0) this.#byRole.delete(role);
  }
}

function setOf(instance: Instance): 'scheduled' | 'provisioned' | undefined {
  if (isScheduled(instance)) return 'scheduled';
  return instance.condition === 'Provisioned' && instance.goal === 'Running'
    ? 'provisioned'
    : undefined;
}
