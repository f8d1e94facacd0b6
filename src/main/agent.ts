/** The agent: one node's kubelet, service proxy and DNS, wired to the server and to this machine. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Face, Logger } from '#base';
import { createHttpApi, createInformer, createRecorder } from '#client';
import type { EventRecorder, HttpApi, Informer } from '#client';
import {
  askDns,
  runNft,
  serve,
  serveDns,
  systemClock,
  systemFiles,
  systemProbeNet,
  systemRandom,
  tcpListens,
} from '#io';
import type { Served } from '#io';
import type { EndpointSlice, Node, Pod, Service } from '#kube/kinds';
import {
  addressesOfService,
  addressesOfSlice,
  clusterNames,
  dnsHandler,
  forwarding,
  mesosSpace,
} from '#net/dns';
import type { DnsHandler } from '#net/dns';
import { ServiceProxy, serviceOfSlice } from '#net/proxy';
import { createKubelet } from '#node/kubelet';
import type { KubeletOptions } from '#node/kubelet';
import { openOciRuntime, registrySettings } from '#node/runtime';
import type { Runtime } from '#node/runtime';
import { clientCredentials, servingCredentials } from './agent/credentials.ts';
import type { CredentialOptions } from './agent/credentials.ts';
import { endpointDropWait } from './agent/endpoint-drop.ts';
import { kubeletAuthorizer } from './agent/kubelet-auth.ts';
import {
  allowLocalhost,
  forgetConnections,
  frameOf,
  localBalancer,
} from './agent/local-balancer.ts';
import { guarded } from './agent/mesos-access.ts';
import { mesosAgent } from './agent/mesos.ts';
import { keepNodeRoutes } from './agent/node-routes.ts';
import { upstreamServers } from './agent/upstream.ts';
import { pkiDir } from './cluster/connect.ts';
import { joinTokenPath, logPath } from './cluster/start.ts';
import { lookupHost, mesosZone } from './cluster/mesos-zone.ts';
import { nodePaths } from './cluster/node-paths.ts';
import type { NodePaths } from './cluster/node-paths.ts';
import { planOf } from './cluster/plan.ts';
import type { ClusterPlan } from './cluster/plan.ts';
import { aborted, runProcess } from './process.ts';
import type { ProcessContext } from './process.ts';
import { endpointSlices, nodes, pods, services } from './resources.ts';
import { gitVersion } from './version.ts';

const clusterDomain = 'cluster.local';
const clock = systemClock;

await runProcess((config, node) => planOf(config).nodeName(node), agent);

interface AgentParts {
  readonly context: ProcessContext;
  readonly plan: ClusterPlan;
  readonly paths: NodePaths;
  readonly nodeIp: string;
  /** Range of this node's Pods, and the bridge's address in it. */
  readonly podCidr: string;
  readonly gateway: string;
  readonly api: HttpApi;
  readonly recorder: EventRecorder;
  readonly caches: Caches;
}

