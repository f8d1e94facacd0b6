import { join } from 'node:path';
import type { Face, Logger } from '#base';
import { createInformer } from '#client';
import type { HttpApi } from '#client';
import {
  logVerbosely,
  systemClock,
  systemFetchTools,
  systemProbeNet,
  systemRandom,
  systemSandboxFiles,
} from '#io';
import type { ResourceName } from '#machinery';
import type { Executors, FrameworkMessage } from '#node/executors';
import { PodRefused } from '#node/kubelet';
import type { PodExtension } from '#node/kubelet';
import type { Runtime } from '#node/runtime';
import { agentAccess } from './mesos-access.ts';
import { systemStats } from '../system-stats.ts';
import { mesosVersion } from '../version.ts';

export interface MesosAgentParts {
  readonly api: HttpApi;
  readonly runtime: Runtime;
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly port: number;
  readonly masterHostname: string;
  /** This process' own log. */
  readonly logFile: string;
  readonly dataDir: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

const messageBytesMax = 1024 * 1024;
/** Without a server the face says that it has not recovered, after this. */
const syncMsMax = 2000;
const recoverRetryMs = 1000;
const agents: ResourceName = {
  group: 'mesos.tandem.dev',
  version: 'v1',
  kind: 'Agent',
  plural: 'agents',
  namespaced: false,
};

const tasks: ResourceName = {
  group: 'mesos.tandem.dev',
  version: 'v1',
  kind: 'Task',
  plural: 'tasks',
  namespaced: true,
};

/** Label that the master puts on every Pod of a framework. */
const frameworkLabel = 'mesos.tandem.dev/framework-id';

/**
 * The Mesos side of the agent, loaded with the first Pod of a framework or the first request: a node
 * without Mesos pays nothing for it.
 */
export function mesosAgent(parts: MesosAgentParts): {
  readonly extension: PodExtension;
  readonly face: Face;
  /** For the kubelet's port: POST `/mesos/messages`, a framework's message to an executor here. */
  readonly messages: Face;
} {
  let loaded: Executors | undefined;
  let wake: ((podUid: string) => void) | undefined;
  let loading: Promise<Executors> | undefined;
  let known: Promise<void> | undefined;
  const load = (): Promise<Executors> => {
    loading ??= start(parts).then((executors) => {
      loaded = executors;
      if (wake !== undefined) executors.extension.onWake(wake);
      return executors;
    });
    return loading;
  };
  const extension: PodExtension = {
    handles: (pod) => pod.metadata.labels?.[frameworkLabel] !== undefined,
    prepare: async (pod, signal) => (await load()).extension.prepare(pod, signal),
    prepareContainer: async (pod, name, signal) =>
      (await load()).extension.prepareContainer(pod, name, signal),
    pullSecrets: async (pod, name) => (await load()).extension.pullSecrets(pod, name),
    sandboxSpec: async (pod, spec) => (await load()).extension.sandboxSpec(pod, spec),
    containerSpec: async (pod, spec) => (await load()).extension.containerSpec(pod, spec),
    forbids: (pod, name) => loaded?.extension.forbids(pod, name),
    beforeStop: async (pod, name, graceMs) =>
      (await load()).extension.beforeStop(pod, name, graceMs),
    ended: async (pod) => (await load()).extension.ended(pod),
    onWake(wakeUp) {
      wake = wakeUp;
      loaded?.extension.onWake(wakeUp);
    },
    released: (pod) => void load().then((executors) => executors.extension.released(pod)),
  };
  void recover(parts, load);
  return {
    extension,
    async face(request) {
      const { face, synced } = await load();
      // Whoever asks first must not take a part that is loaded late for an agent that recovers.
      known ??= Promise.race([synced, systemClock.sleep(syncMsMax)]);
      await known;
      return face(request);
    },
    async messages(request) {
      const text = Buffer.from(await request.body(messageBytesMax)).toString('utf8');
      const there = (await load()).message(JSON.parse(text) as FrameworkMessage);
      return { status: there ? 202 : 404, headers: {} };
    },
  };
}

/** Tasks that an agent before this one had are looked after even when their Pods are gone. */
async function recover(parts: MesosAgentParts, load: () => Promise<unknown>): Promise<void> {
  const { api, nodeName, signal } = parts;
  const fieldSelector = `spec.nodeName=${nodeName}`;
  while (!signal.aborted) {
    try {
      const { items } = await api.list(tasks, { fieldSelector, limit: 1, signal });
      if (items.length > 0) await load();
      return;
    } catch {
      // The server starts at the same time: it is asked until it answers.
      await systemClock.sleep(recoverRetryMs, signal).catch(() => undefined);
    }
  }
}

async function start(parts: MesosAgentParts): Promise<Executors> {
  const { createExecutors } = await import('#node/executors');
  const { logger, signal } = parts;
  const executors = createExecutors({
    api: parts.api,
    createInformer,
    runtime: parts.runtime,
    files: systemSandboxFiles,
    fetchTools: systemFetchTools,
    net: systemProbeNet,
    clock: systemClock,
    random: systemRandom,
    logger,
    nodeName: parts.nodeName,
    nodeIp: parts.nodeIp,
    // As the master names this machine in offers: an address resolves everywhere.
    hostname: parts.nodeIp,
    port: parts.port,
    dataDir: join(parts.dataDir, 'mesos'),
    version: mesosVersion,
    refuse: (reason, message) => new PodRefused(reason, message),
    masterHostname: parts.masterHostname,
    access: agentAccess,
    logFile: parts.logFile,
    systemStats,
    logLevel: (level) => logVerbosely(level > 0),
    async sendToFramework(message) {
      const { api, nodeName } = parts;
      await api.post(agents, { name: nodeName, subresource: 'messages' }, message);
    },
  });
  executors.run(signal).catch((error: unknown) => {
    if (!signal.aborted) logger.error('The Mesos agent ended', { error });
  });
  return executors;
}
