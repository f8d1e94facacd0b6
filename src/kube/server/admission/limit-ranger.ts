import { addQuantities, compareQuantities, parseQuantity } from '#base';
import type { AdmissionPlugin, Reader } from '#apiserver';
import {
  limitRanges,
  type LimitRangeItem,
  type PersistentVolumeClaim,
  type Pod,
} from '#kube/kinds';
import type { Draft } from '#machinery';
import { draftOf, isFor, newPod, refuse } from './about.ts';

type Amounts = Readonly<Record<string, string>>;
interface Wanted {
  readonly requests: Amounts;
  readonly limits: Amounts;
}

/** Fills in a namespace's default requests and limits, and refuses what is outside its bounds. */
export function limitRanger(reader: Reader): AdmissionPlugin {
  const itemsOf = (namespace: string): readonly LimitRangeItem[] =>
    reader.list(limitRanges, namespace).flatMap((one) => one.spec?.limits ?? []);
  return {
    name: 'LimitRanger',
    mutate(request) {
      const pod = newPod(request);
      if (pod === undefined) return;
      for (const item of itemsOf(request.namespace))
        if (item.type === 'Container') setDefaults(pod, item);
    },
    validate(request) {
      if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return;
      const pod = newPod(request);
      const claim = isFor(request, '', 'persistentvolumeclaims')
        ? draftOf<PersistentVolumeClaim>(request)
        : undefined;
      if (pod === undefined && claim === undefined) return;
      const problems = itemsOf(request.namespace).flatMap((item) =>
        pod === undefined ? claimProblems(claim, item) : podProblems(pod as Pod, item),
      );
      if (problems.length === 0) return;
      throw refuse(request, problems.length === 1 ? problems.join('') : `[${problems.join(', ')}]`);
    },
  };
}

function setDefaults(pod: Draft<Pod>, item: LimitRangeItem): void {
  const notes: string[] = [];
  const isInit = new Set(pod.spec.initContainers ?? []);
  for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
    const noun = isInit.has(container) ? 'init container' : 'container';
    const resources = (container.resources ??= {});
    for (const [field, defaults] of [
      ['requests', item.defaultRequest],
      ['limits', item.default],
    ] as const) {
      const missing = Object.entries(defaults ?? {}).filter(
        ([name]) => resources[field]?.[name] === undefined,
      );
      if (missing.length === 0) continue;
      resources[field] = { ...resources[field], ...Object.fromEntries(missing) };
      const names = missing
        .map(([name]) => name)
        .toSorted()
        .join(', ');
      notes.push(
        `${names} ${field === 'requests' ? 'request' : 'limit'} for ${noun} ${container.name}`,
      );
    }
  }
  if (notes.length === 0) return;
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    'kubernetes.io/limit-ranger': `LimitRanger plugin set: ${notes.join('; ')}`,
  };
}

function podProblems(pod: Pod, item: LimitRangeItem): readonly string[] {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  if (item.type === 'Container')
    return containers.flatMap(({ resources }) =>
      boundProblems(item, { requests: resources?.requests ?? {}, limits: resources?.limits ?? {} }),
    );
  if (item.type !== 'Pod') return [];
  return boundProblems(item, {
    requests: podSum(pod, 'requests'),
    limits: podSum(pod, 'limits'),
  });
}

function claimProblems(
  claim: Draft<PersistentVolumeClaim> | undefined,
  item: LimitRangeItem,
): readonly string[] {
  if (claim === undefined || item.type !== 'PersistentVolumeClaim') return [];
  const requests = claim.spec.resources?.requests ?? {};
  return boundProblems(
    { ...item, maxLimitRequestRatio: undefined },
    { requests, limits: requests },
  );
}

/** Sum over containers, or the largest init container where that is more. */
function podSum(pod: Pod, field: 'requests' | 'limits'): Amounts {
  const total: Record<string, string> = {};
  for (const container of pod.spec.containers)
    for (const [name, value] of Object.entries(container.resources?.[field] ?? {}))
      total[name] = addQuantities(total[name] ?? '0', value);
  for (const container of pod.spec.initContainers ?? [])
    for (const [name, value] of Object.entries(container.resources?.[field] ?? {}))
      if (compareQuantities(value, total[name] ?? '0') > 0) total[name] = value;
  const level = pod.spec.resources?.[field];
  return { ...total, ...level };
}

function boundProblems(item: LimitRangeItem, wanted: Wanted): readonly string[] {
  return [
    ...Object.entries(item.min ?? {}).flatMap(([name, min]) =>
      minProblem(item, wanted, { name, min }),
    ),
    ...Object.entries(item.max ?? {}).flatMap(([name, max]) =>
      maxProblem(item, wanted, { name, max }),
    ),
    ...Object.entries(item.maxLimitRequestRatio ?? {}).flatMap(([name, ratio]) =>
      ratioProblem(item, wanted, { name, ratio }),
    ),
  ];
}

function minProblem(
  item: LimitRangeItem,
  { requests, limits }: Wanted,
  { name, min }: { readonly name: string; readonly min: string },
): readonly string[] {
  const head = `minimum ${name} usage per ${item.type} is ${min}`;
  const request = requests[name];
  const limit = limits[name];
  if (request === undefined) return [`${head}.  No request is specified`];
  if (compareQuantities(request, min) < 0) return [`${head}, but request is ${request}`];
  if (limit !== undefined && compareQuantities(limit, min) < 0)
    return [`${head}, but limit is ${limit}`];
  return [];
}

function maxProblem(
  item: LimitRangeItem,
  { requests, limits }: Wanted,
  { name, max }: { readonly name: string; readonly max: string },
): readonly string[] {
  const head = `maximum ${name} usage per ${item.type} is ${max}`;
  const request = requests[name];
  const limit = limits[name];
  if (limit === undefined) return [`${head}.  No limit is specified`];
  if (compareQuantities(limit, max) > 0) return [`${head}, but limit is ${limit}`];
  if (request !== undefined && compareQuantities(request, max) > 0)
    return [`${head}, but request is ${request}`];
  return [];
}

function ratioProblem(
  item: LimitRangeItem,
  { requests, limits }: Wanted,
  { name, ratio }: { readonly name: string; readonly ratio: string },
): readonly string[] {
  const head = `${name} max limit to request ratio per ${item.type} is ${ratio}, but`;
  const request = Number(parseQuantity(requests[name] ?? '0').nanos);
  const limit = Number(parseQuantity(limits[name] ?? '0').nanos);
  if (request === 0) return [`${head} no request is specified or request is 0`];
  if (limit === 0) return [`${head} no limit is specified or limit is 0`];
  const given = limit / request;
  const most = Number(parseQuantity(ratio).nanos) / 1e9;
  return given > most ? [`${head} provided ratio is ${given.toFixed(6)}`] : [];
}
