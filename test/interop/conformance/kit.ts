/**
 * What the cases of this folder share: one cluster, a client with every verb, waits on watches.
 *
 * A case names the conformance tests of the reference that it stands for, in `covers`.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createHttpApi, type HttpApi } from '#client';
import { systemClock } from '#io';
import { run, type Ended } from '../../cluster/cluster.ts';
import { buildImages } from './image.ts';

/** Decoded JSON that cases look into without knowing its shape. */
export interface Json {
  readonly [key: string]: Json;
  readonly [index: number]: Json;
}

export interface Case {
  /** A sentence: what holds. */
  readonly name: string;
  /** Names of the reference's conformance tests, without their tags. */
  readonly covers: readonly string[];
  /** Cases that change nodes run alone, after the others. */
  readonly alone?: boolean;
  readonly run: (world: World) => Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
  readonly json: Json;
}
export interface Send {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}
export type PatchType = 'merge' | 'strategic' | 'json' | 'apply';
export interface Event {
  readonly type: string;
  readonly object: Json;
}

const checkout = resolve(import.meta.dirname, '../../..');
const contentTypes = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

export class World implements AsyncDisposable {
  readonly name = `f${randomBytes(3).toString('hex')}`;
  readonly offset = 8210 + (randomBytes(2).readUInt16BE() % 680);
  readonly home = mkdtempSync(join(tmpdir(), 'tandem-conformance-'));
  #api: HttpApi | undefined;

  /** A cluster of two nodes that has the test images. */
  static async start(): Promise<World> {
    const world = new World();
    try {
      await world.tandem('up', '--port-offset', String(world.offset), '--nodes', '2');
      for (const file of await buildImages(world.home)) await world.tandem('image', 'load', file);
      return world;
    } catch (error) {
      await world[Symbol.asyncDispose]();
      throw error;
    }
  }

