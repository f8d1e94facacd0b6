import type { Clock } from '#base';
import { addQuantities, compareQuantities, parseQuantity } from '#base';
import type { AdmissionPlugin, AdmissionRequest, Reader } from '#apiserver';
import {
  resourceQuotas,
  type PersistentVolumeClaim,
  type Pod,
  type ResourceQuota,
  type Service,
} from '#kube/kinds';
import { type KindDeclaration, type KubeObject, type Scheme } from '#machinery';
import { podAmounts } from '../pods.ts';
import { refuse } from './about.ts';

type Usage = Readonly<Record<string, string>>;
const computeNames = ['cpu', 'memory', 'ephemeral-storage'];

/**
 * Quota is checked against what is there, counted from the watch cache, plus what was admitted and
 * is still being written: so it holds although many writers ask at once.
 */
export function resourceQuota(
  reader: Reader,
  parts: { readonly scheme: Scheme; readonly clock: Clock },
): AdmissionPlugin {
  const underWay = new Map<
    AdmissionRequest,
    { namespace: string; usage: Usage; object: KubeObject }
  >();
  return {
    name: 'ResourceQuota',
    validate(request) {
      if (request.subresource !== '' || request.object === undefined || !request.kind.namespaced)
        return;
      if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return;
      const quotas = reader.list(resourceQuotas, request.namespace);
      if (quotas.length === 0) return;
      const object = request.object as unknown as KubeObject;
      const after = usageOf(request.kind, object, parts.clock);
      const before =
        request.old === undefined ? {} : usageOf(request.kind, request.old, parts.clock);
      for (const quota of quotas) {
        if (!inScope(quota, request.kind, object)) continue;
        mustSpecify(request, quota, object);
        const waiting = [...underWay.values()]
          .filter((one) => one.namespace === request.namespace)
          .map((one) => one.usage);
        check(request, quota, {
          after,
          before,
          used: () => usedBy(reader, quota, { ...parts, waiting }),
        });
      }
      const more = difference(after, before);
      if (!request.dryRun)
        underWay.set(request, { namespace: request.namespace, usage: more, object });
    },
    settle(request) {
      underWay.delete(request);
    },
  };
}

function check(
  request: AdmissionRequest,
  quota: ResourceQuota,
  amounts: { readonly after: Usage; readonly before: Usage; readonly used: () => Usage },
): void {
  const hard = quota.spec?.hard ?? {};
  const more = difference(amounts.after, amounts.before);
  const names = Object.keys(hard).filter(
    (name) => more[name] !== undefined && compareQuantities(more[name], '0') > 0,
  );
  if (names.length === 0) return;
  const used = amounts.used();
  const exceeded = names
    .filter(
      (name) =>
        compareQuantities(addQuantities(used[name] ?? '0', more[name] ?? '0'), hard[name] ?? '0') >
        0,
    )
    .toSorted();
  if (exceeded.length === 0) return;
  const list = (from: Usage): string =>
    exceeded.map((name) => `${name}=${from[name] ?? '0'}`).join(',');
  throw refuse(
    request,
    `exceeded quota: ${quota.metadata.name}, requested: ${list(more)}, used: ${list(used)}, limited: ${list(hard)}`,
  );
}

/** A quota on cpu or memory makes every container say what it asks. */
function mustSpecify(request: AdmissionRequest, quota: ResourceQuota, object: KubeObject): void {
  if (request.kind.plural !== 'pods' || request.kind.group !== '' || request.operation !== 'CREATE')
    return;
  const pod = object as Pod;
  const missing: string[] = [];
  for (const name of Object.keys(quota.spec?.hard ?? {}).toSorted()) {
    const field = name.startsWith('limits.') ? 'limits' : 'requests';
    const resource = name.replace(/^(limits|requests)\./, '');
    if (!computeNames.includes(resource)) continue;
    if (pod.spec.resources?.[field]?.[resource] !== undefined) continue;
    const names = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]
      .filter((container) => container.resources?.[field]?.[resource] === undefined)
      .map((container) => container.name);
    if (names.length > 0) missing.push(`${name} for: ${names.toSorted().join(',')}`);
  }
  if (missing.length > 0)
    throw refuse(
      request,
      `failed quota: ${quota.metadata.name}: must specify ${missing.join('; ')}`,
    );
}

function usedBy(
  reader: Reader,
  quota: ResourceQuota,
  parts: { readonly scheme: Scheme; readonly clock: Clock; readonly waiting: readonly Usage[] },
): Usage {
  let used: Usage = {};
  const wanted = Object.keys(quota.spec?.hard ?? {});
  for (const kind of parts.scheme.kinds) {
    if (!kind.namespaced || !kind.verbs.includes('list') || !counts(kind, wanted)) continue;
    if (parts.scheme.preferred(kind.group, kind.plural) !== kind) continue;
    for (const object of reader.list(kind, quota.metadata.namespace ?? ''))
      if (inScope(quota, kind, object)) used = sum(used, usageOf(kind, object, parts.clock));
  }
  for (const waiting of parts.waiting) used = sum(used, waiting);
  return used;
}

