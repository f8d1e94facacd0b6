import { dns1123Label, qualifiedName } from '#machinery';
import { compareQuantities, isWholeQuantity, parseQuantity } from '#base';
import type { Field } from '../shared/field.ts';
import { isHugePages, isNativeResource } from '../shared/resources.ts';
import type { ResourceList } from '../shared/resources.ts';
import type { ResourceRequirements } from '../types/core-v1.ts';

const standard = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'storage',
  'pods',
  'services',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
]);
const counted = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]);

function isStandard(name: string): boolean {
  return standard.has(name) || isHugePages(name) || name.startsWith('requests.hugepages-');
}
function isStandardForContainers(name: string): boolean {
  return name === 'cpu' || name === 'memory' || name === 'ephemeral-storage' || isHugePages(name);
}
/** Counted in whole numbers and named by whoever provides it: `example.com/gpu`. */
export function isExtendedResource(name: string): boolean {
  return (
    !isNativeResource(name) &&
    !name.startsWith('requests.') &&
    qualifiedName(`requests.${name}`).length === 0
  );
}
function isOvercommittable(name: string): boolean {
  return isNativeResource(name) && !isHugePages(name);
}

/** Any resource name: bare ones must be known. True when the name is one. */
export function checkResourceName(name: string, field: Field): boolean {
  const problems = qualifiedName(name);
  field.invalidAll(name, problems);
  if (problems.length > 0) return false;
  if (!name.includes('/') && !isStandard(name)) {
    field.invalid(name, 'must be a standard resource type or fully qualified');
    return false;
  }
  return true;
}
export function checkContainerResourceName(name: string, field: Field): void {
  if (isStandardForContainers(name) && name.length < 64 && !isHugePages(name)) return;
  checkResourceName(name, field);
  if (!name.includes('/')) {
    if (!isStandardForContainers(name))
      field.invalid(name, 'must be a standard resource for containers');
  } else if (!isNativeResource(name) && !isExtendedResource(name))
    field.invalid(name, "doesn't follow extended resource name standard");
}
export function checkQuotaResourceName(name: string, field: Field): void {
  checkResourceName(name, field);
  if (!name.includes('/') && (!isStandard(name) || name === 'storage'))
    field.invalid(name, 'must be a standard resource for quota');
}
function checkPodResourceName(name: string, field: Field): void {
  if (!checkResourceName(name, field)) return;
  if (name !== 'cpu' && name !== 'memory' && !isHugePages(name))
    field.notSupported(name, ['cpu', 'hugepages-', 'memory']);
}

/** Not negative; whole for what is counted. */
export function checkResourceValue(name: string, value: string, field: Field): void {
  if (value.startsWith('-')) field.invalid(value, 'must be greater than or equal to 0');
  if ((counted.has(name) || isExtendedResource(name)) && !isWholeQuantity(value))
    field.invalid(value, 'must be an integer');
}

export interface ResourceLeniency {
  /** Pod-level resources know fewer names. */
  readonly isPodLevel?: boolean;
  readonly anyHugePages?: boolean;
  /** Names of spec.resourceClaims. */
  readonly claims?: readonly string[];
}

export function checkRequirements(
  resources: ResourceRequirements,
  field: Field,
  leniency: ResourceLeniency,
): void {
  const { limits, requests } = resources;
  let hasHugePages = false;
  let hasMachine = false;
  for (const list of [limits, requests])
    for (const name in list) {
      if (isHugePages(name)) hasHugePages = true;
      else if (name === 'cpu' || name === 'memory') hasMachine = true;
    }
  if (limits !== undefined) checkList(limits, { field: field.at('limits'), leniency });
  if (requests !== undefined) checkRequests(resources, field, leniency);
  if (hasHugePages && !hasMachine) field.forbidden('HugePages require cpu or memory');
  if (resources.claims !== undefined)
    checkClaims(resources, field.at('claims'), leniency.claims ?? []);
}

function checkList(
  list: ResourceList,
  { field, leniency }: { field: Field; leniency: ResourceLeniency },
): void {
  for (const name in list) {
    const at = field.key(name);
    const value = list[name] ?? '0';
    if (leniency.isPodLevel === true) checkPodResourceName(name, at);
    else checkContainerResourceName(name, at);
    checkResourceValue(name, value, at);
    if (isHugePages(name) && leniency.anyHugePages !== true) checkHugePages(name, value, at);
  }
}

/** `overhead` of Pods and RuntimeClasses is checked like the limits of a container. */
export function checkOverhead(list: ResourceList | undefined, field: Field): void {
  if (list !== undefined) checkList(list, { field: field.at('limits'), leniency: {} });
}

function checkHugePages(name: string, value: string, field: Field): void {
  const size = name.slice('hugepages-'.length);
  try {
    const page = parseQuantity(size).nanos;
    if (page <= 0n || parseQuantity(value).nanos % page === 0n) return;
  } catch {
    // A size that is no quantity divides nothing: the same refusal as the reference's.
    return;
  }
  field.invalid(value, `${value} is not positive integer multiple of ${name}`);
}

function checkRequests(
  { limits, requests = {} }: ResourceRequirements,
  field: Field,
  leniency: ResourceLeniency,
): void {
  for (const name in requests) {
    const value = requests[name] ?? '0';
    const at = field.at('requests');
    checkList({ [name]: value }, { field: at, leniency: { ...leniency, anyHugePages: true } });
    const limit = limits?.[name];
    if (limit !== undefined) {
      if (!isOvercommittable(name)) {
        if (compareQuantities(value, limit) !== 0)
          at.invalid(value, `must be equal to ${name} limit of ${limit}`);
      } else if (compareQuantities(value, limit) > 0)
        at.invalid(value, `must be less than or equal to ${name} limit of ${limit}`);
    } else if (!isOvercommittable(name))
      field.at('limits').required('Limit must be set for non overcommitable resources');
    if (isHugePages(name) && leniency.anyHugePages !== true)
      checkHugePages(name, value, at.key(name));
  }
}

function checkClaims(
  { claims = [] }: ResourceRequirements,
  field: Field,
  known: readonly string[],
): void {
  const seen = new Set<string>();
  const partly = new Set<string>();
  for (const [index, { name, request }] of claims.entries()) {
    const at = field.at(index);
    if (name === '') {
      at.at('name').required();
      continue;
    }
    if (request) at.at('request').invalidAll(request, dns1123Label(request));
    const full = request ? `${name}/${request}` : name;
    if (seen.has(full) || (request && seen.has(name)))
      at.duplicate(request && !seen.has(full) ? name : full);
    else if (!request && partly.has(name)) at.duplicate(name);
    seen.add(full);
    if (request) partly.add(name);
    if (known.includes(name)) continue;
    at.notFound(
      name,
      known.length === 0
        ? 'must be one of the names in pod.spec.resourceClaims which is empty'
        : `must be one of the names in pod.spec.resourceClaims: ${known.toSorted().join(', ')}`,
    );
  }
}
