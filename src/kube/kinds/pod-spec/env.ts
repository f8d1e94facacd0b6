import {
  configMapKey,
  dns1123Label,
  dns1123Subdomain,
  environmentName,
  nameCheck,
  qualifiedName,
} from '#machinery';
import { parseQuantity } from '#base';
import type { Field } from '../shared/field.ts';
import type {
  EnvFromSource,
  EnvVar,
  EnvVarSource,
  ObjectFieldSelector,
  ResourceFieldSelector,
} from '../types/core-v1.ts';
import { checkNoBacksteps } from './paths.ts';

const envPaths = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
/** Paths that a downward reference of any sort may convert from (ConvertDownwardAPIFieldLabel). */
const knownPaths = new Set([
  ...envPaths,
  'metadata.annotations',
  'metadata.labels',
  'spec.host',
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
]);
const subscripted = /^(.+)\['(.*)'\]$/s;
const divisors = {
  cpu: ['1m', '1'],
  bytes: ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'],
};
const byteTexts: Readonly<Record<string, string>> = {
  memory: 'memory resource',
  'ephemeral-storage': 'local ephemeral storage resource',
  hugepages: 'hugepages resource',
};
const fieldResources = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];
const maskedSubdomain = nameCheck(dns1123Subdomain);

export function checkEnv(env: readonly EnvVar[] | undefined, field: Field): void {
  if (env === undefined) return;
  for (let index = 0; index < env.length; index++) {
    const variable = env[index];
    if (variable === undefined) continue;
    const { name, value, valueFrom } = variable;
    const problems = environmentName(name);
    if (name === '') field.at(index).at('name').required();
    else if (problems.length > 0) field.at(index).at('name').invalidAll(name, problems);
    if (valueFrom !== undefined)
      checkValueFrom(valueFrom, field.at(index).at('valueFrom'), value ?? '');
  }
}

function checkValueFrom(source: EnvVarSource, field: Field, value: string): void {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source;
  let sources = 0;
  if (fieldRef !== undefined) {
    sources++;
    checkFieldRef(fieldRef, field.at('fieldRef'), envPaths);
  }
  if (resourceFieldRef !== undefined) {
    sources++;
    checkResourceRef(resourceFieldRef, field.at('resourceFieldRef'), false);
  }
  for (const [name, ref] of [
    ['configMapKeyRef', configMapKeyRef],
    ['secretKeyRef', secretKeyRef],
  ] as const) {
    if (ref === undefined) continue;
    sources++;
    const at = field.at(name);
    at.at('name').invalidAll(ref.name ?? '', dns1123Subdomain(ref.name ?? ''));
    if (ref.key === '') at.at('key').required();
    else at.at('key').invalidAll(ref.key, configMapKey(ref.key));
  }
  if (fileKeyRef !== undefined) {
    sources++;
    const at = field.at('fileKeyRef');
    const { key, volumeName, path } = fileKeyRef;
    if (key === '') at.at('key').required();
    else at.at('key').invalidAll(key, environmentName(key));
    if (volumeName === '') at.at('volumeName').required();
    else at.at('volumeName').invalidAll(volumeName, dns1123Label(volumeName));
    if (path === '') at.at('path').required();
    else checkNoBacksteps(path, at.at('path'));
  }
  if (sources === 0)
    field.invalid(
      '',
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
    );
  else if (value !== '') field.invalid('', 'may not be specified when `value` is not empty');
  else if (sources > 1) field.invalid('', 'may not have more than one field specified at a time');
}

export function checkFieldRef(
  { apiVersion, fieldPath }: ObjectFieldSelector,
  field: Field,
  supported: readonly string[],
): void {
  if (!apiVersion) return field.at('apiVersion').required();
  if (fieldPath === '') return field.at('fieldPath').required();
  const at = field.at('fieldPath');
  if (apiVersion !== 'v1')
    return at.invalid(
      fieldPath,
      `error converting fieldPath: unsupported pod version: ${apiVersion}`,
    );
  const match = subscripted.exec(fieldPath);
  const path = match?.[1] ?? fieldPath;
  const subscript = match?.[2];
  if (subscript !== undefined) {
    if (path === 'metadata.annotations')
      return field.invalidAll(subscript, qualifiedName(subscript.toLowerCase()));
    if (path === 'metadata.labels') return field.invalidAll(subscript, qualifiedName(subscript));
    return at.invalid(
      fieldPath,
      `error converting fieldPath: field label does not support subscript: ${fieldPath}`,
    );
  }
  if (!knownPaths.has(path))
    return at.invalid(
      fieldPath,
      `error converting fieldPath: field label not supported: ${fieldPath}`,
    );
  const converted = path === 'spec.host' ? 'spec.nodeName' : path;
  if (!supported.includes(converted)) at.notSupported(fieldPath, supported);
}

export function checkResourceRef(
  { containerName, resource, divisor }: ResourceFieldSelector,
  field: Field,
  needsContainer: boolean,
): void {
  if (needsContainer && !containerName) return field.at('containerName').required();
  if (resource === '') return field.at('resource').required();
  const isHuge = /^(requests|limits)\.hugepages-/.test(resource);
  if (!isHuge && !fieldResources.includes(resource))
    return field.at('resource').notSupported(resource, fieldResources);
  checkDivisor(resource.replace(/^\w+\./, ''), divisor ?? '0', field.at('divisor'));
}

function checkDivisor(resource: string, divisor: string, field: Field): void {
  const { nanos } = parseQuantity(divisor);
  if (nanos === 0n) return;
  const isOneOf = (allowed: readonly string[]) =>
    allowed.some((text) => parseQuantity(text).nanos === nanos);
  if (resource === 'cpu') {
    if (!isOneOf(divisors.cpu))
      field.invalid(resource, "only divisor's values 1m and 1 are supported with the cpu resource");
  } else if (!isOneOf(divisors.bytes)) {
    const what = byteTexts[resource.startsWith('hugepages-') ? 'hugepages' : resource];
    field.invalid(
      resource,
      `only divisor's values ${divisors.bytes.join(', ')} are supported with the ${what}`,
    );
  }
}

export function checkEnvFrom(sources: readonly EnvFromSource[] | undefined, field: Field): void {
  for (const [index, { prefix, configMapRef, secretRef }] of (sources ?? []).entries()) {
    const at = field.at(index);
    if (prefix) at.at('prefix').invalidAll(prefix, environmentName(prefix));
    for (const [name, ref] of [
      ['configMapRef', configMapRef],
      ['secretRef', secretRef],
    ] as const) {
      if (ref === undefined) continue;
      if (!ref.name) at.at(name).at('name').required();
      else at.at(name).at('name').invalidAll(ref.name, maskedSubdomain(ref.name, true));
    }
    if (configMapRef === undefined && secretRef === undefined)
      field.invalid('', 'must specify one of: `configMapRef` or `secretRef`');
    else if (configMapRef !== undefined && secretRef !== undefined)
      field.invalid('', 'may not have more than one field specified at a time');
  }
}
