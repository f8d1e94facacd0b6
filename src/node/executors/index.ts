/**
 * The Mesos agent: runs tasks of frameworks as Pods of this node, speaks the executor API to custom
 * executors, serves sandboxes and the agent's HTTP endpoints.
 */
export {};