function counts(kind: KindDeclaration, wanted: readonly string[]): boolean {
  const counted = countName(kind);
  const special: Readonly<Record<string, RegExp>> = {
    '/pods': /^(pods$|cpu$|memory$|ephemeral-storage$|requests\.|limits\.)/,
    '/services': /^services/,
    '/persistentvolumeclaims': /^persistentvolumeclaims$|^requests\.storage$|storageclass/,
  };
  const pattern = special[`${kind.group}/${kind.plural}`];
  return wanted.some(
    (name) =>
      name === counted ||
      (kind.group === '' && name === kind.plural) ||
      pattern?.test(name) === true,
  );
}

function countName(kind: KindDeclaration): string {
  return kind.group === '' ? `count/${kind.plural}` : `count/${kind.plural}.${kind.group}`;
}

const plainCounts = new Set([
  'pods',
  'services',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
]);

/** What one object uses up (pkg/quota/v1/evaluator/core). */
function usageOf(kind: KindDeclaration, object: KubeObject, clock: Clock): Usage {
  const usage: Record<string, string> = { [countName(kind)]: '1' };
  if (kind.group !== '') return usage;
  if (kind.plural === 'pods') {
    if (!isAlive(object as Pod, clock)) return usage;
    usage['pods'] = '1';
    for (const field of ['requests', 'limits'] as const)
      for (const [name, value] of Object.entries(podAmounts(object as Pod, field))) {
        usage[`${field}.${name}`] = value;
        if (field === 'requests' && computeNames.includes(name)) usage[name] = value;
      }
    return usage;
  }
  if (plainCounts.has(kind.plural)) usage[kind.plural] = '1';
  if (kind.plural === 'services') {
    const { spec } = object as Service;
    const ports = spec.ports?.length ?? 0;
    if (spec.type === 'LoadBalancer') usage['services.loadbalancers'] = '1';
    if (
      spec.type === 'NodePort' ||
      (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)
    )
      usage['services.nodeports'] = `${ports}`;
  }
  if (kind.plural === 'persistentvolumeclaims') {
    const { spec } = object as PersistentVolumeClaim;
    const size = spec.resources?.requests?.['storage'];
    const prefix = `${spec.storageClassName}.storageclass.storage.k8s.io/`;
    if (size !== undefined) usage['requests.storage'] = size;
    if (spec.storageClassName === undefined) return usage;
    usage[`${prefix}persistentvolumeclaims`] = '1';
    if (size !== undefined) usage[`${prefix}requests.storage`] = size;
  }
  return usage;
}

/** Ended Pods and those past their grace do not count. */
function isAlive(pod: Pod, clock: Clock): boolean {
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return false;
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return true;
  return clock.nowMs() <= Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000;
}

function inScope(quota: ResourceQuota, kind: KindDeclaration, object: KubeObject): boolean {
  const scopes = quota.spec?.scopes ?? [];
  const expressions = quota.spec?.scopeSelector?.matchExpressions ?? [];
  if (scopes.length === 0 && expressions.length === 0) return true;
  if (kind.plural !== 'pods' || kind.group !== '') return false;
  const pod = object as Pod;
  return (
    scopes.every((scope) => hasScope(pod, scope)) &&
    expressions.every(({ scopeName, operator, values }) => {
      if (scopeName !== 'PriorityClass') return operator === 'Exists' && hasScope(pod, scopeName);
      const name = pod.spec.priorityClassName ?? '';
      if (operator === 'In') return (values ?? []).includes(name);
      if (operator === 'NotIn') return !(values ?? []).includes(name);
      return (operator === 'Exists') === (name !== '');
    })
  );
}

function hasScope(pod: Pod, scope: string): boolean {
  const bestEffort = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].every(
    ({ resources }) =>
      Object.keys({ ...resources?.requests, ...resources?.limits }).every(
        (name) => name !== 'cpu' && name !== 'memory',
      ),
  );
  switch (scope) {
    case 'Terminating':
      return pod.spec.activeDeadlineSeconds !== undefined;
    case 'NotTerminating':
      return pod.spec.activeDeadlineSeconds === undefined;
    case 'BestEffort':
      return bestEffort;
    case 'NotBestEffort':
      return !bestEffort;
    case 'CrossNamespacePodAffinity':
      return JSON.stringify(pod.spec.affinity ?? {}).includes('"namespaces');
    default:
      return (pod.spec.priorityClassName ?? '') !== '';
  }
}

function sum(a: Usage, b: Usage): Usage {
  const total: Record<string, string> = { ...a };
  for (const [name, value] of Object.entries(b))
    total[name] = addQuantities(total[name] ?? '0', value);
  return total;
}

function difference(after: Usage, before: Usage): Usage {
  const rest: Record<string, string> = {};
  for (const [name, value] of Object.entries(after)) {
    const old = before[name];
    if (old === undefined || parseQuantity(old).nanos === 0n) rest[name] = value;
    else rest[name] = addQuantities(value, old.startsWith('-') ? old.slice(1) : `-${old}`);
  }
  return rest;
}
