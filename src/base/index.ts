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
export { DurationError, durationMs, formatDuration, parseDuration } from './duration.ts';
export { percentOf, scaledValue } from './int-or-percent.ts';
export {
  QuantityError,
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  isWholeQuantity,
  makeQuantity,
  parseQuantity,
  quantityFromMillis,
  quantityOf,
  quantityToMillis,
  quantityValue,
  subtractQuantities,
} from './quantity.ts';
export type { Quantity, QuantityFormat } from './quantity.ts';
export { BoundedQueue } from './queue.ts';
export {
  TimeError,
  formatMicroTime,
  formatTime,
  instantMicroText,
  instantText,
  parseInstant,
  parseMicroInstant,
  parseTime,
  timeOr,
  zeroTimeSeconds,
} from './time.ts';
export type { Instant } from './time.ts';
export { popHeap, pushHeap } from './heap.ts';
export type { Before } from './heap.ts';
