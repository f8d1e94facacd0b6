import { Timer } from './timer.ts';

/** How long it took to read and write what the reference keeps in its registry. */
export class RegistrarTimes {
  /** All objects, once, when the master began. */
  fetchMs: number | undefined;
  /** Writes of agents, roles and the schedule. */
  readonly stores = new Timer();

  *entries(): IterableIterator<readonly [string, number]> {
    if (this.fetchMs !== undefined) yield ['registrar/state_fetch_ms', this.fetchMs];
    yield* this.stores.entries('registrar/state_store_ms');
  }
}
