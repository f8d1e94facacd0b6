/**
 * A deterministic world for tests: seeded chance, a clock that moves when told, faulty backends,
 * checkers of histories.
 *
 * One seed replays a run exactly. Only tests and `tandem sim` import it. Start with `clock.ts` and
 * `random.ts`.
 */
export { createSimClock } from './clock.ts';
export type { SimClock } from './clock.ts';
export { seededRandom, seedsFromEnvironment } from './random.ts';
export type { SeededRandom } from './random.ts';
export { FaultyDisk } from './faulty-disk.ts';
export { StoreHistory } from './store-history.ts';
export { mortal, mortalClock } from './mortal.ts';