  async tandem(verb: string, ...args: readonly string[]): Promise<void> {
    const ended = await run(
      join(checkout, 'tandem'),
      [...(verb === 'image' ? [verb, args[0] ?? ''] : [verb]), '--name', this.name].concat(
        verb === 'image' ? args.slice(1) : args,
      ),
      { env: this.env },
    );
    if (ended.code !== 0) throw new Error(`tandem ${verb} ended with ${ended.code}: ${ended.err}`);
  }
  get env(): Readonly<Record<string, string>> {
    const { KUBECONFIG: _theirs, ...inherited } = process.env as Record<string, string>;
    return { ...inherited, HOME: this.home, NO_COLOR: '1' };
  }
  kubectl(...args: readonly string[]): Promise<Ended> {
    return run('kubectl', args, { env: this.env });
  }
  /** kubectl that must succeed; gives what it printed. */
  async ctl(...args: readonly string[]): Promise<string> {
    const ended = await this.kubectl(...args);
    if (ended.code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${ended.err}`);
    return ended.out;
  }
  get server(): string {
    return `https://127.0.0.1:${6443 + this.offset}`;
  }

  pki(name: string): string {
    return readFileSync(`/var/lib/tandem/${this.name}/server/pki/${name}`, 'utf8');
  }
  get api(): HttpApi {
    this.#api ??= createHttpApi({
      server: this.server,
      clock: systemClock,
      ca: this.pki('ca.crt'),
      cert: this.pki('admin.crt'),
      key: this.pki('admin.key'),
    });
    return this.#api;
  }

  async send(method: string, path: string, { body, headers }: Send = {}): Promise<Answer> {
    const answer = await this.api.requestRaw({
      method,
      path,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = Buffer.from(await answer.body()).toString();
    return {
      status: answer.status,
      headers: answer.headers as Answer['headers'],
      text,
      get json() {
        return JSON.parse(text) as Json;
      },
    };
  }
  async #must(method: string, path: string, send: Send = {}): Promise<Json> {
    const answer = await this.send(method, path, send);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.json;
  }
  get(path: string): Promise<Json> {
    return this.#must('GET', path);
  }
  post(path: string, body: unknown): Promise<Json> {
    return this.#must('POST', path, { body });
  }
  put(path: string, body: unknown): Promise<Json> {
    return this.#must('PUT', path, { body });
  }
  patch(path: string, body: unknown, type: PatchType = 'merge'): Promise<Json> {
    return this.#must('PATCH', path, { body, headers: { 'content-type': contentTypes[type] } });
  }
  delete(path: string, options?: object): Promise<Json> {
    return this.#must('DELETE', path, options === undefined ? {} : { body: options });
  }
  async items(path: string): Promise<readonly Json[]> {
    return list((await this.get(path)).items);
  }

  /** Events of a watch, until the loop over them is left or `seconds` are over. */
  async *watch(path: string, seconds = 30): AsyncGenerator<Event> {
    const abort = new AbortController();
    const cancel = systemClock.after(seconds * 1000, () =>
      abort.abort(new Error(`Not within ${seconds} s: watch of ${path}`)),
    );
    try {
      const separator = path.includes('?') ? '&' : '?';
      const answer = await this.api.requestRaw({
        path: `${path}${separator}watch=true`,
        signal: abort.signal,
      });
      if (answer.status !== 200)
        throw new Error(
          `watch ${path}: ${answer.status} ${Buffer.from(await answer.body()).toString()}`,
        );
      let rest = '';
      for await (const chunk of answer.chunks) {
        const lines = (rest + Buffer.from(chunk).toString()).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) yield JSON.parse(line) as Event;
      }
      abort.signal.throwIfAborted();
      throw new Error(`watch of ${path} ended`);
    } finally {
      cancel();
      abort.abort();
    }
  }
  /** The next events of a watch that pass `wanted`, as many as `count`. */
  async events(
    path: string,
    count: number,
    wanted: (event: Event) => boolean = (event) => event.type !== 'BOOKMARK',
  ): Promise<readonly Event[]> {
    const found: Event[] = [];
    if (count === 0) return found;
    for await (const event of this.watch(path))
      if (wanted(event) && found.push(event) === count) return found;
    return found;
  }

  /** Waits by a watch until the object at `path` pass `check`; undefined is an object that is not there. */
  async when(
    path: string,
    check: (object: Json | undefined) => boolean,
    seconds = 30,
  ): Promise<Json> {
    const cut = path.lastIndexOf('/');
    const [collection, name] = [path.slice(0, cut), path.slice(cut + 1)];
    const query = `fieldSelector=metadata.name%3D${name}`;
    const listed = await this.get(`${collection}?${query}`);
    let last: Json | undefined = list(listed.items)[0];
    if (check(last)) return (last ?? {}) as Json;
    const from = `${collection}?${query}&resourceVersion=${listed.metadata?.resourceVersion}`;
    try {
      for await (const { type, object } of this.watch(from, seconds)) {
        if (type === 'BOOKMARK') continue;
        last = type === 'DELETED' ? undefined : object;
        if (check(last)) return (last ?? {}) as Json;
      }
    } catch (error) {
      const seen = JSON.stringify(last?.status ?? last ?? null)?.slice(0, 1500);
      throw new Error(`${path}: ${String(error)}; last seen: ${seen}`, { cause: error });
    }
    return last as Json;
  }
  /** Waits by a watch until the items of a collection pass `check`. */
  async whenAll(
    path: string,
    check: (items: readonly Json[]) => boolean,
    seconds = 30,
  ): Promise<readonly Json[]> {
    const listed = await this.get(path);
    const items = new Map(list(listed.items).map((item) => [String(item.metadata?.name), item]));
    if (check([...items.values()])) return [...items.values()];
    const separator = path.includes('?') ? '&' : '?';
    const from = `${path}${separator}resourceVersion=${listed.metadata?.resourceVersion}`;
    try {
      for await (const { type, object } of this.watch(from, seconds)) {
        const name = String(object.metadata?.name);
        if (type === 'DELETED') items.delete(name);
        else items.set(name, object);
        if (check([...items.values()])) return [...items.values()];
      }
    } catch (error) {
      const names = [...items.values()].map(
        (item) => `${item.metadata?.name} ${JSON.stringify(item.status ?? {}).slice(0, 300)}`,
      );
      throw new Error(`${path}: ${String(error)}; last seen: ${names.join('\n')}`, {
        cause: error,
      });
    }
    return [];
  }
  gone(path: string, seconds = 30): Promise<Json> {
    return this.when(path, (object) => object === undefined, seconds);
  }

  /** A namespace of the case's own, with its service account and root certificate. */
  async namespace(prefix = 'case', labels: object = {}): Promise<Space> {
    const name = `${prefix}-${randomBytes(4).toString('hex')}`;
    await this.post('/api/v1/namespaces', { metadata: { name, labels } });
    const space = new Space(this, name);
    await this.when(`${space.core}/serviceaccounts/default`, (it) => it !== undefined);
    await this.when(`${space.core}/configmaps/kube-root-ca.crt`, (it) => it !== undefined);
    return space;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#api?.close();
    if (process.env['KEEP'] === '1') return console.log(`kept: ${this.name} ${this.home}`);
    await this.tandem('destroy', '--yes');
    rmSync(this.home, { recursive: true, force: true });
  }
}

