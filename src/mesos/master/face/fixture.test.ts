/** A master's face over a small fake core, for tests: requests without a socket. */
import assert from 'node:assert/strict';
import { silentLogger } from '#base';
import type { Face, FaceReply, HeaderMap, Sink } from '#base';
import { CallRejected, inProcessRequest, loadCodec } from '#mesos/protocol';
import type {
  Access,
  FrameworkInfo,
  MasterEvent,
  OfferOperation,
  Resource,
  SchedulerCall,
  SchedulerConnection,
  SchedulerEvent,
  Subscriber,
} from '#mesos/protocol';
import { createSimClock, seededRandom } from '#sim';
import type { SimClock } from '#sim';
import { RecordDecoder } from '#wire';
import type { Master } from '../core/master.ts';
import type { OperatorActions } from '../core/operator.ts';
import type { AgentRecord, FrameworkRecord, MasterChange, TaskRecord } from '../core/records.ts';
import { createMasterFace } from './face.ts';
import type { MasterFaceOptions } from './options.ts';

export const codec = await loadCodec();
const uuid = '00000000-0000-4000-8000-00000000000';

export function scalar(name: string, value: number): Resource {
  return { name, type: 'SCALAR', scalar: { value } };
}

export function taskRecord(taskID: string): TaskRecord {
  return {
    frameworkID: 'f-0',
    taskID,
    agentID: 'm-S0',
    executorID: taskID,
    execution: 'Command',
    info: {
      name: taskID,
      task_id: { value: taskID },
      agent_id: { value: 'm-S0' },
      resources: [scalar('cpus', 1)],
    },
    role: '*',
    state: 'TASK_RUNNING',
    statusUpdateState: 'TASK_RUNNING',
    statusUpdateUUID: undefined,
    statuses: [],
    healthy: undefined,
    podName: taskID,
    container: 'task',
  };
}

export const agentRecord: AgentRecord = {
  id: 'm-S0',
  nodeName: 'n1',
  info: { hostname: 'n1', id: { value: 'm-S0' }, resources: [scalar('cpus', 4)] },
  pid: 'slave(1)@10.0.0.1:5051',
  ip: '10.0.0.1',
  port: 5051,
  version: '1.11.0',
  connected: true,
  active: true,
  deactivated: false,
  drain: undefined,
  registeredMs: 1500,
  reregisteredMs: undefined,
  capabilities: ['MULTI_ROLE'],
  totalResources: () => [scalar('cpus', 4)],
  usedResources: () => [scalar('cpus', 1)],
  podResources: () => [],
  offeredResources: () => [],
};

/** Remembers what it was asked, and lets a test speak for the core. */
export class FakeMaster implements Master {
  readonly calls: SchedulerCall[] = [];
  readonly operations: [string, OfferOperation, string | undefined][] = [];
  readonly acts: [string, ...unknown[]][] = [];
  readonly subscribers = new Map<string, Subscriber>();
  readonly frameworks = new Map<string, FrameworkRecord>();
  readonly agents = new Map<string, AgentRecord>([['m-S0', agentRecord]]);
  readonly listeners = new Set<(change: MasterChange) => void>();
  closed = 0;
  recovered = true;
  refuse: string | undefined;
  /** What the core does upon a call, for tests with real clients. */
  react: ((call: SchedulerCall, subscriber: Subscriber) => void) | undefined;

  readonly link = {
    subscribe: async (
      call: SchedulerCall,
      subscriber: Subscriber,
    ): Promise<SchedulerConnection> => {
      if (this.refuse !== undefined) {
        subscriber.event({ type: 'ERROR', error: { message: this.refuse } });
        subscriber.closed();
        const call = (): Promise<void> => Promise.reject(new CallRejected(403, 'Not subscribed'));
        return { frameworkID: '', streamID: '', call, close() {} };
      }
      return this.#accept(call, subscriber);
    },
  };

