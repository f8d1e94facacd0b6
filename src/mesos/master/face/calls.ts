import type { FaceReply } from '#base';
import {
  CallRejected,
  MessageError,
  mediaTypes,
  methodNotAllowed,
  textReply,
} from '#mesos/protocol';
import type { HttpRequest, MasterCall, SchedulerCall } from '#mesos/protocol';
import type { FaceContext } from './options.ts';

interface CallTypes {
  readonly 'scheduler.Call': SchedulerCall;
  readonly 'master.Call': MasterCall;
}

/** What comes before a v1 call is looked at (mesos.md 1.4, 2-4): redirect, recovery, method. */
export function earlyReply(context: FaceContext, request: HttpRequest): FaceReply | undefined {
  const elsewhere = context.leader.redirect(request);
  if (elsewhere !== undefined) return elsewhere;
  if (!context.master.recovered) return textReply(503, 'Master has not finished recovery');
  if (request.method !== 'POST') return methodNotAllowed(['POST'], request.method);
  return undefined;
}

/** The call of a body; rejects with what the reference says of one it cannot read (1.4, 5-7). */
export async function readCall<Name extends keyof CallTypes>(
  { codec }: FaceContext,
  request: HttpRequest,
  type: Name,
): Promise<CallTypes[Name]> {
  const contentType = request.headers['content-type'];
  if (contentType === undefined)
    throw new CallRejected(400, "Expecting 'Content-Type' to be present");
  // Compared as they are: a charset parameter is refused there too.
  if (contentType === mediaTypes.protobuf) {
    const bytes = await request.body();
    return rethrown(
      () => codec.decodeProtobuf(type, bytes),
      () => 'Failed to parse body into Call protobuf',
    );
  }
  if (contentType !== mediaTypes.json)
    throw new CallRejected(
      415,
      `Expecting 'Content-Type' of ${mediaTypes.json} or ${mediaTypes.protobuf}`,
    );
  const text = await request.text();
  return rethrown(
    () => codec.decodeJson(type, text),
    ({ stage, message }) =>
      stage === 'syntax'
        ? `Failed to parse body into JSON: ${message}`
        : `Failed to convert JSON into Call protobuf: ${message}`,
  );
}

function rethrown<T>(read: () => T, say: (error: MessageError) => string): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof MessageError) throw new CallRejected(400, say(error));
    throw error;
  }
}

export const notAcceptable = `Expecting 'Accept' to allow '${mediaTypes.protobuf}' or '${mediaTypes.json}'`;