export const image = 'conformance/busybox:1';
export interface PodOptions {
  readonly metadata?: object;
  /** Merged into the spec. */
  readonly spec?: object;
  /** Merged into the one container. */
  readonly container?: object;
}

/** One namespace with the paths and the Pods of a case. */
export class Space {
  readonly world: World;
  readonly name: string;
  constructor(world: World, name: string) {
    this.world = world;
    this.name = name;
  }
  get core(): string {
    return `/api/v1/namespaces/${this.name}`;
  }
  get apps(): string {
    return `/apis/apps/v1/namespaces/${this.name}`;
  }
  of(groupVersion: string): string {
    return `/apis/${groupVersion}/namespaces/${this.name}`;
  }
  pod(name: string): string {
    return `${this.core}/pods/${name}`;
  }

  create(pod: object): Promise<Json> {
    return this.world.post(`${this.core}/pods`, pod);
  }
  /** Runs a script to its end; gives its exit code, log and Pod. */
  async runs(name: string, script: string, options: PodOptions = {}): Promise<Outcome> {
    await this.create(podOf(name, script, options));
    return this.outcome(name);
  }
  async outcome(name: string): Promise<Outcome> {
    const pod = await this.world.when(this.pod(name), (it) =>
      ['Succeeded', 'Failed'].includes(String(it?.status?.phase)),
    );
    const main = list(pod.status?.containerStatuses)[0];
    return {
      pod,
      code: Number(main?.state?.terminated?.exitCode ?? -1),
      log: await this.log(name),
    };
  }
  async log(name: string, query = ''): Promise<string> {
    return (await this.world.send('GET', `${this.pod(name)}/log${query}`)).text;
  }
  /** A Pod that stays; back once it is ready. */
  async stays(name: string, script: string, options: PodOptions = {}): Promise<Json> {
    await this.create(podOf(name, script, options));
    return this.ready(name);
  }
  ready(name: string, seconds = 30): Promise<Json> {
    return this.world.when(this.pod(name), isReady, seconds);
  }
  /** Runs a command in a container with kubectl; gives what it printed. */
  exec(pod: string, ...command: readonly string[]): Promise<string> {
    return this.world.ctl('-n', this.name, 'exec', pod, '--', ...command);
  }
}

export interface Outcome {
  readonly pod: Json;
  readonly code: number;
  readonly log: string;
}

export function podOf(name: string, script: string, options: PodOptions = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name }, ...options.metadata },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'main',
          image,
          imagePullPolicy: 'IfNotPresent',
          command: ['/bin/sh', '-c', script],
          ...options.container,
        },
      ],
      ...options.spec,
    },
  };
}
/** A script that ends at once on SIGTERM, else never. */
export const forever = "trap 'exit 0' TERM; while :; do sleep 0.2; done";

export function isReady(pod: Json | undefined): boolean {
  return condition(pod, 'Ready')?.status === ('True' as unknown);
}
export function condition(object: Json | undefined, type: string): Json | undefined {
  return list(object?.status?.conditions).find((it) => String(it.type) === type);
}
export function list(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}
export function names(items: readonly Json[]): readonly string[] {
  return items.map((item) => String(item.metadata?.name)).toSorted();
}

/** Tries something that cannot be watched, again and again, at most `seconds`. */
export async function eventually<T>(
  what: string,
  attempt: () => Promise<T | undefined | false>,
  seconds = 20,
): Promise<T> {
  const endMs = systemClock.monotonicMs() + seconds * 1000;
  for (;;) {
    const found = await attempt();
    if (found !== undefined && found !== false) return found;
    if (systemClock.monotonicMs() > endMs) throw new Error(`Not within ${seconds} s: ${what}`);
    await systemClock.sleep(50);
  }
}
