/** The server: store, API, controllers and scheduler of one cluster, put on their ports. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Door } from '#apiserver';
import type { Face, Logger } from '#base';
import { createInformer, createRecorder } from '#client';
import { ensurePki, runNft, serve, systemClock, systemRandom } from '#io';
import type { Pki, Served } from '#io';
import { descriptions, endpointSlices, nodes, services } from '#kube/kinds';
import { createScheduler } from '#kube/scheduler';
import { createKubeServer, systemUser } from '#kube/server';
import type { KubeServer } from '#kube/server';
import { ServiceProxy, serviceOfSlice } from '#net/proxy';
import { describeMesos } from '#mesos/kinds';
import { createPool } from '#pool';
import type { Pool } from '#pool';
import { StoreFormatError, StoreInUseError, openMemoryStore, openSqliteStore } from '#store';
import type { Store } from '#store';
import { frameOf, localBalancer } from './agent/local-balancer.ts';
import { keepNodeRoutes } from './agent/node-routes.ts';
import { storePath } from './cluster/backup.ts';
import type { ClusterConfig } from './cluster/config.ts';
import { pkiDir } from './cluster/connect.ts';
import { planOf } from './cluster/plan.ts';
import type { ClusterPlan } from './cluster/plan.ts';
import { joinTokenPath } from './cluster/start.ts';
import { StartError, aborted, runProcess } from './process.ts';
import type { ProcessContext } from './process.ts';
import { bindThrough } from './server/bind.ts';
import { controllersOf } from './server/controllers.ts';
import { keepHistoryShort } from './server/history.ts';
import { MesosMessages } from './server/mesos-messages.ts';
import { MesosNamesFeed } from './server/mesos-names.ts';
import { serveMesos } from './server/mesos.ts';
import { clusterScheme } from './server/scheme.ts';
import { versionInfo } from './version.ts';

const clock = systemClock;
const issuer = 'https://kubernetes.default.svc.cluster.local';

await runProcess(() => 'server', server);

async function server(context: ProcessContext): Promise<void> {
  const { config, logger, signal } = context;
  const plan = planOf(config);
  mkdirSync(join(config.dataDir, 'server'), { recursive: true, mode: 0o700 });
  const [pki, store] = await Promise.all([keysOf(config, plan), openStore(config, logger)]);
  await using _store = store;
  const pool = createPool();
  const broken = new AbortController();
  const onStoreFailed = (error: Error): void => broken.abort(error);
  const messages = new MesosMessages();
  const names = new MesosNamesFeed();
  const doors = [messages.door, names.door];
  const kube = kubeServer({ config, plan, pki, store, pool, logger, onStoreFailed, doors });
  names.reads(kube.reader);
  await kube.start();
  await using _listeners = await listen(kube.face, { config, plan, pki });
  const faces = { config, plan, kube, pool, pki, messages, issuer, logger, signal };
  await using _mesos = await serveMesos(faces);
  context.ready();
  logger.info('Serving', { url: `https://127.0.0.1:${plan.ports.api}` });
  const running = [
    ...controllersOf({
      kube,
      plan,
      authorityPem: pki.authority.certificatePem,
      clock,
      random: systemRandom,
      logger,
    }).map((loop) => loop.run(signal)),
    schedule({ kube, pool, logger, signal }),
    keepHistoryShort({ store, clock, logger, signal }),
    ...(config.root && config.nodes > 1 ? [hostProxy({ kube, plan, logger, signal })] : []),
  ];
  await Promise.race([Promise.all(running), aborted(signal), aborted(broken.signal)]);
  // What is not in the store cannot be served: the supervisor starts a new process.
  broken.signal.throwIfAborted();
  await kube.stop();
}

function keysOf(config: ClusterConfig, plan: ClusterPlan): Promise<Pki> {
  return ensurePki(pkiDir(config), {
    clusterName: config.name,
    clock,
    hosts: config.root ? [plan.hostIp] : [],
    serviceAddress: plan.apiServiceIp,
    clusterDomain: 'cluster.local',
  });
}

async function openStore(config: ClusterConfig, logger: Logger): Promise<Store> {
  if (config.ephemeral) return openMemoryStore({ clock });
  try {
    return await openSqliteStore({ path: storePath(config), clock, logger });
  } catch (error) {
    if (error instanceof StoreFormatError || error instanceof StoreInUseError)
      throw new StartError(error.message, { cause: error });
    throw error;
  }
}

interface KubeParts {
  readonly config: ClusterConfig;
  readonly plan: ClusterPlan;
  readonly pki: Pki;
  readonly store: Store;
  readonly pool: Pool;
  readonly logger: Logger;
  readonly onStoreFailed: (error: Error) => void;
  readonly doors: readonly Door[];
}

function kubeServer(parts: KubeParts): KubeServer {
  const { config, plan, pki, store, pool, logger } = parts;
  const [id = '', secret = ''] = readFileSync(joinTokenPath(config), 'utf8').trim().split('.');
  return createKubeServer({
    store,
    pool,
    scheme: clusterScheme(),
    clock,
    random: systemRandom,
    logger,
    version: versionInfo(),
    pki,
    issuer,
    serviceRange: plan.serviceRange,
    // Pods reach the server at the cluster's bridge; without root there are no Pods.
    advertise: { address: plan.hostIp, port: plan.ports.api },
    bootstrapToken: { id, secret },
    publicAddress: `127.0.0.1:${plan.ports.api}`,
    describe: (type, field) => {
      const key = field === '' ? type : `${type}.${field}`;
      return Object.hasOwn(descriptions, key) ? descriptions[key] : describeMesos(type, field);
    },
    onStoreFailed: parts.onStoreFailed,
    doors: parts.doors,
  });
}

/** On loopback, and where there are nodes on the cluster's own bridge. */
async function listen(
  face: Face,
  of: { readonly config: ClusterConfig; readonly plan: ClusterPlan; readonly pki: Pki },
): Promise<AsyncDisposable> {
  const { config, plan, pki } = of;
  const tls = {
    key: pki.server.keyPem,
    cert: pki.server.certificatePem,
    clientCa: pki.authority.certificatePem,
  };
  const served: Served[] = [];
  try {
    for (const host of config.root ? ['127.0.0.1', plan.hostIp] : ['127.0.0.1'])
      served.push(await serve({ face, host, port: plan.ports.api, clock, tls }));
  } catch (error) {
    for (const one of served) await one.close();
    const text = error instanceof Error ? error.message : String(error);
    throw new StartError(text, { cause: error });
  }
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(served.map((one) => one.close(500)));
    },
  };
}

