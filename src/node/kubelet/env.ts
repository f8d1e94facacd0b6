import type { Container, Pod, Service } from '#kube/kinds';
import { ConfigError } from './errors.ts';
import { expand } from './expand.ts';
import { fieldValue, resourceValue } from './field-ref.ts';
import type { NodeFacts } from './field-ref.ts';

export interface EnvSources {
  /** Undefined when there is no such object. */
  configMap(name: string): Promise<{ readonly data: ReadonlyMap<string, Uint8Array> } | undefined>;
  secret(name: string): Promise<{ readonly data: ReadonlyMap<string, Uint8Array> } | undefined>;
  readonly services: readonly Service[];
  readonly podIp: string;
  readonly node: NodeFacts;
  /** Keys of a source that are no variable names. */
  invalid(keys: readonly string[], source: string): void;
}

/** A container's variables, complete and in order. Throws `ConfigError` with the reference's texts. */
export async function environmentOf(
  pod: Pod,
  container: Container,
  sources: EnvSources,
): Promise<readonly { name: string; value: string }[]> {
  const result = new Map<string, string>();
  const links = serviceVariables(pod, sources.services);
  for (const from of container.envFrom ?? []) await addAll(result, from, sources);
  // What a variable may refer to: earlier ones of the container, then the services'.
  const known = new Map([...links, ...result]);
  for (const variable of container.env ?? []) {
    const value =
      variable.valueFrom === undefined
        ? expand(variable.value ?? '', known)
        : await valueFrom(pod, container, { from: variable.valueFrom, sources });
    if (value === undefined) continue;
    known.set(variable.name, value);
    result.set(variable.name, value);
  }
  for (const [name, value] of links) if (!result.has(name)) result.set(name, value);
  return [...result].map(([name, value]) => ({ name, value }));
}

type EnvFrom = NonNullable<Container['envFrom']>[number];

async function addAll(
  result: Map<string, string>,
  from: EnvFrom,
  sources: EnvSources,
): Promise<void> {
  const isMap = from.configMapRef !== undefined;
  const ref = from.configMapRef ?? from.secretRef;
  if (ref === undefined) return;
  const name = ref.name ?? '';
  const found = await (isMap ? sources.configMap(name) : sources.secret(name));
  if (found === undefined) {
    if (ref.optional === true) return;
    throw new ConfigError(`${isMap ? 'configmap' : 'secret'} ${JSON.stringify(name)} not found`);
  }
  const bad: string[] = [];
  for (const [key, value] of found.data) {
    const full = `${from.prefix ?? ''}${key}`;
    if (/^[\x20-\x3c\x3e-\x7e]+$/.test(full)) result.set(full, textOf(value));
    else bad.push(full);
  }
  if (bad.length > 0) sources.invalid(bad.toSorted(), `${isMap ? 'configMap' : 'secret'} ${name}`);
}

async function valueFrom(
  pod: Pod,
  container: Container,
  options: {
    readonly from: NonNullable<NonNullable<Container['env']>[number]['valueFrom']>;
    readonly sources: EnvSources;
  },
): Promise<string | undefined> {
  const { from, sources } = options;
  if (from.fieldRef !== undefined)
    return fieldValue(pod, from.fieldRef.fieldPath, {
      podIp: sources.podIp,
      nodeIp: sources.node.nodeIp,
    });
  if (from.resourceFieldRef !== undefined)
    return resourceValue(pod, container, { selector: from.resourceFieldRef, node: sources.node });
  const isMap = from.configMapKeyRef !== undefined;
  const ref = from.configMapKeyRef ?? from.secretKeyRef;
  if (ref === undefined)
    throw new ConfigError('environment files (fileKeyRef) are not supported by this node');
  const name = ref.name ?? '';
  const found = await (isMap ? sources.configMap(name) : sources.secret(name));
  const value = found?.data.get(ref.key);
  if (value !== undefined) return textOf(value);
  if (ref.optional === true) return undefined;
  if (found === undefined)
    throw new ConfigError(`${isMap ? 'configmap' : 'secret'} ${JSON.stringify(name)} not found`);
  const kind = isMap ? 'ConfigMap' : 'Secret';
  throw new ConfigError(
    `couldn't find key ${ref.key} in ${kind} ${pod.metadata.namespace}/${name}`,
  );
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

/** Docker-links style variables of the services a Pod sees (k8s kubelet/envvars). */
export function serviceVariables(pod: Pod, services: readonly Service[]): Map<string, string> {
  const seen = new Map<string, Service>();
  const { namespace } = pod.metadata;
  const linked = pod.spec.enableServiceLinks ?? true;
  for (const service of services) {
    const { clusterIP } = service.spec;
    if (clusterIP === undefined || clusterIP === '' || clusterIP === 'None') continue;
    if (service.spec.type === 'ExternalName') continue;
    const { name } = service.metadata;
    const isMaster = service.metadata.namespace === 'default' && name === 'kubernetes';
    // The Pod's own namespace wins over the cluster-wide "kubernetes".
    if (isMaster && !seen.has(name)) seen.set(name, service);
    else if (service.metadata.namespace === namespace && linked) seen.set(name, service);
  }
  const result = new Map<string, string>();
  for (const service of seen.values()) addService(result, service);
  return result;
}

function addService(result: Map<string, string>, service: Service): void {
  const upper = (name: string): string => name.toUpperCase().replaceAll('-', '_');
  const prefix = upper(service.metadata.name);
  const ip = service.spec.clusterIP ?? '';
  const first = service.spec.ports?.[0];
  if (first === undefined) return;
  const host = ip.includes(':') ? `[${ip}]` : ip;
  result.set(`${prefix}_SERVICE_HOST`, ip);
  result.set(`${prefix}_SERVICE_PORT`, String(first.port));
  for (const { name, port } of service.spec.ports ?? [])
    if (name !== undefined && name !== '')
      result.set(`${prefix}_SERVICE_PORT_${upper(name)}`, String(port));
  for (const [index, { protocol, port }] of (service.spec.ports ?? []).entries()) {
    const kind = protocol ?? 'TCP';
    const url = `${kind.toLowerCase()}://${host}:${port}`;
    if (index === 0) result.set(`${prefix}_PORT`, url);
    const base = `${prefix}_PORT_${port}_${kind.toUpperCase()}`;
    result.set(base, url);
    result.set(`${base}_PROTO`, kind.toLowerCase());
    result.set(`${base}_PORT`, String(port));
    result.set(`${base}_ADDR`, ip);
  }
}
