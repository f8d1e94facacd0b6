import type { AllocatorFramework } from './allocator.ts';

/** A framework as the inner loop reads it. */
export interface FrameworkFacts {
  readonly framework: AllocatorFramework;
  readonly gpus: boolean;
  readonly regionAware: boolean;
  readonly multiRole: boolean;
  readonly revocable: boolean;
  readonly shared: boolean;
  readonly refined: boolean;
}

export function factsOf(framework: AllocatorFramework): FrameworkFacts {
  const can = (capability: string): boolean => framework.capabilities.has(capability);
  return {
    framework,
    gpus: can('GPU_RESOURCES'),
    regionAware: can('REGION_AWARE'),
    multiRole: can('MULTI_ROLE'),
    revocable: can('REVOCABLE_RESOURCES'),
    shared: can('SHARED_RESOURCES'),
    refined: can('RESERVATION_REFINEMENT'),
  };
}
