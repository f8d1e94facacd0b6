import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Draft } from '#machinery';
import type { Pod } from '#kube/kinds';
import type { ContainerSpec } from '#node/runtime';
import { PodRefused } from './extension.ts';
import type { PodExtension } from './extension.ts';
import { pods } from './resources.ts';
import { createPod, read, world } from './world.test.ts';
import type { Spec, World } from './world.test.ts';

/** Writes down what it is asked, and refuses what a test wants refused. */
class Notes implements PodExtension {
  readonly calls: string[] = [];
  readonly forbidden = new Map<string, { reason: string; message: string }>();
  prepareError: Error | undefined;
  containerError: Error | undefined;
  wakeUp: (podUid: string) => void = () => undefined;
  untold: Promise<void> = Promise.resolve();

  handles(pod: Pod): boolean {
    return pod.metadata.name.startsWith('m');
  }
  async prepare(pod: Pod): Promise<void> {
    this.calls.push(`prepare ${pod.metadata.name}`);
    const error = this.prepareError;
    this.prepareError = undefined;
    if (error !== undefined) throw error;
  }
  async prepareContainer(_pod: Pod, name: string): Promise<void> {
    this.calls.push(`container ${name}`);
    const error = this.containerError;
    this.containerError = undefined;
    if (error !== undefined) throw error;
  }
  containerSpec(_pod: Pod, spec: ContainerSpec): ContainerSpec {
    return { ...spec, env: [...spec.env, { name: 'MESOS_SANDBOX', value: '/s' }] };
  }
  forbids(_pod: Pod, name: string): { reason: string; message: string } | undefined {
    return this.forbidden.get(name);
  }
  async beforeStop(_pod: Pod, name: string, graceMs: number): Promise<void> {
    this.calls.push(`stop ${name} ${graceMs}`);
    await new Promise(() => undefined);
  }
  told(): Promise<void> {
    return this.untold;
  }
  async ended(pod: Pod): Promise<void> {
    this.calls.push(`ended ${pod.metadata.name}`);
  }
  onWake(wake: (podUid: string) => void): void {
    this.wakeUp = wake;
  }
  released(pod: Pod): void {
    this.calls.push(`released ${pod.metadata.name}`);
  }
}

const never: Spec = { restartPolicy: 'Never' };

async function change(w: World, name: string, edit: (draft: Draft<Pod>) => void): Promise<void> {
  const draft = structuredClone(await read(w.api, name)) as Draft<Pod>;
  edit(draft);
  await w.api.update(pods, draft as Pod);
  await w.clock.advance(50);
}
function container(name: string): Draft<Pod>['spec']['containers'][number] {
  return { name, image: 'app', resources: {} };
}
function states(pod: Pod): readonly string[] {
  return (pod.status.containerStatuses ?? []).map(
    ({ name, state }) => `${name} ${Object.keys(state)[0]} ${state.terminated?.reason ?? ''}`,
  );
}

test('A Pod is tidied up when the end of its container was told', async () => {
  const notes = new Notes();
  const w = await world({}, { extension: notes });
  await createPod(w.api, 'm', never);
  await w.clock.advance(100);
  const telling = Promise.withResolvers<void>();
  notes.untold = telling.promise;
  const [one] = w.runtime.containers();
  w.runtime.end(one?.id ?? '', 0);
  await w.clock.advance(100);
  assert.deepEqual(states(await read(w.api, 'm')), ['c running ']);
  telling.resolve();
  await w.clock.advance(100);
  assert.deepEqual(states(await read(w.api, 'm')), ['c terminated Completed']);
  await w.stop();
});

test('The extension prepares its Pods, has the last word, and is told when they are gone', async () => {
  const notes = new Notes();
  const w = await world({}, { extension: notes });
  await createPod(w.api, 'm', never);
  await createPod(w.api, 'other');
  await w.clock.advance(100);
  assert.deepEqual(notes.calls, ['prepare m', 'container c']);
  const mine = w.runtime.containers().find(({ spec }) => spec.logPath.includes('_m_'));
  assert.ok(mine?.spec.env.some(({ name }) => name === 'MESOS_SANDBOX'));
  await w.restart();
  await w.api.delete(pods, { namespace: 'default', name: 'm' });
  await w.clock.advance(40_000);
  assert.deepEqual(notes.calls.slice(2), ['stop c 30000', 'ended m', 'released m']);
  await w.stop();
});

test('A Pod that is refused fails with the reason; another trouble is tried again', async () => {
  const notes = new Notes();
  notes.prepareError = new PodRefused('NoFetch', 'it cannot be had');
  const w = await world({}, { extension: notes });
  await createPod(w.api, 'm', never);
  await w.clock.advance(100);
  const { status } = await read(w.api, 'm');
  assert.deepEqual(
    [status.phase, status.reason, status.message],
    ['Failed', 'NoFetch', 'it cannot be had'],
  );
  notes.prepareError = new Error('a moment');
  await createPod(w.api, 'm2', never);
  await w.clock.advance(2000);
  assert.equal((await read(w.api, 'm2')).status.phase, 'Running');
  assert.deepEqual(w.runtime.starts.length, 1);
  await w.stop();
});

