/**
 * The one account of machines that both schedulers share: who holds what, and does a claim fit.
 *
 * Knows nothing of Pods or tasks: an owner is a string. A refused claim is a `Verdict`, not an
 * exception. Start with `pool.ts`, then `ledger.ts`.
 */
export { createPool } from './ledger.ts';
export { fairUnit, isBehind, shareTolerance, type Sibling } from './fair.ts';
export type {
  Amounts,
  Claim,
  Demand,
  HostPort,
  NodeCapacity,
  Pool,
  PoolColumns,
  Reservation,
  Verdict,
} from './pool.ts';
