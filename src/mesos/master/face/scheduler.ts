import type { FaceReply } from '#base';
import {
  CallRejected,
  acceptedEncoding,
  asciiJson,
  emptyReply,
  mediaTypes,
  textReply,
  validateSchedulerCall,
} from '#mesos/protocol';
import type {
  Encoding,
  HttpRequest,
  MessageCodec,
  Route,
  SchedulerCall,
  SchedulerConnection,
  SchedulerEvent,
  Subscriber,
} from '#mesos/protocol';
import { encodeRecord, encodeTextRecord } from '#wire';
import { earlyReply, notAcceptable, readCall } from './calls.ts';
import { EventWriter } from './event-writer.ts';
import type { FaceContext, FaceLimits } from './options.ts';
import { RecordStream } from './record-stream.ts';

/** `/api/v1/scheduler`: what frameworks speak over HTTP (mesos.md 1.4 and section 2). */
export function schedulerRoute(context: FaceContext, limits: FaceLimits): Route {
  const endpoint = new SchedulerEndpoint(context, limits);
  return {
    realm: 'mesos-master-scheduler',
    handle: (request) => endpoint.handle(request),
  };
}

class SchedulerEndpoint {
  readonly #context: FaceContext;
  readonly #limits: FaceLimits;
  /** Open streams of this face by framework id: at most one each. */
  readonly #connections = new Map<string, SchedulerConnection>();

  constructor(context: FaceContext, limits: FaceLimits) {
    this.#context = context;
    this.#limits = limits;
  }

  async handle(request: HttpRequest): Promise<FaceReply> {
    const early = earlyReply(this.#context, request);
    if (early !== undefined) return early;
    const call = await readCall(this.#context, request, 'scheduler.Call');
    const { principal } = request.caller;
    const problem = validateSchedulerCall(call, principal);
    if (problem !== undefined)
      return textReply(400, `Failed to validate scheduler::Call: ${problem}`);
    if (call.type === 'SUBSCRIBE' || call.type === 'RECONCILE_OPERATIONS') {
      const encoding = acceptedEncoding(request.headers);
      if (encoding === undefined) return textReply(406, notAcceptable);
      if (call.type === 'SUBSCRIBE') return await this.#subscribe(request, call, encoding);
    }
    const connection = this.#connectionOf(request, call);
    if (call.type === 'UNKNOWN') return textReply(501);
    await connection.call(call);
    return emptyReply(call.type === 'UPDATE_FRAMEWORK' ? 200 : 202);
  }

  async #subscribe(
    request: HttpRequest,
    call: SchedulerCall,
    encoding: Encoding,
  ): Promise<FaceReply> {
    if (request.headers['mesos-stream-id'] !== undefined)
      return textReply(400, "Subscribe calls should not include the 'Mesos-Stream-Id' header");
    const { codec, master, options } = this.#context;
    const { caller } = request;
    const stream = new RecordStream(this.#limits.streamBacklogBytesMax);
    const writer = new EventWriter(stream, {
      clock: this.#context.clock,
      encode: (event) => recordOf(codec, encoding, event),
    });
    const forget = { now: (): void => {} };
    let ended = false;
    const subscriber: Subscriber = {
      wire: 'http',
      principal: caller.principal,
      allows: (action, object) => caller.allows(action, object),
      event: (event) => writer.write(event),
      closed: () => {
        ended = true;
        writer.end();
        forget.now();
      },
    };
    const connection = await master.link.subscribe(call, subscriber);
    forget.now = (): void => this.#forget(connection);
    if (!ended && connection.frameworkID !== '') {
      this.#connections.set(connection.frameworkID, connection);
      stream.onGone(() => {
        this.#forget(connection);
        connection.close();
      });
    }
    return {
      status: 200,
      headers: {
        'Content-Type': mediaTypes[encoding],
        // A refused subscription has a stream too: it brings the ERROR event.
        'Mesos-Stream-Id': connection.streamID || options.random.uuid(),
      },
      body: stream.body,
    };
  }

  #forget(connection: SchedulerConnection): void {
    const { frameworkID } = connection;
    if (this.#connections.get(frameworkID) === connection) this.#connections.delete(frameworkID);
  }

  /** The stream that a call belongs to; rejects in the reference's order of checks. */
  #connectionOf(request: HttpRequest, call: SchedulerCall): SchedulerConnection {
    const { frameworks } = this.#context.master.state;
    const id = call.framework_id?.value ?? '';
    const framework = frameworks.get(id);
    if (framework === undefined) throw new CallRejected(400, 'Framework cannot be found');
    const { principal } = request.caller;
    const registered = framework.info.principal ?? '';
    if (principal !== undefined && principal !== registered)
      throw new CallRejected(
        400,
        `Authenticated principal '${principal}' does not match principal '${registered}' set in \`FrameworkInfo\``,
      );
    if (!framework.connected) throw new CallRejected(403, 'Framework is not subscribed');
    const connection = this.#connections.get(id);
    if (connection === undefined || connection.streamID !== framework.streamID)
      throw new CallRejected(403, 'Framework is not connected via HTTP');
    const streamID = request.headers['mesos-stream-id'];
    if (streamID === undefined)
      throw new CallRejected(
        400,
        "All non-subscribe calls should include the 'Mesos-Stream-Id' header",
      );
    if (streamID !== connection.streamID)
      throw new CallRejected(
        400,
        `The stream ID '${streamID}' included in this request didn't match the stream ID currently associated with framework ID ${id}`,
      );
    return connection;
  }
}

function recordOf(codec: MessageCodec, encoding: Encoding, event: SchedulerEvent): Uint8Array {
  if (encoding === 'protobuf') return encodeRecord(codec.encodeProtobuf('scheduler.Event', event));
  return encodeTextRecord(asciiJson(codec.encodeJson('scheduler.Event', event)));
}
