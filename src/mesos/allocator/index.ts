/** Who is offered what: hierarchical DRF with weights, quota, reservations and filters. Pure. */
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
