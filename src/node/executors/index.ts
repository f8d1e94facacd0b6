/**
 * The Mesos agent: runs tasks of frameworks as Pods of this node, speaks the executor API to custom
 * executors, serves sandboxes and the agent's HTTP endpoints.
 *
 * It never starts a container: the master writes Pods, the kubelet runs them and asks `extension`
 * for what Mesos adds. What a framework is told follows from Tasks, Pods and containers alone, so a
 * crash loses nothing. Start with `decide.ts`, then `task-keeper.ts`.
 */
export { createExecutors } from './executors.ts';
export type {
  Executors,
  ExecutorsExtension,
  ExecutorsOptions,
  FrameworkMessage,
} from './options.ts';
