/**
 * The Mesos v1 messages (scheduler, executor, master and agent API): types, JSON and protobuf forms,
 * RecordIO, validation of calls, arithmetic of resources, and the link between frameworks and a master.
 *
 * Values are plain objects with the field names of the .proto files; see `types.ts` (derived).
 */
export type * from './types.ts';
export { CallRejected } from './link.ts';
export type { SchedulerConnection, SchedulerLink, Subscriber } from './link.ts';
export * from './resources/index.ts';
export { loadCodec } from './codec/codec.ts';
export type { MessageCodec, MessageName } from './codec/codec.ts';
export { asciiJson, doubleText } from './codec/json-encode.ts';
export { MessageError, parseJsonText } from './codec/json-text.ts';
export type { JsonTextOptions } from './codec/json-text.ts';
export * from './http/index.ts';
export * from './validate/index.ts';
export { validateAgentCall } from './calls/agent.ts';
export { validateExecutorCall } from './calls/executor.ts';
export { validateMasterCall } from './calls/master.ts';
export { uuidProblem } from './calls/presence.ts';
export { validateSchedulerCall } from './calls/scheduler.ts';
