/** Who is offered what: hierarchical DRF with weights, quota, reservations and filters. Pure. */
export type {
  Allocation,
  AllocatorAgent,
  AllocatorFramework,
  Holding,
  Parcel,
  Quantities,
  RoleSettings,
} from './allocator.ts';