async function agent(context: ProcessContext): Promise<void> {
  const { config, node: index, logger, signal } = context;
  const plan = planOf(config);
  const paths = nodePaths(config, index);
  const nodeIp = plan.nodeIp(index);
  const podCidr = podRangeOf(plan.podRange, index);
  for (const dir of [paths.dataDir, paths.logDir]) mkdirSync(dir, { recursive: true, mode: 0o755 });
  // Volumes and secrets of Pods are nobody else's business; containers get them mounted.
  for (const dir of [paths.podDir, paths.memoryDir])
    mkdirSync(dir, { recursive: true, mode: 0o750 });
  const server = `https://${plan.hostIp}:${plan.ports.api}`;
  const ca = await authority(join(pkiDir(config), 'ca.crt'), signal);
  const credentials: CredentialOptions = {
    dir: paths.pkiDir,
    server,
    ca,
    nodeName: paths.name,
    nodeIp,
    clock,
    logger,
    signal,
    token: () => readFileSync(joinTokenPath(config), 'utf8').trim(),
  };
  const [pair, runtime] = await Promise.all([
    clientCredentials(credentials),
    openRuntime(context, { paths, plan, podCidr }),
  ]);
  allowLocalhost(plan.podBridge);
  if (plan.netns(index) !== undefined) allowLocalhost('eth0');
  const api = createHttpApi({ server, ca, ...pair, clock, userAgent: 'tandem-agent' });
  const recorder = createRecorder({ api, component: 'kubelet', host: paths.name, clock, logger });
  const caches = openCaches(api, { logger, nodeName: paths.name });
  const gateway = podCidr.replace(/\.0\/\d+$/, '.1');
  const parts = { context, plan, paths, nodeIp, podCidr, gateway, api, recorder, caches };
  const proxy = serviceProxy(parts);
  const mesos = mesosOf(parts, runtime);
  const kubelet = createKubelet({
    ...kubeletOptions(parts, runtime, proxy),
    extension: mesos.extension,
  });
  await using _dns = await serveDns({ address: gateway, port: 53, handler: namesOf(parts) });
  const running = [
    ...Object.values(caches).map((cache: Runs) => cache.run(signal)),
    proxy.run(signal),
    kubelet.run(signal),
    keepNodeRoutes({ nodes: caches.nodes, own: paths.name, signal, logger }),
    kubelet.registered.then(() => context.ready()),
  ];
  // The signer checks the addresses in the request against the Node, which must exist for that.
  await Promise.race([kubelet.registered, aborted(signal)]);
  signal.throwIfAborted();
  const serving = await servingCredentials(api, credentials);
  await using _face = await serve({
    face: (request) =>
      request.path === '/mesos/messages' && kubeletAuthorizer(request)
        ? mesos.messages(request)
        : kubelet.face(request),
    host: nodeIp,
    port: plan.ports.kubelet,
    clock,
    tls: { ...serving, clientCa: ca },
  });
  await using _mesos = await serveAgentFace(
    parts,
    guarded(mesos.face, { config, plan, nodeIp, api }),
  );
  await Promise.all(running);
}

/** Where tools and executors expect a Mesos agent; on loopback too when the node is the machine. */
async function serveAgentFace(
  { context, plan, nodeIp }: AgentParts,
  face: Face,
): Promise<AsyncDisposable> {
  const { logger, node } = context;
  const served: Served[] = [];
  const hosts = plan.netns(node) === undefined ? [nodeIp, '127.0.0.1'] : [nodeIp];
  for (const host of hosts)
    try {
      served.push(await serve({ face, host, port: plan.ports.mesosAgent, clock, logger }));
    } catch (error) {
      // Somebody else's 5051 must not keep a node from running Pods.
      logger.warn('The Mesos agent is not served', { host, error });
    }
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(served.map((one) => one.close(500)));
    },
  };
}

function mesosOf(parts: AgentParts, runtime: Runtime): ReturnType<typeof mesosAgent> {
  const { context, plan, paths, nodeIp, api } = parts;
  return mesosAgent({
    api,
    runtime,
    nodeName: paths.name,
    nodeIp,
    port: plan.ports.mesosAgent,
    masterHostname: plan.hostIp,
    logFile: logPath(context.config, paths.name),
    dataDir: paths.dataDir,
    logger: context.logger,
    signal: context.signal,
  });
}

interface Runs {
  run(signal: AbortSignal): Promise<void>;
}

function openRuntime(
  context: ProcessContext,
  of: { readonly paths: NodePaths; readonly plan: ClusterPlan; readonly podCidr: string },
): Promise<Runtime> {
  const { config, logger, node } = context;
  const { paths, plan, podCidr } = of;
  return openOciRuntime({
    cluster: config.name,
    node: paths.name,
    dataDir: join(paths.dataDir, 'runtime'),
    runDir: paths.runDir,
    imageDir: paths.imageDir,
    cgroupRoot: paths.cgroupRoot,
    network: { podCidr, bridge: plan.podBridge, mtu: 1500 },
    registries: registrySettings(
      join(config.dataDir, 'registries.json'),
      // The puller works in the host's network, where a registry on loopback is reachable.
      plan.netns(node) === undefined ? {} : { networkNamespace: '/proc/1/ns/net' },
    ),
    share: shareOf(config),
    clock,
    logger,
  });
}

function serviceProxy(parts: AgentParts): ServiceProxy {
  const { context, plan, paths, caches, gateway } = parts;
  const dns = ['udp', 'tcp'].map(
    (protocol) => [`${plan.dnsServiceIp}/${protocol}/53`, { ip: gateway, port: 53 }] as const,
  );
  return new ServiceProxy({
    services: caches.services,
    slices: caches.slices,
    localPods: caches.pods,
    place: { nodeName: paths.name, zone: undefined },
    frame: frameOf(plan),
    fixed: new Map(dns),
    clock,
    logger: context.logger,
    apply: runNft,
    ...(plan.netns(context.node) === undefined
      ? localBalancer(parts.recorder)
      : { forget: forgetConnections }),
  });
}

