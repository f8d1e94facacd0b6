import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base';
import type {
  ObjectChange,
  ObjectUpdate,
  PreparedCreate,
  PreparedGroup,
  Reader,
  UpdateResult,
} from '#apiserver';
import { pods, type Node, type Pod } from '#kube/kinds';
import { StatusError } from '#machinery';
import type { Draft, GroupResult, KubeObject, NewObject, ResourceName } from '#machinery';
import { createPool } from '#pool';
import { createSimClock, seededRandom, type SeededRandom } from '#sim';
import { PodLedger } from './pod-ledger.ts';

type Listener = (change: ObjectChange) => void;

/** Objects and who watches them; writes land in the cache at once, or fail as the seed has it. */
class World {
  readonly objects = new Map<string, Map<string, KubeObject>>();
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #random: SeededRandom;
  constructor(random: SeededRandom) {
    this.#random = random;
  }
  of(plural: string): Map<string, KubeObject> {
    let found = this.objects.get(plural);
    if (found === undefined) this.objects.set(plural, (found = new Map()));
    return found;
  }
  put(plural: string, key: string, object: KubeObject | undefined): void {
    const old = this.of(plural).get(key);
    if (object === undefined) this.of(plural).delete(key);
    else this.of(plural).set(key, object);
    for (const listener of this.#listeners.get(plural) ?? []) listener({ key, object, old });
  }
  forget(): void {
    this.#listeners.clear();
  }
  // The world holds for each resource the objects of its kind: the name says which.
  readonly reader = {
    get: (resource: ResourceName, name: string, namespace = '') =>
      this.of(resource.plural).get(namespace === '' ? name : `${namespace}/${name}`),
    list: (resource: ResourceName) => [...this.of(resource.plural).values()],
    onChange: (resource: ResourceName, listener: Listener) => {
      const all = this.#listeners.get(resource.plural) ?? new Set();
      this.#listeners.set(resource.plural, all.add(listener));
      return { [Symbol.dispose]: () => void all.delete(listener) };
    },
  } as unknown as Reader;
  readonly server = {
    updateMany: async <T extends KubeObject>(
      updates: readonly ObjectUpdate<T>[],
    ): Promise<readonly UpdateResult<T>[]> => {
      await Promise.resolve();
      return updates.map(({ resource, name, namespace = '', change }) => {
        const key = `${namespace}/${name}`;
        const stored = this.of(resource.plural).get(key);
        if (stored === undefined || this.#random.below(10) === 0)
          return { ok: false, error: new Error('the disk is full') };
        const draft = structuredClone(stored) as unknown as Draft<T>;
        try {
          change(draft);
        } catch (error) {
          return { ok: false, error };
        }
        this.put(resource.plural, key, draft as unknown as KubeObject);
        return { ok: true, object: draft as unknown as T };
      });
    },
    prepareCreate: (object: NewObject): PreparedCreate => ({
      prepared: true,
      kind: pods,
      key: `${object.metadata.namespace}/${object.metadata.name}`,
      draft: structuredClone(object) as unknown as Draft<KubeObject>,
      value: new Uint8Array(),
    }),
    writeMany: async (groups: readonly PreparedGroup[]): Promise<readonly GroupResult[]> => {
      await Promise.resolve();
      return groups.map((group) => this.#writeGroup(group));
    },
  };

  /** Pods of a group whole or not at all; what else is in it is not looked at. */
  #writeGroup(group: PreparedGroup): GroupResult {
    const [write] = group;
    const stored = this.of('pods');
    try {
      if (
        write === undefined ||
        'delete' in write ||
        'create' in write ||
        this.#random.below(8) === 0
      )
        throw new StatusError('InternalError', 'the disk is full');
      if ('prepared' in write) {
        if (stored.has(write.key)) throw new StatusError('AlreadyExists', 'it is there');
        this.put('pods', write.key, write.draft as KubeObject);
        return { ok: true, objects: [write.draft as KubeObject] };
      }
      const key = `${write.target.namespace}/${write.target.name}`;
      const draft = structuredClone(stored.get(key)) as unknown as Draft<KubeObject>;
      if (!stored.has(key)) throw new StatusError('NotFound', 'it is gone');
      write.change(draft);
      this.put('pods', key, draft as KubeObject);
      return { ok: true, objects: [draft as KubeObject] };
    } catch (error) {
      assert.ok(error instanceof StatusError);
      return { ok: false, error };
    }
  }
}

const heldPorts = 'mesos.tandem.dev/held-ports';

function container(name: string, cpu: number) {
  return { name, image: 'i', resources: { requests: { cpu: `${cpu}` } } };
}
function pod(name: string, cpu: number, node: string | undefined): Pod {
  const made = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'd', uid: name },
    spec: { containers: [container('c', cpu)], ...(node !== undefined && { nodeName: node }) },
    status: { phase: 'Pending' },
  };
  return made as unknown as Pod;
}
function node(name: string): Node {
  const status = { allocatable: { cpu: '4', memory: '4Gi', pods: '10' } };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    spec: {},
    status,
  } as unknown as Node;
}

