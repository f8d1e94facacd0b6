import type { Instance } from './instance.ts';
import type * as raml from './types.ts';

const pending = (): never => {
  throw new Error('Cannot call this yet');
};

// --- JSON of what runs
export const taskJson: (
  instance: Instance,
  task: Instance['tasks'][number],
  options: {
    readonly health: readonly raml.Health[];
    readonly servicePorts: readonly number[];
  },
) => raml.Task = pending;
export const countsOf: (instances: readonly Instance[]) => {
  readonly tasksStaged: number;
  readonly tasksRunning: number;
  readonly tasksHealthy: number;
  readonly tasksUnhealthy: number;
} = pending;
