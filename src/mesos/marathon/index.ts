/**
 * Marathon: its REST API, its definitions and deployments; a framework like any other.
 *
 * `model/` is pure (definitions, normalisation, validation, plans, offer matching), `engine/` runs it
 * over the store and a scheduler link, `face/` is the REST API. Start with `engine/engine.ts`.
 */
export { createMarathon } from './marathon.ts';
export type {
  AccessIdentity,
  AccessVerdict,
  Marathon,
  MarathonAccess,
  MarathonOptions,
  MarathonSettings,
  ProbeAnswer,
  ProbeNet,
  ProbeTarget,
  WantedMarathonAccess,
} from './engine/options.ts';
