import type { FaceReply, FaceRequest, StreamBody } from '#base';
import { silentLogger } from '#base';
import type { FakeApi } from '#client';
import { createFakeApi, createInformer } from '#client';
import type { GroupResult, KubeObject, NewObject, SystemWrite, SystemWriter } from '#machinery';
import { StatusError } from '#machinery';
import { mesosKinds } from '#mesos/kinds';
import type { SeededRandom, SimClock } from '#sim';
import { createSimClock, seededRandom } from '#sim';
// Loaded before the first world: what is loaded late takes real time, and no seed replays that.
import './engine/engine.ts';
import type { Marathon, MarathonAccess, MarathonSettings, ProbeAnswer } from './engine/options.ts';
import './face/face.ts';
import { TestMaster } from './fixture-master.test.ts';
import { createMarathon } from './marathon.ts';

/** A store of one process's memory with the system's door of groups; it can stop at any commit. */
export class TestStore implements SystemWriter {
  readonly api: FakeApi;
  commits = 0;
  /** The process dies at this commit: before it happens, or after it happened and before it hears. */
  crashAt: { readonly commit: number; readonly after: boolean } | undefined;
  crashed = false;

  constructor(clock: SimClock, random: SeededRandom) {
    this.api = createFakeApi({ clock, random });
  }

  async writeMany(groups: readonly (readonly SystemWrite[])[]): Promise<readonly GroupResult[]> {
    const never = new Promise<never>(() => undefined);
    if (this.crashed) return never;
    this.commits += 1;
    const dies = this.crashAt?.commit === this.commits;
    if (dies) this.crashed = true;
    if (dies && this.crashAt?.after === false) return never;
    const results: GroupResult[] = [];
    for (const group of groups) results.push(await this.#write(group));
    return dies ? never : results;
  }

  async #write(group: readonly SystemWrite[]): Promise<GroupResult> {
    const objects: (KubeObject | undefined)[] = [];
    try {
      for (const write of group) objects.push(await this.#one(write));
      return { ok: true, objects };
    } catch (error) {
      if (error instanceof StatusError) return { ok: false, error };
      throw error;
    }
  }

  async #one(write: SystemWrite): Promise<KubeObject | undefined> {
    if ('create' in write) {
      const kind = mesosKinds.find((one) => one.kind === write.create.kind);
      if (kind === undefined) throw new Error(`Unknown kind ${write.create.kind}`);
      return this.api.create(kind, write.create);
    }
    const { resource, target } = write;
    if ('delete' in write) {
      const all = this.api.all(resource);
      if (all.some(({ metadata }) => metadata.name === target.name))
        await this.api.delete(resource, target);
      return undefined;
    }
    const draft = structuredClone(await this.api.get(resource, target));
    write.change(draft as Parameters<typeof write.change>[0]);
    const object = draft as NewObject;
    await this.api.update(resource, object, { subresource: 'status' });
    const { resourceVersion: _old, ...metadata } = object.metadata;
    return this.api.update(resource, { ...object, metadata });
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: FaceReply['headers'];
  readonly text: string;
  /** The body as JSON; tests say what they expect of it. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: unknown;
}

export interface World {
  readonly clock: SimClock;
  readonly random: SeededRandom;
  readonly store: TestStore;
  readonly master: TestMaster;
  readonly marathon: Marathon;
  /** By URL; missing ones cannot be reached. */
  readonly answers: Map<string, ProbeAnswer>;
  /** Types of the events since the last call, with their data. */
  takeEvents(): readonly { readonly type: string; readonly data: Record<string, unknown> }[];
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  /** Like `call`, for requests that must succeed. */
  ask(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
  /** Lets what needs no time happen. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

export interface WorldOptions {
  readonly agents?: number;
  readonly cpus?: number;
  readonly seed?: number;
  readonly settings?: Partial<MarathonSettings>;
  readonly access?: MarathonAccess;
  readonly listen?: boolean;
  /** What an earlier world left. */
  readonly from?: Pick<World, 'clock' | 'store' | 'master'>;
}

export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const { agents = 3, cpus = 32, seed = 1, settings = {}, from } = options;
  const clock = from?.clock ?? createSimClock();
  const random = seededRandom(seed);
  const store = from?.store ?? new TestStore(clock, random);
  const master = from?.master ?? new TestMaster(clock, agents, cpus);
  const answers = new Map<string, ProbeAnswer>();
  const marathon = createMarathon({
    api: store.api,
    createInformer,
    writer: store,
    link: master,
    clock,
    random,
    logger: silentLogger,
    net: {
      async http({ url }) {
        const found = answers.get(url);
        if (found === undefined) throw new Error('Connection refused');
        return found;
      },
      async tcp(host, port) {
        if (!answers.has(`${host}:${port}`)) throw new Error('Connection refused');
      },
    },
    settings,
    access: options.access,
    address: { hostname: 'localhost', port: 8080 },
  });
  const stopped = new AbortController();
  const running = marathon.run(stopped.signal);
  const frames: string[] = [];
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 30; turn++) await clock.settle();
  };
  const call: World['call'] = async (method, path, body, headers = {}) => {
    const reply = await marathon.face(requestOf(method, path, { body, headers }));
    const text = textOf(reply);
    return { status: reply.status, headers: reply.headers, text, json: jsonOf(text) };
  };
  const world: World = {
    clock,
    random,
    store,
    master,
    marathon,
    answers,
    call,
    settle,
    takeEvents: () => frames.splice(0).map(eventOf),
    async ask(method, path, body) {
      const { status, json, text } = await call(method, path, body);
      if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
      await settle();
      return json as Record<string, unknown>;
    },
    async stop() {
      stopped.abort();
      if (!store.crashed) await running;
    },
  };
  if (options.listen === true) await listen(world, frames, stopped.signal);
  return world;
}

