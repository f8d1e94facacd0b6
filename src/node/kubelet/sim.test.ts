import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base';
import type { Clock } from '#base';
import { createFakeApi, createInformer } from '#client';
import type { FakeApi } from '#client';
import type { Pod } from '#kube/kinds';
import type { Container } from '#node/runtime';
import { createSimClock, mortal, mortalClock, seededRandom, seedsFromEnvironment } from '#sim';
import type { SeededRandom, SimClock } from '#sim';
import { FakeFiles } from './fake-files.ts';
import { FakeRuntime } from './fake-runtime.ts';
import type { Program } from './fake-runtime.ts';
import { withStrategicPatches } from './fake-strategic.ts';
import { PodRefused } from './extension.ts';
import type { PodExtension } from './extension.ts';
import { createKubelet } from './kubelet.ts';
import type { Kubelet } from './options.ts';
import { pods } from './resources.ts';

const never = new Promise<never>(() => undefined);
const executorLabel = 'executor';
/** Growing ends, or nothing would ever be quiet. */
const tasksMax = 150;

/** Takes its time over Pods with the label, and refuses containers by their name. */
function slowExtension(clock: Clock): PodExtension {
  return {
    handles: (pod) => pod.metadata.labels?.[executorLabel] !== undefined,
    prepare: () => clock.sleep(5),
    async prepareContainer(_pod, name) {
      await clock.sleep(5);
      if (name.startsWith('refused')) throw new PodRefused('NoFetch', 'it cannot be had');
    },
    containerSpec: (_pod, spec) => spec,
    ended: () => clock.sleep(3),
    released() {},
  };
}

class World {
  readonly clock: SimClock = createSimClock();
  readonly random: SeededRandom;
  readonly api: FakeApi;
  readonly runtime: FakeRuntime;
  readonly files = new FakeFiles();
  #dead = new AbortController();
  #kubelet: Kubelet | undefined;
  #made = 0;
  readonly #exits = new Map<string, number>();
  /** Ids of containers that ran, by the Pod's uid and their name. */
  readonly #ran = new Map<string, Set<string>>();

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.api = withStrategicPatches(createFakeApi({ clock: this.clock, random: this.random }), {
      // More is granted at the very moment at which the agent tells of an end.
      before: async (body) => {
        const { status } = body as { status?: { phase?: string } };
        const ends = ['Succeeded', 'Failed'].includes(status?.phase ?? '');
        if (ends && this.random.below(2) === 0) await this.grow();
      },
    });
    this.runtime = new FakeRuntime({
      clock: this.clock,
      program: (spec) => this.#program(spec.name),
    });
    this.runtime.onChange((container) => this.#note(container));
  }

