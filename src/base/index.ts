/**
 * The ground everything stands on: ports to time, chance and logs, the shape of a face, limits.
 *
 * No I/O and no state of its own. Nothing here knows Kubernetes or Mesos. Start with `ports.ts`.
 */
export { BodyTooLargeError } from './face.ts';
export type {
  ByteSocket,
  Face,
  FaceReply,
  FaceRequest,
  HeaderMap,
  Peer,
  Sink,
  StreamBody,
} from './face.ts';
export { limits } from './limits.ts';
export { silentLogger } from './ports.ts';
export type { Cancel, Clock, LogFields, Logger, Random } from './ports.ts';