async function listen(world: World, frames: string[], signal: AbortSignal): Promise<void> {
  const request = requestOf('GET', '/v2/events', { headers: { accept: 'text/event-stream' } });
  const reply = await world.marathon.face(request);
  const body = reply.body as StreamBody;
  void body(
    {
      write(chunk) {
        const text = Buffer.from(chunk).toString('utf8');
        frames.push(...text.split('\r\n\r\n').filter((frame) => frame.trim() !== ''));
        return true;
      },
      backlogBytes: 0,
      drained: async () => undefined,
    },
    signal,
  );
  await world.settle();
}

function eventOf(frame: string): { type: string; data: Record<string, unknown> } {
  const [first = '', second = ''] = frame.trim().split('\r\n');
  return {
    type: first.replace('event: ', ''),
    data: JSON.parse(second.replace('data: ', '')) as Record<string, unknown>,
  };
}

export function requestOf(
  method: string,
  target: string,
  { body, headers = {} }: { readonly body?: unknown; readonly headers?: Record<string, string> },
): FaceRequest {
  const [path = '', search = ''] = target.split('?');
  const text = typeof body === 'string' ? body : JSON.stringify(body ?? null);
  const bytes = body === undefined ? new Uint8Array() : Buffer.from(text);
  return {
    method,
    path,
    search,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    peer: {
      address: '127.0.0.1',
      port: 40_000,
      localAddress: '127.0.0.1',
      localPort: 8080,
      secure: false,
      certificates: [],
    },
    signal: new AbortController().signal,
    body: async () => bytes,
    async *bodyStream() {
      yield bytes;
    },
  };
}

function textOf({ body }: FaceReply): string {
  if (body === undefined || typeof body === 'function') return '';
  return body instanceof Uint8Array
    ? Buffer.from(body).toString('utf8')
    : Buffer.concat(body.map((chunk) => Buffer.from(chunk))).toString('utf8');
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
