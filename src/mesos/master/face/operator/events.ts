import { asciiJson, mediaTypes } from '#mesos/protocol';
import type { Encoding, MasterEvent, MessageCodec } from '#mesos/protocol';
import type { Cancel, FaceReply } from '#base';
import { encodeRecord, encodeTextRecord } from '#wire';
import type { FrameworkRecord, MasterChange } from '../../core/records.ts';
import type { FaceContext, FaceLimits } from '../options.ts';
import { RecordStream } from '../record-stream.ts';
import type { Asked } from './answers.ts';
import { agentMessage, frameworkFacts, taskMessage } from './models.ts';
import { stateTree } from './state.ts';
import { jsonSlices, protobufSlices } from './tree.ts';
import type { ScalarMember, Tree } from './tree.ts';

const heartbeatMs = 15_000;

/** SUBSCRIBE of `/api/v1`: the state, then what changes of it (mesos.md 8.1). */
export class EventStreams {
  readonly #limits: FaceLimits;
  /** Oldest first. */
  readonly #open = new Set<EventStream>();

  constructor(limits: FaceLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#open.size;
  }

  async subscribe(asked: Asked): Promise<FaceReply> {
    const stream = new EventStream(asked, this.#limits, () => this.#open.delete(stream));
    this.#open.add(stream);
    const [oldest] = this.#open;
    if (this.#open.size > this.#limits.subscribersMax) oldest?.close();
    try {
      await stream.begin();
    } catch (error) {
      stream.close();
      throw error;
    }
    return {
      status: 200,
      headers: { 'Content-Type': mediaTypes[asked.encoding] },
      body: stream.records.body,
    };
  }
}

class EventStream {
  readonly records: RecordStream;
  readonly #asked: Asked;
  readonly #done: () => void;
  readonly #changes: Disposable;
  /** Changes during the writing of SUBSCRIBED: they come after it. */
  #held: MasterChange[] | undefined = [];
  #heartbeat: Cancel | undefined;
  #closed = false;

  constructor(asked: Asked, limits: FaceLimits, done: () => void) {
    this.#asked = asked;
    this.#done = done;
    this.records = new RecordStream(limits.streamBacklogBytesMax);
    this.records.onGone(() => this.#release());
    this.#changes = asked.context.master.onChange((change) => {
      if (this.#held === undefined) this.#send(change);
      else this.#held.push(change);
    });
  }

  async begin(): Promise<void> {
    const { context, encoding } = this.#asked;
    const { slices, bytes } =
      encoding === 'json'
        ? await jsonSlices(context, this.#subscribed())
        : await protobufSlices(context, this.#subscribed());
    this.records.writeLarge(Buffer.concat([Buffer.from(`${bytes}\n`), ...slices]));
    this.#beat();
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const change of held) this.#send(change);
  }

  close(): void {
    this.records.end();
    this.#release();
  }

  #release(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#changes[Symbol.dispose]();
    this.#heartbeat?.();
    this.#held = undefined;
    this.#done();
  }

  #subscribed(): Tree {
    const { context, view } = this.#asked;
    const { codec, master } = context;
    const type: ScalarMember = {
      kind: 'scalar',
      name: 'type',
      json: '"SUBSCRIBED"',
      protobuf: codec.encodeProtobuf('master.Event', { type: 'SUBSCRIBED' }),
    };
    const heartbeat: ScalarMember = {
      kind: 'scalar',
      name: 'heartbeat_interval_seconds',
      json: '15.0',
      protobuf: codec.encodeProtobuf('master.Event.Subscribed', { heartbeat_interval_seconds: 15 }),
    };
    const state = stateTree(master.state, view, 1);
    return {
      members: [type, { kind: 'tree', name: 'subscribed', number: 2, members: [state, heartbeat] }],
    };
  }

  /** Timed from the first one; events do not postpone it. */
  #beat(): void {
    if (this.#closed) return;
    this.#write({ type: 'HEARTBEAT' });
    this.#heartbeat = this.#asked.context.clock.after(heartbeatMs, () => this.#beat());
  }

  #send(change: MasterChange): void {
    const event = this.#eventOf(change);
    if (event !== undefined) this.#write(event);
  }

  #write(event: MasterEvent): void {
    const { context, encoding } = this.#asked;
    this.records.write(recordOf(context.codec, encoding, event));
  }

  /** Undefined when the caller may not see what changed. */
  #eventOf(change: MasterChange): MasterEvent | undefined {
    const { view, context } = this.#asked;
    const { type } = change;
    if (type === 'TASK_ADDED' || type === 'TASK_UPDATED') {
      const { task } = change;
      const framework = frameworkOf(context, task.frameworkID);
      if (framework !== undefined && !(view.task(framework, task) && view.framework(framework)))
        return undefined;
      if (type === 'TASK_ADDED') return { type, task_added: { task: taskMessage(task) } };
      const { status } = change;
      const framework_id = { value: task.frameworkID };
      return { type, task_updated: { framework_id, status, state: task.state } };
    }
    if (type === 'AGENT_ADDED')
      return { type, agent_added: { agent: agentMessage(change.agent, view) } };
    if (type === 'AGENT_REMOVED')
      return { type, agent_removed: { agent_id: { value: change.agentID } } };
    const { framework } = change;
    if (!view.framework(framework)) return undefined;
    if (type === 'FRAMEWORK_REMOVED')
      return { type, framework_removed: { framework_info: framework.info } };
    const facts = frameworkFacts(framework);
    return type === 'FRAMEWORK_ADDED'
      ? { type, framework_added: { framework: facts } }
      : { type, framework_updated: { framework: facts } };
  }
}

function frameworkOf({ master }: FaceContext, id: string): FrameworkRecord | undefined {
  const { frameworks, completedFrameworks } = master.state;
  return frameworks.get(id) ?? completedFrameworks.find((framework) => framework.id === id);
}

function recordOf(codec: MessageCodec, encoding: Encoding, event: MasterEvent): Uint8Array {
  if (encoding === 'protobuf') return encodeRecord(codec.encodeProtobuf('master.Event', event));
  return encodeTextRecord(asciiJson(codec.encodeJson('master.Event', event)));
}