function kubeletOptions(parts: AgentParts, runtime: Runtime, proxy: ServiceProxy): KubeletOptions {
  const { context, plan, paths, nodeIp, podCidr, api, recorder } = parts;
  const { config, logger } = context;
  return {
    api,
    runtime,
    clock,
    random: systemRandom,
    logger,
    createInformer,
    recorder,
    files: systemFiles,
    net: systemProbeNet,
    listens: tcpListens,
    nodeName: paths.name,
    nodeIp,
    podCidr,
    version: gitVersion(),
    port: plan.ports.kubelet,
    clusterDns: plan.dnsServiceIp,
    clusterDomain,
    ...shareOf(config),
    dirs: {
      pods: paths.podDir,
      memory: paths.memoryDir,
      logs: paths.logDir,
      seccomp: join(config.dataDir, 'seccomp'),
    },
    authorize: kubeletAuthorizer,
    waitEndpointsDropped: endpointDropWait(proxy, { clock, others: config.nodes > 1 }),
  };
}

/** The order is the order of answers: further name spaces join before the forwarding. */
function namesOf(parts: AgentParts): DnsHandler {
  const { plan, caches, context } = parts;
  const cluster = clusterNames({
    services: caches.services,
    slices: caches.slices,
    zone: clusterDomain,
    ownAddress: ownAddress([plan.podRange, plan.serviceRange]),
  });
  const mesos = mesosSpace({
    api: parts.api,
    createInformer,
    clock,
    random: systemRandom,
    logger: context.logger,
    signal: context.signal,
    zone: mesosZone(plan, parts.gateway),
    lookup: lookupHost,
    openTasks: (feedSignal) => openTasks(parts, feedSignal),
  });
  const forward = forwarding({ servers: upstreamServers(), ask: askDns });
  return dnsHandler({ logger: context.logger, chain: [cluster, mesos, forward] });
}

/** Of other nodes' tasks an agent hears no more than their names. */
async function openTasks(
  { api, paths }: AgentParts,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const path = `/apis/mesos.tandem.dev/v1/agents/${encodeURIComponent(paths.name)}/names`;
  const { status, chunks } = await api.requestRaw({ path, signal });
  if (status !== 200) throw new Error(`Names of tasks were answered with ${status}`);
  return chunks;
}

interface Caches {
  readonly services: Informer<Service>;
  readonly slices: Informer<EndpointSlice>;
  readonly pods: Informer<Pod>;
  readonly nodes: Informer<Node>;
}

function openCaches(
  api: HttpApi,
  options: { readonly logger: Logger; readonly nodeName: string },
): Caches {
  const common = { clock, logger: options.logger };
  return {
    services: createInformer(api, services, {
      ...common,
      indexes: { clusterIP: addressesOfService },
    }),
    slices: createInformer(api, endpointSlices, {
      ...common,
      indexes: { service: serviceOfSlice, address: addressesOfSlice },
    }),
    pods: createInformer(api, pods, {
      ...common,
      fieldSelector: `spec.nodeName=${options.nodeName}`,
    }),
    nodes: createInformer(api, nodes, common),
  };
}

/** The server writes its authority when it starts for the first time, at the same time as we do. */
async function authority(path: string, signal: AbortSignal): Promise<string> {
  for (;;) {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await clock.sleep(10, signal);
    }
  }
}

/** "10.244.0.0/16" and 2 to "10.244.2.0/24". */
function podRangeOf(range: string, index: number): string {
  const [a, b] = range.split('.');
  return `${a}.${b}.${index}.0/24`;
}

/** Ranges of ours are whole /16 networks. */
function ownAddress(ranges: readonly string[]): (ip: string) => boolean {
  const fronts = ranges.map((range) => range.split('.').slice(0, 2).join('.').concat('.'));
  return (ip) => fronts.some((front) => ip.startsWith(front));
}

function shareOf(config: ProcessContext['config']): { cpuMillis?: number; memoryBytes?: number } {
  return {
    ...(config.nodeCpus === undefined ? {} : { cpuMillis: Math.round(config.nodeCpus * 1000) }),
    ...(config.nodeMemoryBytes === undefined ? {} : { memoryBytes: config.nodeMemoryBytes }),
  };
}