  /** "once-500-3" ends after 500 ms with 3; "slow" takes 3 s to end; anything else is well-behaved. */
  #program(name: string): Program {
    const [kind, ms, code] = name.split('-');
    if (kind === 'once') return { exitAfterMs: Number(ms), exitCode: Number(code) };
    return kind === 'slow' ? { termMs: 3000 } : { termMs: 20 };
  }

  #note({ id, state, exitCode, spec }: Container): void {
    const key = `${spec.labels['io.kubernetes.pod.uid']}/${spec.name}`;
    if (state === 'running') this.#ran.set(key, (this.#ran.get(key) ?? new Set()).add(id));
    if (state === 'exited' && exitCode !== undefined) this.#exits.set(`tandem://${id}`, exitCode);
  }

  start(): void {
    this.#dead = new AbortController();
    const dead = this.#dead.signal;
    const clock = mortalClock(this.clock, dead);
    this.#kubelet = createKubelet({
      api: mortal(this.api, dead),
      runtime: mortal(this.runtime, dead),
      clock,
      random: this.random,
      logger: silentLogger,
      createInformer,
      recorder: { event: () => undefined },
      files: mortal(this.files, dead),
      net: { http: () => never, tcp: () => never, grpc: () => never },
      nodeName: 'n1',
      nodeIp: '192.168.0.1',
      version: 'v1.36.2',
      clusterDns: '10.96.0.10',
      clusterDomain: 'cluster.local',
      dirs: { pods: '/pods', memory: '/memory', logs: '/logs' },
      resolvConf: '',
      authorize: () => true,
      extension: slowExtension(clock),
    });
    void this.#kubelet.run(dead);
  }

  crash(): void {
    this.#dead.abort();
  }

  async create(): Promise<void> {
    const name = `p${this.#made++}`;
    const kinds = ['good', 'slow', `once-${this.random.below(3000)}-${this.random.below(3)}`];
    const pick = (): string => kinds[this.random.below(kinds.length)] ?? 'good';
    const container = (own: string): { name: string; image: string; resources: object } => ({
      name: own,
      image: 'app',
      resources: {},
    });
    await this.api.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', generation: 1 },
      spec: {
        nodeName: 'n1',
        restartPolicy: ['Always', 'OnFailure', 'Never'][this.random.below(3)],
        terminationGracePeriodSeconds: 1 + this.random.below(5),
        ...(this.random.below(3) === 0 ? { initContainers: [container('once-50-0')] } : {}),
        containers: [container(pick()), container(`extra`)].slice(0, 1 + this.random.below(2)),
      },
      status: { phase: 'Pending' },
    });
  }

  /** As Mesos has it: containers come and go, and none runs twice. */
  async createExecutor(): Promise<void> {
    const name = `m${this.#made++}`;
    await this.api.create(pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default', generation: 1, labels: { [executorLabel]: 'yes' } },
      spec: {
        nodeName: 'n1',
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 1 + this.random.below(5),
        containers: [this.#task()],
      },
      status: { phase: 'Pending' },
    });
  }
  #task(): { readonly name: string; readonly image: string; readonly resources: object } {
    const kind = this.random.below(9) === 0 ? 'good' : this.random.below(5) ? 'once' : 'refused';
    const name = `${kind}-${this.random.below(2000)}-${this.random.below(2)}-${this.#made++}`;
    return { name, image: 'app', resources: {} };
  }
  /** What the server grants only to Pods that have not ended. */
  async grow(): Promise<void> {
    for (const seen of this.api.all(pods)) {
      const { labels, deletionTimestamp } = seen.metadata;
      if (labels?.[executorLabel] === undefined || deletionTimestamp !== undefined) continue;
      if (['Succeeded', 'Failed'].includes(seen.status.phase ?? '')) continue;
      const ended = (seen.status.containerStatuses ?? []).flatMap(({ name, state }) =>
        state.terminated !== undefined && this.random.below(3) === 0 ? [name] : [],
      );
      const kept = seen.spec.containers.filter(({ name }) => !ended.includes(name));
      const more = seen.spec.containers.length < 4 && this.#made < tasksMax;
      const containers = more && this.random.below(3) === 0 ? [...kept, this.#task()] : kept;
      if (containers.length === 0) continue;
      await this.api.update(pods, { ...seen, spec: { ...seen.spec, containers } });
    }
  }

  async step(): Promise<void> {
    const all = this.api.all(pods);
    const victim = all[this.random.below(Math.max(1, all.length))];
    switch (this.random.below(11)) {
      case 0:
      case 1:
      case 2:
        await this.create();
        break;
      case 3:
        if (victim !== undefined)
          await this.api.delete(pods, { namespace: 'default', name: victim.metadata.name });
        break;
      case 4: {
        // Into the middle of a start, an end or a cleaning up.
        if (this.random.below(2) === 0) await this.create();
        await this.clock.advance(this.random.below(15));
        this.crash();
        if (this.random.below(3) === 0 && victim !== undefined)
          await this.api
            .delete(
              pods,
              { namespace: 'default', name: victim.metadata.name },
              { gracePeriodSeconds: 0 },
            )
            .catch(() => undefined);
        await this.clock.advance(this.random.below(2000));
        this.start();
        break;
      }
      case 5: {
        const running = this.runtime.containers().filter(({ state }) => state === 'running');
        const hit = running[this.random.below(Math.max(1, running.length))];
        if (hit !== undefined) this.runtime.end(hit.id, 9);
        break;
      }
      case 8:
        await this.createExecutor();
        break;
      case 9:
      case 10:
        await this.grow();
        break;
      default:
    }
    await this.clock.advance(this.random.below(300));
    this.check();
  }

  check(): void {
    this.#kubelet?.check();
    for (const pod of this.api.all(pods)) {
      this.#checkExits(pod);
      this.#checkExecutor(pod);
    }
  }

  /** No container of an executor runs twice, and its Pod ends only when all of its spec have. */
  #checkExecutor({ metadata, spec, status }: Pod): void {
    if (metadata.labels?.[executorLabel] === undefined) return;
    for (const { name } of spec.containers)
      assert((this.#ran.get(`${metadata.uid}/${name}`)?.size ?? 0) <= 1, `${name} ran twice`);
    if (!['Succeeded', 'Failed'].includes(status.phase ?? '')) return;
    if (metadata.deletionTimestamp !== undefined) return;
    for (const { name } of spec.containers) {
      const told = status.containerStatuses?.find((one) => one.name === name);
      assert(told?.state.terminated !== undefined, `${metadata.name} ended without ${name}`);
    }
  }

  /** Whatever the API says of an end is what really happened. */
  #checkExits(pod: Pod): void {
    for (const { state, lastState, name } of pod.status.containerStatuses ?? []) {
      for (const terminated of [state.terminated, lastState.terminated]) {
        if (terminated?.containerID === undefined) continue;
        const real = this.#exits.get(terminated.containerID);
        assert.equal(terminated.exitCode, real, `exit code of ${pod.metadata.name}/${name}`);
      }
    }
  }

  /** When all is quiet: nothing orphaned, nothing forgotten. */
  checkQuiet(): void {
    const known = new Map(this.api.all(pods).map((pod) => [pod.metadata.uid, pod]));
    for (const { spec } of this.runtime.sandboxes())
      assert(known.has(spec.podUid), `Sandbox of ${spec.podName} is orphaned`);
    for (const { spec } of this.runtime.containers())
      assert(
        known.has(spec.labels['io.kubernetes.pod.uid'] ?? ''),
        `Container ${spec.name} is orphaned`,
      );
    for (const pod of known.values()) {
      assert.equal(pod.metadata.deletionTimestamp, undefined, `${pod.metadata.name} is gone`);
      const { phase } = pod.status;
      assert(
        ['Running', 'Succeeded', 'Failed'].includes(phase ?? ''),
        `${pod.metadata.name} is ${phase}`,
      );
      const running = this.runtime
        .containers()
        .filter(
          ({ spec, state }) =>
            state === 'running' && spec.labels['io.kubernetes.pod.uid'] === pod.metadata.uid,
        );
      if (phase !== 'Running') assert.deepEqual(running, [], `${pod.metadata.name} ended`);
      for (const status of pod.status.containerStatuses ?? [])
        if (status.state.running !== undefined)
          assert(
            running.some(({ id }) => status.containerID === `tandem://${id}`),
            `${pod.metadata.name}/${status.name} runs as it says`,
          );
    }
  }
}

async function simulate(seed: number): Promise<void> {
  const world = new World(seed);
  world.start();
  for (let step = 0; step < 60; step++) await world.step();
  await world.clock.advance(30_000);
  world.check();
  world.checkQuiet();
  for (const { metadata } of world.api.all(pods))
    if (metadata.deletionTimestamp === undefined)
      await world.api.delete(pods, { namespace: 'default', name: metadata.name });
  await world.clock.advance(30_000);
  assert.deepEqual(world.api.all(pods), []);
  world.checkQuiet();
  assert.deepEqual(await world.files.list('/pods'), []);
  world.crash();
}

test('Pods live through crashes of the agent: nothing doubled, orphaned or invented', {
  timeout: 120_000,
}, async () => {
  for (const seed of seedsFromEnvironment(6)) {
    try {
      await simulate(seed);
    } catch (cause) {
      throw new Error(`Replay with SEED=${seed}`, { cause });
    }
  }
});
