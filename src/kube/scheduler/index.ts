/**
 * Finds a node for every Pod: queue, filters, scores, preemption. A snapshot in, claims out.
 *
 * Decides freely on its own view of the pool; only the pool gives room away, through `bindMany`.
 * The order of filters and scores is in `filters.ts`, `topology.ts` and `scores.ts`. Start with
 * `scheduler.ts`.
 */
export { createScheduler } from './scheduler.ts';
export type {
  BindMany,
  BindRequest,
  BindResult,
  Scheduler,
  SchedulerOptions,
} from './scheduler.ts';
