/**
 * Bytes to values and back, pure: Kubernetes protobuf and JSON, YAML, SPDY frames, DNS messages.
 *
 * Knows formats, not meanings. Start with `codec.ts`.
 */
export { DecodeError } from './codec.ts';
export type { Codec, Decoded } from './codec.ts';