function schedule(parts: {
  readonly kube: KubeServer;
  readonly pool: Pool;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { kube, pool, logger, signal } = parts;
  const api = kube.apiFor(systemUser);
  const recorder = createRecorder({
    api,
    clock,
    component: 'default-scheduler',
    style: 'events',
    logger,
  });
  const scheduler = createScheduler({
    api,
    pool,
    bindMany: bindThrough(kube),
    clock,
    random: systemRandom,
    recorder,
    logger,
  });
  return scheduler.run(signal);
}

/** With several nodes the host is in front of them: it balances, and knows the way to their Pods. */
async function hostProxy(parts: {
  readonly kube: KubeServer;
  readonly plan: ClusterPlan;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { kube, plan, logger, signal } = parts;
  const api = kube.apiFor(systemUser);
  const serviceCache = createInformer(api, services, { clock, logger });
  const slices = createInformer(api, endpointSlices, {
    clock,
    logger,
    indexes: { service: serviceOfSlice },
  });
  const nodeCache = createInformer(api, nodes, { clock, logger });
  const recorder = createRecorder({ api, clock, component: 'service-proxy', logger });
  const proxy = new ServiceProxy({
    services: serviceCache,
    slices,
    place: { nodeName: undefined, zone: undefined },
    frame: frameOf(plan),
    fixed: new Map(),
    clock,
    logger,
    apply: runNft,
    ...localBalancer(recorder),
  });
  await Promise.all([
    serviceCache.run(signal),
    slices.run(signal),
    nodeCache.run(signal),
    proxy.run(signal),
    keepNodeRoutes({ nodes: nodeCache, own: undefined, signal, logger }),
  ]);
}
