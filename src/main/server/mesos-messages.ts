import type { Door } from '#apiserver';
import { createBackendClient } from '#io';
import type { Pki } from '#io';
import { nodes } from '#kube/kinds';
import { kubeletTarget } from '#kube/server';
import type { KubeServer } from '#kube/server';
import { badRequest } from '#machinery';
import type { AgentDoor, FrameworkMessage } from '#mesos/master';

const bytesMax = 1024 * 1024;
const answerMsMax = 5000;

/** Messages between frameworks and custom executors: they may be lost, and are kept nowhere. */
export class MesosMessages {
  #receive: ((message: FrameworkMessage) => void) | undefined;

  /** POST `agents/<node>/messages`: an executor's message to its framework, from the node's agent. */
  readonly door: Door = {
    group: 'mesos.tandem.dev',
    resource: 'agents',
    subresource: 'messages',
    handle: async ({ request }) => {
      const bytes = await request.body(bytesMax);
      this.#receive?.(messageOf(Buffer.from(bytes).toString('utf8')));
      return { status: 202, headers: {} };
    },
  };

  onMessage(receive: (message: FrameworkMessage) => void): void {
    this.#receive = receive;
  }
}

function messageOf(text: string): FrameworkMessage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw badRequest('the message is not JSON');
  }
  const given = (value ?? {}) as Readonly<Record<string, unknown>>;
  const field = (name: string): string => {
    const one = Object.hasOwn(given, name) ? given[name] : undefined;
    if (typeof one !== 'string') throw badRequest(`${name}: must be a string`);
    return one;
  };
  return {
    frameworkID: field('frameworkID'),
    executorID: field('executorID'),
    agentID: field('agentID'),
    data: field('data'),
  };
}

/** The way to a node's agent: its kubelet's port, with the API server's certificate. */
export function agentDoor(kube: KubeServer, pki: Pki): AgentDoor & AsyncDisposable {
  const backend = createBackendClient({
    authorityPem: pki.authority.certificatePem,
    certificatePem: pki.kubeletClient.certificatePem,
    keyPem: pki.kubeletClient.keyPem,
  });
  return {
    async message(nodeName, message) {
      const target = kubeletTarget(kube.reader.get(nodes, nodeName), nodeName);
      const reply = await backend.send(target, {
        method: 'POST',
        path: '/mesos/messages',
        headers: { 'content-type': 'application/json' },
        body: Buffer.from(JSON.stringify(message)),
        signal: AbortSignal.timeout(answerMsMax),
      });
      for await (const _rest of reply.body) continue;
      if (reply.status >= 300)
        throw new Error(`Agent "${nodeName}" answered a message with ${reply.status}`);
    },
    [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose](),
  };
}
