/**
 * The Mesos master: frameworks, offers, tasks and updates (`core/`), and its HTTP faces (`face/`).
 *
 * The core knows nothing of the wire: it implements `SchedulerLink` and answers the operator's calls
 * as values; faces translate. Start with `core/master.ts`.
 */
export { createMaster } from './core/master.ts';
export type { Master, MasterOptions } from './core/master.ts';
export { annotations, labels } from './doors.ts';
export type { AgentDoor, FrameworkMessage } from './doors.ts';
export type { Growth, Launch, LaunchDoors, LaunchResult } from './doors.ts';
export { createMasterFace } from './face/face.ts';
export { faceLimits } from './face/options.ts';
export type {
  FaceContext,
  FaceLimits,
  Leader,
  MasterFaceOptions,
  Processes,
} from './face/options.ts';
export { legacyRoutes } from './face/legacy/index.ts';
export type { MasterFacts } from './face/legacy/index.ts';