test('Containers appended to a Pod start beside those that run, those taken out go', async () => {
  const notes = new Notes();
  const w = await world({}, { extension: notes });
  await createPod(w.api, 'm', never);
  await w.clock.advance(100);
  const [first] = w.runtime.containers();
  await change(w, 'm', ({ spec }) => spec.containers.push(container('d')));
  assert.deepEqual(notes.calls, ['prepare m', 'container c', 'container d']);
  assert.equal(w.runtime.container(first?.id ?? '')?.state, 'running');
  assert.deepEqual(states(await read(w.api, 'm')), ['c running ', 'd running ']);
  await change(w, 'm', (draft) => {
    draft.spec.containers = draft.spec.containers.filter(({ name }) => name === 'd');
  });
  await w.clock.advance(40_000);
  assert.deepEqual(
    w.runtime.containers().map(({ spec, state }) => `${spec.name} ${state}`),
    ['d running'],
  );
  assert.equal((await read(w.api, 'm')).status.phase, 'Running');
  await w.stop();
});

test('A container that is refused counts as ended, also for an agent that was restarted', async () => {
  const notes = new Notes();
  const w = await world({}, { extension: notes });
  await createPod(w.api, 'm', never);
  await w.clock.advance(100);
  notes.containerError = new PodRefused('NoFetch', 'it cannot be had');
  await change(w, 'm', ({ spec }) => spec.containers.push(container('d')));
  const before = await read(w.api, 'm');
  assert.deepEqual(states(before), ['c running ', 'd terminated NoFetch']);
  assert.equal(before.status.containerStatuses?.[1]?.state.terminated?.exitCode, 128);
  await w.restart();
  await w.clock.advance(20_000);
  assert.deepEqual(states(await read(w.api, 'm')), ['c running ', 'd terminated NoFetch']);
  assert.equal(w.runtime.starts.length, 1);
  await w.stop();
});

test('What the extension forbids never starts; a Pod of nothing else ends', async () => {
  const notes = new Notes();
  const w = await world({ pullMs: 60_000, images: [], registry: ['app'] }, { extension: notes });
  await createPod(w.api, 'm', never);
  await w.clock.advance(100);
  const { uid } = (await read(w.api, 'm')).metadata;
  notes.forbidden.set('c', { reason: 'Killed', message: 'killed before it ran' });
  notes.wakeUp(uid);
  await w.clock.advance(100);
  const { status } = await read(w.api, 'm');
  assert.equal(status.phase, 'Failed');
  await w.clock.advance(120_000);
  assert.deepEqual(w.runtime.starts, []);
  await w.stop();
});

test('An append that was granted before the end was told keeps the Pod alive', async () => {
  const notes = new Notes();
  const program = () => ({ exitAfterMs: 1000 });
  const w = await world({ program }, { extension: notes });
  await createPod(w.api, 'm', never);
  await w.clock.advance(500);
  // The append reaches the server at the very moment at which the agent tells of the end.
  let raced = false;
  w.patches.before = async (body) => {
    const { status } = body as { status?: { phase?: string } };
    if (raced || status?.phase !== 'Succeeded') return;
    raced = true;
    const draft = structuredClone(await read(w.api, 'm')) as Draft<Pod>;
    draft.spec.containers.push(container('d'));
    await w.api.update(pods, draft as Pod);
  };
  await w.clock.advance(1000);
  assert.ok(raced);
  assert.equal((await read(w.api, 'm')).status.phase, 'Running');
  await w.clock.advance(2000);
  const { status } = await read(w.api, 'm');
  assert.deepEqual([status.phase, status.containerStatuses?.length], ['Succeeded', 2]);
  assert.equal(w.runtime.starts.length, 2);
  await w.stop();
});

test('A Pod that gets a container with a volume of its own mounts it', async () => {
  const { api, clock, runtime, stop } = await world();
  await createPod(api, 'a', { containers: [{ name: 'c', image: 'app', resources: {} }] });
  await clock.advance(50);
  const mount = { name: 'v1-0', mountPath: '/x' };
  const more = { name: 'd', image: 'app', resources: {}, volumeMounts: [mount] };
  const pod = await read(api, 'a');
  await api.patch(
    pods,
    { namespace: 'default', name: 'a' },
    {
      type: 'merge',
      body: {
        spec: {
          containers: [...pod.spec.containers, more],
          volumes: [{ name: 'v1-0', hostPath: { path: '/srv', type: '' } }],
        },
      },
    },
  );
  await clock.advance(50);
  const added = runtime.containers().find(({ spec }) => spec.name === 'd');
  assert.equal(
    added?.spec.mounts.find(({ containerPath }) => containerPath === '/x')?.hostPath,
    '/srv',
  );
  await stop();
});
