/** The endpoints that Mesos had before its v1 APIs, as routes of the processes on the master's port. */
import type { FaceContext, Processes } from '../options.ts';
import { masterRoutes, otherProcesses } from './routes.ts';
import type { LegacyOptions } from './routes.ts';

export type { MasterFacts } from './state.ts';

/** For `MasterFaceOptions.routes`. */
export function legacyRoutes(
  options: Pick<LegacyOptions, 'facts'>,
): (context: FaceContext) => Promise<Processes> {
  return (context) => {
    const { master, clock, metrics } = context;
    const systemStats = context.options.systemStats ?? (() => ({}));
    const all = { ...options, master, clock, metrics, systemStats };
    return Promise.resolve({ master: masterRoutes(all), ...otherProcesses(all) });
  };
}
