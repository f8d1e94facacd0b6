/**
 * Who is offered what: hierarchical DRF with weights, quota, reservations and filters.
 *
 * Pure but for what it keeps between cycles; knows amounts, not offers. Start with `allocator.ts`,
 * then `cycle.ts`; who waits for whom is in docs/decisions/fairness.md.
 */
export { createAllocator } from './hierarchical.ts';
export { refuseMs } from './filters.ts';
export { kube } from './clients.ts';
export { amountsOf, quantitiesOf } from './units.ts';
export type {
  Allocation,
  Allocator,
  AllocatorAgent,
  AllocatorFramework,
  AllocatorOptions,
  Cycle,
  Holding,
  Parcel,
  Quantities,
  Ranges,
  Refusal,
  RoleSettings,
} from './allocator.ts';
