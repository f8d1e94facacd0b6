/**
 * Bytes to values and back, pure: Kubernetes protobuf and JSON, YAML, SPDY frames, DNS messages.
 *
 * Knows formats, not meanings. Start with `codec.ts`.
 */
export { DecodeError } from './codec.ts';
export type { Codec, Decoded } from './codec.ts';
export type { FieldFact, TypeFact, TypeTables } from './tables.ts';
export { decodeDnsQuery, encodeDnsAnswer, recordType, responseCode } from './dns.ts';
export type { DnsAnswer, DnsQuery, DnsRecord } from './dns.ts';
export { goJson, goQuote, isGoPrint } from './go-text.ts';
export { SpdyConnection } from './spdy.ts';
export type { SpdyStream } from './spdy.ts';
export { SpdyError } from './spdy-frames.ts';
export type { SpdyHeaders } from './spdy-frames.ts';
export { createCodec, encodeCanonicalJson, protobufList, readEnvelope } from './kube-codec.ts';
export type { Envelope } from './kube-codec.ts';
export { ProtobufReader, ProtobufWriter, wholeOf } from './protobuf.ts';
export { gunzip, gzip } from './gzip.ts';
export { RecordDecoder, RecordError, encodeRecord, encodeTextRecord } from './recordio.ts';
export type { RecordLimits } from './recordio.ts';
export { looksLikeJson, parseYaml, parseYamlDocuments } from './yaml.ts';
export type { ParsedYaml } from './yaml.ts';
export { encodeOpenApiV2 } from './openapi-v2.ts';
export { encodeYaml } from './yaml-emit.ts';
export { resourceVersionOffset, spliceResourceVersion } from './splice.ts';
export { isObject, setKey } from './objects.ts';
export type { JsonObject } from './objects.ts';
