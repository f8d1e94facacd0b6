import type { FaceReply } from '#base';
import {
  CallRejected,
  acceptedEncoding,
  emptyReply,
  textReply,
  validateMasterCall,
} from '#mesos/protocol';
import type { HttpRequest, MasterCall, Route } from '#mesos/protocol';
import { earlyReply, notAcceptable, readCall } from '../calls.ts';
import type { FaceContext } from '../options.ts';
import { answer, askedOf } from './answers.ts';
import type { Asked } from './answers.ts';
import type { EventStreams } from './events.ts';
import { reads } from './reads.ts';
import { change } from './writes.ts';

/** `/api/v1`: what operators and tools ask a master (mesos.md 1.4 and 8.1). */
export function operatorRoute(context: FaceContext, streams: EventStreams): Route {
  const endpoint = new OperatorEndpoint(context, streams);
  return {
    realm: 'mesos-master-readwrite',
    handle: (request) => endpoint.handle(request),
  };
}

class OperatorEndpoint {
  readonly #context: FaceContext;
  readonly #streams: EventStreams;

  constructor(context: FaceContext, streams: EventStreams) {
    this.#context = context;
    this.#streams = streams;
  }

  async handle(request: HttpRequest): Promise<FaceReply> {
    const early = earlyReply(this.#context, request);
    if (early !== undefined) return early;
    const call = await readCall(this.#context, request, 'master.Call');
    const problem = validateMasterCall(call);
    if (problem !== undefined) return textReply(400, `Failed to validate master::Call: ${problem}`);
    const encoding = acceptedEncoding(request.headers);
    if (encoding === undefined) return textReply(406, notAcceptable);
    return await this.#answer(askedOf(this.#context, request, encoding), call);
  }

  async #answer(asked: Asked, call: MasterCall): Promise<FaceReply> {
    const type = call.type ?? 'UNKNOWN';
    if (type === 'SUBSCRIBE') return await this.#streams.subscribe(asked);
    if (type === 'GET_LOGGING_LEVEL')
      return answer(asked, { type, get_logging_level: { level: this.#context.logging.level } });
    if (type === 'SET_LOGGING_LEVEL') return this.#setLevel(asked, call);
    const read = Object.hasOwn(reads, type) ? reads[type] : undefined;
    if (read !== undefined) return await read(asked, call);
    return (await change(asked, call)) ?? textReply(501);
  }

  #setLevel(asked: Asked, { set_logging_level: wanted }: MasterCall): FaceReply {
    if (!asked.request.caller.allows('set_log_level')) throw new CallRejected(403, '');
    const { level = 0, duration } = wanted ?? {};
    this.#context.logging.set(level, (duration?.nanoseconds ?? 0) / 1e6);
    return emptyReply(200);
  }
}