  #accept(call: SchedulerCall, subscriber: Subscriber): SchedulerConnection {
    const info = call.subscribe?.framework_info ?? { user: '', name: '' };
    const given = info.id?.value ?? '';
    const frameworkID = given === '' ? `f-${this.frameworks.size}` : given;
    const streamID = `${uuid}${this.subscribers.size}`;
    this.subscribers.get(frameworkID)?.closed();
    this.subscribers.set(frameworkID, subscriber);
    this.frameworks.set(frameworkID, frameworkRecord(frameworkID, info, streamID));
    const subscribed = { framework_id: { value: frameworkID }, heartbeat_interval_seconds: 15 };
    subscriber.event({ type: 'SUBSCRIBED', subscribed });
    subscriber.event({ type: 'HEARTBEAT' });
    return {
      frameworkID,
      streamID,
      call: async (one) => {
        this.calls.push(one);
        this.react?.(one, subscriber);
      },
      close: () => {
        this.closed += 1;
        const record = this.frameworks.get(frameworkID);
        if (record?.streamID === streamID)
          this.frameworks.set(frameworkID, { ...record, connected: false });
      },
    };
  }

  readonly operator: OperatorActions = {
    teardown: (...asked) => this.#act('teardown', asked),
    operation: async (agentID, operation, principal) => {
      this.operations.push([agentID, operation, principal]);
    },
    updateWeights: (...asked) => this.#act('updateWeights', asked),
    updateQuota: (...asked) => this.#act('updateQuota', asked),
    setQuota: (...asked) => this.#act('setQuota', asked),
    removeQuota: (...asked) => this.#act('removeQuota', asked),
    updateSchedule: (...asked) => this.#act('updateSchedule', asked),
    maintenanceStatus: () => ({ down_machines: [{ hostname: 'n9' }] }),
    startMaintenance: (...asked) => this.#act('startMaintenance', asked),
    stopMaintenance: (...asked) => this.#act('stopMaintenance', asked),
    drainAgent: (...asked) => this.#act('drainAgent', asked),
    deactivateAgent: (...asked) => this.#act('deactivateAgent', asked),
    reactivateAgent: (...asked) => this.#act('reactivateAgent', asked),
    markAgentGone: async () => Promise.reject(new CallRejected(404, "Agent 'x' not found")),
  };
  async #act(name: string, asked: readonly unknown[]): Promise<void> {
    this.acts.push([name, ...asked]);
  }

  readonly state = {
    masterID: 'm',
    startedMs: 1500,
    electedMs: 2000,
    frameworks: this.frameworks,
    completedFrameworks: [],
    agents: this.agents,
    recoveredAgents: new Map([['m-S1', { hostname: 'n2' }]]),
    unreachableAgents: new Map(),
    goneAgents: new Map(),
    offers: new Map(),
    inverseOffers: new Map(),
    roles: new Map([
      [
        'dev',
        {
          name: 'dev',
          weight: 2,
          quota: { role: 'dev', guarantees: { cpus: { value: 1 } }, limits: {} },
          frameworks: new Set(['f-0']),
          allocatedResources: () => [scalar('cpus', 0.1), scalar('cpus', 0.2)],
          offeredResources: () => [scalar('mem', 32)],
          reservedResources: () => [],
          consumed: () => new Map([['cpus', 300]]),
        },
      ],
    ]),
    schedule: { windows: [] },
  };
  onChange(listener: (change: MasterChange) => void): Disposable {
    this.listeners.add(listener);
    return { [Symbol.dispose]: () => this.listeners.delete(listener) };
  }
  announce(change: MasterChange): void {
    for (const listener of this.listeners) listener(change);
  }
  metrics(): Readonly<Record<string, number>> {
    return { 'master/uptime_secs': 12, 'master/cpus_percent': 0.5 };
  }
  async run(): Promise<void> {}
  executorMessage(): void {}
  check(): void {}
}