function namespace(role: string | undefined): KubeObject {
  const labels = role === undefined ? {} : { 'tandem.dev/role': role };
  const metadata = { name: 'd', labels };
  return { apiVersion: 'v1', kind: 'Namespace', metadata } as unknown as KubeObject;
}

/** Pods that come with their node and hold a port, of which there are too few for all. */
function launches(step: number, random: SeededRandom) {
  return Array.from({ length: 1 + random.below(3) }, (_, index) => {
    const made = pod(`p${random.below(4) === 0 ? step - 1 : step}-${index}`, 1, nodeNames[index]);
    const port = 31_000 + random.below(4);
    const metadata = { ...made.metadata, annotations: { [heldPorts]: `${port}-${port + 1}` } };
    return { pod: { ...made, metadata } as unknown as NewObject<Pod>, tasks: [] };
  });
}
function growthOf(one: Pod, step: number, random: SeededRandom) {
  const { name, uid } = one.metadata;
  const to = { namespace: 'd', podName: name, podUID: uid, tasks: [] };
  if (random.below(3) === 0)
    return { ...to, requests: { cpu: `${1 + random.below(4)}` }, heldPorts: '31001-31002' };
  const added = container(`c${step}`, 1) as unknown as Pod['spec']['containers'][number];
  return random.below(3) === 0 ? { ...to, prune: ['c'] } : { ...to, containers: [added] };
}

const nodeNames = ['n0', 'n1', 'n2'];
const steps = 120;

async function simulate(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const world = new World(random);
  const open = (): PodLedger => {
    const ledger = new PodLedger({
      pool: createPool(),
      reader: world.reader,
      server: world.server,
      clock: createSimClock(),
      logger: silentLogger,
    });
    ledger.open();
    ledger.rebuild();
    return ledger;
  };
  world.put('namespaces', 'd', namespace(undefined));
  for (const name of nodeNames) world.put('nodes', name, node(name));
  let ledger = open();
  const anyPod = (): Pod | undefined => {
    const all = [...world.of('pods').values()];
    return all[random.below(Math.max(1, all.length))] as Pod | undefined;
  };
  const change = (one: Pod | undefined, status: object): void => {
    if (one !== undefined) world.put('pods', `d/${one.metadata.name}`, { ...one, status } as Pod);
  };
  for (let step = 0; step < steps; step++) {
    const name = nodeNames[random.below(3)] ?? 'n0';
    const action = random.below(11);
    if (action < 2) {
      const given = random.below(6) === 0 ? name : undefined;
      world.put('pods', `d/p${step}`, pod(`p${step}`, 1 + random.below(3), given));
    } else if (action < 4) {
      const waiting = [...world.of('pods').values()].slice(0, 4);
      const bindings = waiting.map(({ metadata }) => ({
        namespace: 'd',
        name: metadata.name,
        node: name,
      }));
      await ledger.bindMany(bindings);
    } else if (action === 4) change(anyPod(), { phase: random.below(2) ? 'Failed' : 'Succeeded' });
    else if (action === 5) {
      const one = anyPod();
      if (one !== undefined) world.put('pods', `d/${one.metadata.name}`, undefined);
    } else if (action === 6) {
      world.put('nodes', name, world.of('nodes').has(name) ? undefined : node(name));
    } else if (action === 7) {
      await ledger.launch(launches(step, random));
    } else if (action === 8) {
      const some = [anyPod(), anyPod(), anyPod()].filter((one) => one !== undefined);
      // Two at once, as the master has it when frameworks answer at the same time.
      await Promise.all([
        ledger.grow(some.map((one) => growthOf(one, step, random))),
        ledger.grow(some.slice(0, 1).map((one) => growthOf(one, step + 1000, random))),
      ]);
    } else if (action === 9) {
      world.put('namespaces', 'd', namespace(random.below(2) ? 'dev' : undefined));
    } else {
      // A crash: nothing is left but what is stored.
      ledger[Symbol.dispose]();
      world.forget();
      ledger = open();
    }
    // Pods that came with a node and found no room are failed by a write of their own.
    for (let turn = 0; turn < 4; turn++) await Promise.resolve();
    ledger.check();
  }
}

test('The ledger follows Pods and nodes through whatever comes, and through crashes', async () => {
  const given = process.env['SEED'];
  const seeds =
    given === undefined ? Array.from({ length: 60 }, (_, seed) => seed) : [Number(given)];
  for (const seed of seeds) await assert.doesNotReject(simulate(seed), `Replay with SEED=${seed}`);
});

