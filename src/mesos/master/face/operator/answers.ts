import type { FaceReply } from '#base';
import { bytesReply, documentReply, mediaTypes } from '#mesos/protocol';
import type { Encoding, HttpRequest, MasterResponse } from '#mesos/protocol';
import type { FaceContext } from '../options.ts';
import { View } from '../legacy/view.ts';
import { jsonPieces, protobufSlices } from './tree.ts';
import type { Member, Tree } from './tree.ts';

/** A call being answered: who asks, and in which encoding they want it. */
export interface Asked {
  readonly context: FaceContext;
  readonly request: HttpRequest;
  readonly encoding: Encoding;
  readonly view: View;
}

export function askedOf(context: FaceContext, request: HttpRequest, encoding: Encoding): Asked {
  return { context, request, encoding, view: new View(context.codec, request.caller) };
}

/** A small answer. */
export function answer({ context, encoding }: Asked, response: MasterResponse): FaceReply {
  const { codec } = context;
  const body =
    encoding === 'json'
      ? Buffer.from(codec.encodeJson('master.Response', response))
      : codec.encodeProtobuf('master.Response', response);
  return bytesReply(body, mediaTypes[encoding]);
}

/** An answer that may be large: sent in slices. */
export async function largeAnswer(
  { context, encoding }: Asked,
  type: NonNullable<MasterResponse['type']>,
  member: Member,
): Promise<FaceReply> {
  const { codec, clock } = context;
  const kind: Member = {
    kind: 'scalar',
    name: 'type',
    json: JSON.stringify(type),
    protobuf: codec.encodeProtobuf('master.Response', { type }),
  };
  const tree: Tree = { members: [kind, member] };
  if (encoding === 'json') return await documentReply(jsonPieces(codec, tree), { clock });
  const { slices } = await protobufSlices(context, tree);
  return { status: 200, headers: { 'Content-Type': mediaTypes.protobuf }, body: slices };
}
