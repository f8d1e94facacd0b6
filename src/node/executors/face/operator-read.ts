import {
  CallRejected,
  MessageError,
  acceptsMediaType,
  mediaTypes,
  methodNotAllowed,
  validateAgentCall,
} from '#mesos/protocol';
import type { AgentCall, Encoding, HttpRequest, MessageCodec } from '#mesos/protocol';
import type { FaceReply } from '#base';
import { RecordDecoder, RecordError } from '#wire';

/** A call of the agent's operator API, and how its answer is to be written. */
export interface AgentRequest {
  readonly call: AgentCall;
  /** Of the answer; for records, of each record. */
  readonly encoding: Encoding;
  /** The answer is `application/recordio`. */
  readonly records: boolean;
  /** Further calls of a streaming request. */
  readonly more: AsyncIterable<AgentCall> | undefined;
  readonly http: HttpRequest;
}

const recordBytesMax = 4 * 2 ** 20;
const streaming = new Set(['ATTACH_CONTAINER_OUTPUT', 'LAUNCH_NESTED_CONTAINER_SESSION']);

/** Reads a call in the reference's order of checks (mesos.md 8.3); rejects with its words. */
export async function readAgentCall(
  codec: MessageCodec,
  http: HttpRequest,
): Promise<AgentRequest | FaceReply> {
  if (http.method !== 'POST') return methodNotAllowed(['POST'], http.method);
  const input = inputOf(http);
  const output = outputOf(http);
  const read = input.records ? await firstRecord(codec, http, input.encoding) : undefined;
  const call = read?.first ?? (await wholeBody(codec, http, input.encoding));
  const problem = validateAgentCall(call);
  if (problem !== undefined)
    throw new CallRejected(400, `Failed to validate agent::Call: ${problem}`);
  const { type = 'UNKNOWN' } = call;
  if (input.records !== (type === 'ATTACH_CONTAINER_INPUT'))
    throw new CallRejected(
      415,
      input.records
        ? `Streaming 'Content-Type' ${mediaTypes.recordio} is not supported for ${type} call`
        : `Expecting 'Content-Type' to be ${mediaTypes.recordio} for ${type} call`,
    );
  if (output.records && !streaming.has(type))
    throw new CallRejected(406, `Streaming response is not supported for ${type} call`);
  return { call, http, more: read?.rest, ...output };
}

function inputOf({ headers }: HttpRequest): {
  readonly encoding: Encoding;
  readonly records: boolean;
} {
  const type = headers['content-type'];
  const inner = headers['message-content-type'];
  if (type === undefined) throw new CallRejected(400, "Expecting 'Content-Type' to be present");
  if (type === mediaTypes.recordio) {
    if (inner === undefined)
      throw new CallRejected(
        400,
        "Expecting 'Message-Content-Type' to be set for streaming requests",
      );
    return { encoding: encodingOf(inner, 'Message-Content-Type'), records: true };
  }
  const encoding = encodingOf(type, 'Content-Type');
  if (inner !== undefined)
    throw new CallRejected(
      415,
      "Expecting 'Message-Content-Type' to be not set for non-streaming requests",
    );
  return { encoding, records: false };
}

function encodingOf(type: string, header: string): Encoding {
  if (type === mediaTypes.json) return 'json';
  if (type === mediaTypes.protobuf) return 'protobuf';
  const streams = header === 'Content-Type' ? ` or ${mediaTypes.recordio}` : '';
  throw new CallRejected(
    415,
    `Expecting '${header}' of ${mediaTypes.json} or ${mediaTypes.protobuf}${streams}`,
  );
}

function outputOf({ headers }: HttpRequest): {
  readonly encoding: Encoding;
  readonly records: boolean;
} {
  const { accept } = headers;
  const inner = headers['message-accept'];
  const plain: Encoding | undefined = acceptsMediaType(accept, mediaTypes.json)
    ? 'json'
    : acceptsMediaType(accept, mediaTypes.protobuf)
      ? 'protobuf'
      : undefined;
  if (plain !== undefined) {
    if (inner !== undefined)
      throw new CallRejected(
        406,
        "Expecting 'Message-Accept' to be not set for non-streaming responses",
      );
    return { encoding: plain, records: false };
  }
  if (!acceptsMediaType(accept, mediaTypes.recordio))
    throw new CallRejected(
      406,
      `Expecting 'Accept' to allow ${mediaTypes.json} or ${mediaTypes.protobuf} or ${mediaTypes.recordio}`,
    );
  if (acceptsMediaType(inner, mediaTypes.json)) return { encoding: 'json', records: true };
  if (acceptsMediaType(inner, mediaTypes.protobuf)) return { encoding: 'protobuf', records: true };
  throw new CallRejected(
    406,
    `Expecting 'Message-Accept' to allow ${mediaTypes.json} or ${mediaTypes.protobuf}`,
  );
}

async function wholeBody(
  codec: MessageCodec,
  http: HttpRequest,
  encoding: Encoding,
): Promise<AgentCall> {
  return decode(codec, await http.body(), encoding);
}

function decode(codec: MessageCodec, bytes: Uint8Array, encoding: Encoding): AgentCall {
  try {
    return encoding === 'json'
      ? codec.decodeJson('agent.Call', Buffer.from(bytes).toString('utf8'))
      : codec.decodeProtobuf('agent.Call', bytes);
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    if (encoding === 'protobuf')
      throw new CallRejected(400, 'Failed to parse body into Call protobuf');
    const what =
      error.stage === 'syntax'
        ? 'Failed to parse body into JSON'
        : 'Failed to convert JSON into Call protobuf';
    throw new CallRejected(400, `${what}: ${error.message}`);
  }
}

async function firstRecord(
  codec: MessageCodec,
  http: HttpRequest,
  encoding: Encoding,
): Promise<{ readonly first: AgentCall; readonly rest: AsyncIterable<AgentCall> }> {
  const records = calls(codec, http, encoding);
  const first = await records.next();
  if (first.done === true) throw new CallRejected(400, 'Received EOF while reading request body');
  return { first: first.value, rest: records };
}

async function* calls(
  codec: MessageCodec,
  http: HttpRequest,
  encoding: Encoding,
): AsyncGenerator<AgentCall> {
  const decoder = new RecordDecoder({ recordBytesMax });
  try {
    for await (const chunk of http.raw.bodyStream())
      for (const record of decoder.push(chunk)) yield decode(codec, record, encoding);
  } catch (error) {
    if (error instanceof RecordError) throw new CallRejected(400, error.message);
    throw error;
  }
}