function opened(world: World, server: World['server'] = world.server) {
  const pool = createPool();
  const ledger = new PodLedger({
    pool,
    reader: world.reader,
    server,
    clock: createSimClock(),
    logger: silentLogger,
  });
  ledger.open();
  ledger.rebuild();
  return { ledger, pool };
}
function withStatus(one: Pod, status: object): Pod {
  return { ...one, status } as unknown as Pod;
}
const phaseOf = (world: World, name: string): string | undefined =>
  (world.of('pods').get(`d/${name}`) as Pod | undefined)?.status.phase;
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

test('A Pod that finds no room holds none, however far its kubelet comes meanwhile', async () => {
  const world = new World({ ...seededRandom(1), below: () => 1 });
  world.put('nodes', 'n0', node('n0'));
  const { ledger, pool } = opened(world);
  world.put('pods', 'd/a', pod('a', 4, 'n0'));
  const late = pod('late', 1, 'n0');
  world.put('pods', 'd/late', late);
  const startTime = '2026-01-01T00:00:00Z';
  world.put('pods', 'd/late', withStatus(late, { phase: 'Pending', startTime }));
  assert.equal(pool.claim('pod/d/late'), undefined);
  await turns();
  assert.equal(phaseOf(world, 'late'), 'Failed');
  // What was under way at the kubelet comes after it.
  world.put('pods', 'd/late', withStatus(late, { phase: 'Running', startTime }));
  assert.equal(pool.claim('pod/d/late'), undefined);
  await turns();
  assert.equal(phaseOf(world, 'late'), 'Failed');
  ledger.check();
  pool.check();
});

test('A Pod that finds no room while nothing can be written is failed later', async () => {
  const world = new World({ ...seededRandom(1), below: () => 1 });
  world.put('nodes', 'n0', node('n0'));
  let full = true;
  const { updateMany } = world.server;
  const { pool } = opened(world, {
    ...world.server,
    updateMany: (updates) =>
      full
        ? Promise.reject(new StatusError('InternalError', 'the disk is full'))
        : updateMany(updates),
  });
  world.put('pods', 'd/late', pod('late', 5, 'n0'));
  await turns();
  assert.equal(phaseOf(world, 'late'), 'Pending');
  full = false;
  // Its kubelet says something of it.
  const startTime = '2026-01-01T00:00:00Z';
  world.put('pods', 'd/late', withStatus(pod('late', 5, 'n0'), { phase: 'Pending', startTime }));
  await turns();
  assert.equal(phaseOf(world, 'late'), 'Failed');
  assert.equal(pool.claim('pod/d/late'), undefined);
});

test('A Pod that ended is not given room again by what its kubelet says late', async () => {
  const world = new World({ ...seededRandom(1), below: () => 1 });
  world.put('nodes', 'n0', node('n0'));
  const startTime = '2026-01-01T00:00:00Z';
  world.put('pods', 'd/a', withStatus(pod('a', 4, 'n0'), { phase: 'Running', startTime }));
  world.put('pods', 'd/late', withStatus(pod('late', 1, 'n0'), { phase: 'Failed' }));
  const { pool } = opened(world);
  world.put('pods', 'd/late', withStatus(pod('late', 1, 'n0'), { phase: 'Running', startTime }));
  assert.equal(pool.claim('pod/d/late'), undefined);
  await turns();
  assert.equal(phaseOf(world, 'late'), 'Failed');
});

test('A Pod that was about to find no room when the server died finds none after it', async () => {
  const world = new World({ ...seededRandom(1), below: () => 1 });
  world.put('nodes', 'n0', node('n0'));
  world.put('pods', 'd/early', pod('early', 1, 'n0'));
  const conditions = [{ type: 'PodScheduled', status: 'True' }];
  world.put('pods', 'd/bound', withStatus(pod('bound', 2, 'n0'), { phase: 'Pending', conditions }));
  const [launch] = launches(1, seededRandom(1));
  assert(launch !== undefined);
  const task = launch.pod as unknown as Pod;
  const spec = { ...task.spec, containers: [container('c', 2)] };
  world.put('pods', 'd/task', {
    ...task,
    metadata: { ...task.metadata, name: 'task' },
    spec,
  } as Pod);
  const { ledger, pool } = opened(world);
  assert.notEqual(pool.claim('pod/d/bound'), undefined);
  assert.notEqual(pool.claim('pod/d/task'), undefined);
  await turns();
  assert.equal(pool.claim('pod/d/early'), undefined);
  assert.equal(phaseOf(world, 'early'), 'Failed');
  ledger.check();
  pool.check();
});