export function frameworkRecord(
  id: string,
  info: FrameworkInfo,
  streamID: string | undefined,
): FrameworkRecord {
  return {
    id,
    info: { ...info, id: { value: id } },
    roles: new Set(info.roles),
    suppressedRoles: new Set(),
    capabilities: new Set(),
    offerConstraints: undefined,
    namespace: `mesos-${info.name}`,
    connected: true,
    active: true,
    recovered: false,
    streamID,
    principal: undefined,
    registeredMs: 1000,
    reregisteredMs: 1000,
    unregisteredMs: undefined,
    tasks: new Map([['t1', taskRecord('t1')]]),
    unreachableTasks: new Map(),
    completedTasks: [taskRecord('t0')],
    executors: new Map([
      [
        'm-S0',
        new Map([
          [
            'e',
            {
              info: { executor_id: { value: 'e' } },
              agentID: 'm-S0',
              podName: 'p',
              containerID: 'c',
            },
          ],
        ]),
      ],
    ]),
    offers: new Set(),
    inverseOffers: new Set(),
    operations: new Map(),
    usedResources: () => [scalar('cpus', 1)],
    offeredResources: () => [],
    usedLists: () => [[scalar('cpus', 1)]],
    offeredLists: () => [],
  };
}

export interface Fixture {
  readonly master: FakeMaster;
  readonly face: Face;
  readonly clock: SimClock;
  /** Status and text of the answer to a POST; `body` is sent as JSON unless it is bytes. */
  post(path: string, body: unknown, headers?: HeaderMap): Promise<FaceReply>;
}

export function fixture(options: Partial<MasterFaceOptions> = {}): Fixture {
  const master = new FakeMaster();
  const clock = createSimClock();
  const face = createMasterFace({
    master,
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    address: { hostname: 'm.test', ip: '10.0.0.9', port: 5050 },
    version: '1.11.0',
    ...options,
  });
  const post = (path: string, body: unknown, headers: HeaderMap = {}): Promise<FaceReply> =>
    face(
      inProcessRequest({
        path,
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: body instanceof Uint8Array || typeof body === 'string' ? body : JSON.stringify(body),
      }),
    );
  return { master, face, clock, post };
}

export async function textOf({ body }: FaceReply): Promise<string> {
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  if (typeof body === 'function') {
    const sink = new FakeSink();
    await body(sink, new AbortController().signal);
    return Buffer.concat(sink.chunks).toString();
  }
  return body === undefined ? '' : Buffer.concat(body).toString();
}

export async function shown(reply: FaceReply): Promise<string> {
  return `${reply.status} ${await textOf(reply)}`;
}

export class FakeSink implements Sink {
  readonly chunks: Uint8Array[] = [];
  backlogBytes = 0;
  /** A client that does not read. */
  stuck = false;
  write(chunk: Uint8Array): boolean {
    this.chunks.push(chunk);
    if (this.stuck) this.backlogBytes += chunk.length;
    return !this.stuck;
  }
  async drained(): Promise<void> {}
}

/** A stream that a test reads. */
export class OpenStream {
  readonly sink = new FakeSink();
  readonly done: Promise<void>;
  readonly #client = new AbortController();
  #read = 0;

  constructor({ body }: FaceReply) {
    assert.ok(typeof body === 'function', 'The reply is a stream');
    this.done = body(this.sink, this.#client.signal);
  }
  hangUp(): void {
    this.#client.abort(new Error('gone'));
  }
  /** Records that came since the last look; each must be one write. */
  records(): Uint8Array[] {
    const fresh = this.sink.chunks.slice(this.#read);
    this.#read = this.sink.chunks.length;
    return fresh.map((chunk) => {
      const decoder = new RecordDecoder({ recordBytesMax: 1e9 });
      const records = decoder.push(chunk);
      assert.equal(records.length, 1, 'One write is one record');
      assert.ok(decoder.atBoundary);
      return records[0] ?? new Uint8Array(0);
    });
  }
  jsonEvents(): unknown[] {
    return this.records().map((record): unknown => JSON.parse(Buffer.from(record).toString()));
  }
  schedulerEvents(): SchedulerEvent[] {
    return this.records().map((record) => codec.decodeProtobuf('scheduler.Event', record));
  }
  masterEvents(): MasterEvent[] {
    return this.records().map((record) => codec.decodeProtobuf('master.Event', record));
  }
}

/** Callers are whom their header x-user names; `allowed` decides. */
export function namedAccess(allowed: (action: string) => boolean = () => true): Access {
  return {
    async authenticate({ headers }) {
      const principal = headers['x-user'];
      return { principal, allows: (action) => allowed(action) };
    },
  };
}
