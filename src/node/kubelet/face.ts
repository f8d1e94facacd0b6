import type { Face, FaceReply, FaceRequest } from '#base';
import type { Pod } from '#kube/kinds';
import { json, text } from './face-call.ts';
import type { FaceContext } from './face-call.ts';
import { attach, exec, runCommand } from './face-exec.ts';
import { containerLogs } from './face-logs.ts';
import { portForward } from './face-port-forward.ts';
import { Stats } from './face-stats.ts';
import { labels } from './pod-view.ts';

/** The kubelet's API: what the API server asks a node for on a client's behalf. */
export function createFace(context: FaceContext): Face {
  const stats = new Stats(context);
  return async (request) => {
    if (!(await allowed(context, request))) return text(401, 'Unauthorized');
    const [root = '', ...rest] = request.path.split('/').slice(1).map(decoded);
    const plain: Readonly<Record<string, () => FaceReply | Promise<FaceReply>>> = {
      healthz: () => text(200, 'ok'),
      pods: () => json({ apiVersion: 'v1', kind: 'PodList', metadata: {}, items: context.pods() }),
      runningpods: () =>
        json({ apiVersion: 'v1', kind: 'PodList', metadata: {}, items: running(context) }),
      stats: async () => (rest[0] === 'summary' ? json(await stats.summary()) : notFound()),
      metrics: async () => stats.metrics(rest[0]),
    };
    const handler = Object.hasOwn(plain, root) ? plain[root] : undefined;
    if (handler !== undefined) return await handler();
    return await forPod(context, request, [root, ...rest]);
  };
}

async function allowed({ options }: FaceContext, request: FaceRequest): Promise<boolean> {
  try {
    return await options.authorize(request);
  } catch (error) {
    options.logger.info('Refused a request to the kubelet', { error });
    return false;
  }
}

async function forPod(
  context: FaceContext,
  request: FaceRequest,
  path: readonly string[],
): Promise<FaceReply> {
  const [root, namespace = '', name = '', ...rest] = path;
  const query = new URLSearchParams(request.search);
  const handlers = { containerLogs, exec, attach, run: runCommand, portForward };
  if (root === undefined || !isKey(handlers, root)) return notFound();
  const pod = context
    .pods()
    .find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
  if (pod === undefined)
    return text(
      404,
      root === 'containerLogs'
        ? `pod ${JSON.stringify(name)} does not exist`
        : 'pod does not exist',
    );
  // /exec/{ns}/{pod}/{container} or /exec/{ns}/{pod}/{uid}/{container}
  const uid = root === 'portForward' ? rest[0] : rest.length > 1 ? rest[0] : undefined;
  if (uid !== undefined && uid !== '' && uid !== pod.metadata.uid)
    return text(404, 'pod does not exist');
  const container = root === 'portForward' ? '' : (rest.at(-1) ?? '');
  return await handlers[root]({ context, request, query, pod, container });
}

function isKey<T extends object>(table: T, key: string): key is Extract<keyof T, string> {
  return Object.hasOwn(table, key);
}

function running(context: FaceContext): readonly Pod[] {
  const alive = new Set(
    context.options.runtime
      .containers()
      .filter(({ state }) => state === 'running')
      .map(({ spec }) => spec.labels[labels.uid]),
  );
  return context.pods().filter(({ metadata }) => alive.has(metadata.uid));
}

function notFound(): FaceReply {
  return text(404, '404 page not found');
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (error instanceof URIError) return part;
    throw error;
  }
}
