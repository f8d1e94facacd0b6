import { DecodeError } from '#wire';
import type { Messages } from '../types.ts';
import { JsonDecoder } from './json-decode.ts';
import { JsonEncoder } from './json-encode.ts';
import { MessageError, parseJsonText } from './json-text.ts';
import type { JsonTextOptions } from './json-text.ts';
import { MissingFields } from './missing.ts';
import { ProtobufDecoder, ProtobufEncoder } from './protobuf.ts';
import { Schemas } from './schema.ts';
import type { MessageFacts } from './schema.ts';

/** Name of a message as in the .proto files below `mesos.v1`: `scheduler.Call`, `TaskInfo`. */
export type MessageName = keyof Messages;

/**
 * Mesos v1 messages to JSON and protobuf and back. Values are plain objects of `types.ts` with only
 * the set fields: enums by name, bytes as base64 text, 64-bit integers as numbers.
 */
export interface MessageCodec {
  /** The reference's JSON, compact. */
  encodeJson<Name extends MessageName>(type: Name, message: Messages[Name]): string;
  /** Throws `MessageError` with the reference's words. */
  decodeJson<Name extends MessageName>(
    type: Name,
    text: string,
    options?: JsonTextOptions,
  ): Messages[Name];
  /** The same of a value that `JSON.parse` or a store gave. */
  fromJsonValue<Name extends MessageName>(type: Name, value: unknown): Messages[Name];
  encodeProtobuf<Name extends MessageName>(type: Name, message: Messages[Name]): Uint8Array;
  /** Throws `MessageError`. */
  decodeProtobuf<Name extends MessageName>(type: Name, bytes: Uint8Array): Messages[Name];
}

let loading: Promise<MessageCodec> | undefined;

/** The codec, made when it is first needed: its table takes time that a start does not have. */
export function loadCodec(): Promise<MessageCodec> {
  loading ??= (async () => {
    const facts = await import('../facts/messages.json', { with: { type: 'json' } });
    return createMessageCodec(facts.default as MessageFacts);
  })();
  return loading;
}

export function createMessageCodec(facts: MessageFacts): MessageCodec {
  const schemas = new Schemas(facts);
  const jsonEncoder = new JsonEncoder(schemas);
  const jsonDecoder = new JsonDecoder(schemas);
  const protobufEncoder = new ProtobufEncoder(schemas);
  const protobufDecoder = new ProtobufDecoder(schemas);
  const missing = new MissingFields(schemas);
  const whole = (type: string, message: Record<string, unknown>): Record<string, unknown> => {
    const names = missing.of(type, message);
    if (names !== '') throw new MessageError('content', `Missing required fields: ${names}`);
    return message;
  };
  const fromJsonValue = <Name extends MessageName>(type: Name, value: unknown): Messages[Name] =>
    whole(type, jsonDecoder.decode(type, value)) as unknown as Messages[Name];
  return {
    encodeJson: (type, message) => jsonEncoder.encode(type, message),
    decodeJson: (type, text, options) => fromJsonValue(type, parseJsonText(text, options)),
    fromJsonValue,
    encodeProtobuf: (type, message) => protobufEncoder.encode(type, message),
    decodeProtobuf: <Name extends MessageName>(type: Name, bytes: Uint8Array): Messages[Name] =>
      whole(type, readProtobuf(protobufDecoder, type, bytes)) as unknown as Messages[Name],
  };
}

function readProtobuf(
  decoder: ProtobufDecoder,
  type: string,
  bytes: Uint8Array,
): Record<string, unknown> {
  try {
    return decoder.decode(type, bytes);
  } catch (error) {
    if (error instanceof DecodeError) throw new MessageError('syntax', error.message);
    throw error;
  }
}
