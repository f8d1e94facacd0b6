import type { Container, PodSpec } from '#kube/kinds';
import type { Draft } from '#machinery';
import type { Parameter } from '#mesos/protocol';
import { annotations } from '../doors.ts';
import { literal } from './command.ts';

/** A Pod under construction, and the container that Docker's parameters speak of. */
export interface PodDraft {
  readonly spec: Draft<PodSpec>;
  readonly container: Draft<Container>;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  /** Of names of volumes, where other containers of the Pod have theirs: `2-`. */
  readonly volumePrefix?: string | undefined;
}

/** A string is why the parameter cannot be obeyed. */
type Apply = (pod: PodDraft, value: string) => string | undefined;

/** `docker run` options that `docker.parameters` name, where Kubernetes has the thing. */
const options: ReadonlyMap<string, Apply> = new Map<string, Apply>([
  ['env', addEnvironment],
  ['e', addEnvironment],
  ['volume', addVolume],
  ['v', addVolume],
  ['label', addLabel],
  ['l', addLabel],
  ['hostname', setHostname],
  ['h', setHostname],
  ['user', setUser],
  ['u', setUser],
  ['workdir', setWorkdir],
  ['w', setWorkdir],
  // Taken with the command.
  ['entrypoint', () => undefined],
  ['cap-add', (pod, value) => addCapability(pod, 'add', value)],
  ['cap-drop', (pod, value) => addCapability(pod, 'drop', value)],
  ['privileged', setPrivileged],
  ['read-only', setReadOnly],
  ['tmpfs', addMemory],
  ['shm-size', setSharedMemory],
  ['net', setNetwork],
  ['network', setNetwork],
  ['pid', (pod, value) => setHost(pod, 'hostPID', value)],
  ['ipc', (pod, value) => setHost(pod, 'hostIPC', value)],
  ['dns', (pod, value) => addDns(pod, 'nameservers', value)],
  ['dns-search', (pod, value) => addDns(pod, 'searches', value)],
  ['add-host', addHost],
  ['group-add', addGroup],
  ['sysctl', addSysctl],
  ['tty', (pod, value) => setFlag(pod, 'tty', value)],
  ['t', (pod, value) => setFlag(pod, 'tty', value)],
  ['interactive', (pod, value) => setFlag(pod, 'stdin', value)],
  ['i', (pod, value) => setFlag(pod, 'stdin', value)],
  ['security-opt', setSecurity],
  ['ulimit', limitProblem],
]);

export function applyParameters(
  pod: PodDraft,
  parameters: readonly Parameter[],
): string | undefined {
  for (const { key, value } of parameters) {
    const apply = options.get(key.replace(/^-+/, ''));
    const problem = apply === undefined ? 'it has no counterpart on Tandem' : apply(pod, value);
    if (problem !== undefined)
      return `Docker parameter '${key}=${value}' is not supported: ${problem}`;
  }
  return undefined;
}

function addEnvironment({ container }: PodDraft, value: string): string | undefined {
  const at = value.indexOf('=');
  if (at < 1) return 'it needs the form NAME=value';
  const name = value.slice(0, at);
  const others = (container.env ?? []).filter((one) => one.name !== name);
  container.env = [...others, { name, value: literal(value.slice(at + 1)) }];
  return undefined;
}

function addVolume(pod: PodDraft, value: string): string | undefined {
  const [host = '', path, mode = 'rw'] = value.split(':');
  if (path === undefined) return addMount(pod, host, { emptyDir: {} });
  if (!host.startsWith('/')) return 'named volumes are not kept';
  if (mode !== 'ro' && mode !== 'rw') return `mode '${mode}' is unknown`;
  return addMount(pod, path, { hostPath: { path: host } }, mode === 'ro');
}

type VolumeSource = Omit<NonNullable<Draft<PodSpec>['volumes']>[number], 'name'>;

export function addMount(
  pod: PodDraft,
  path: string,
  source: VolumeSource,
  readOnly = false,
): string | undefined {
  if (!path.startsWith('/')) return 'the path in the container must be absolute';
  const { spec, container } = pod;
  const name = `v${nextVolume(pod)}`;
  spec.volumes = [...(spec.volumes ?? []), { name, ...source }];
  container.volumeMounts = [
    ...(container.volumeMounts ?? []),
    { name, mountPath: path, ...(readOnly && { readOnly: true }) },
  ];
  return undefined;
}

/** What tells a volume from the Pod's others. */
export function nextVolume({ spec, volumePrefix = '' }: PodDraft): string {
  return `${volumePrefix}${spec.volumes?.length ?? 0}`;
}

const labelKey =
  /^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const labelText = /^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/;

export function isLabel(key: string, value: string): boolean {
  return labelKey.test(key) && labelText.test(value);
}

function addLabel({ labels, annotations }: PodDraft, text: string): string | undefined {
  const at = text.indexOf('=');
  const key = at < 0 ? text : text.slice(0, at);
  const value = at < 0 ? '' : text.slice(at + 1);
  if (key.includes('tandem.dev/')) return 'the label is not yours to set';
  if (isLabel(key, value)) labels[key] = value;
  else if (labelKey.test(key)) annotations[key] = value;
  else return 'the key is not one that a label may have';
  return undefined;
}

function setHostname({ spec }: PodDraft, value: string): string | undefined {
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(value)) return 'it is not a DNS label';
  spec.hostname = value;
  return undefined;
}

function setUser({ container }: PodDraft, value: string): string | undefined {
  const [user = '', group] = value.split(':');
  if (!/^\d+$/.test(user) || (group !== undefined && !/^\d+$/.test(group)))
    return 'users and groups must be numbers';
  const security = (container.securityContext ??= {});
  security.runAsUser = Number(user);
  if (group !== undefined) security.runAsGroup = Number(group);
  return undefined;
}

const ulimits: ReadonlySet<string> = new Set(
  'as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(
    ' ',
  ),
);

/** The agent sets it, out of the task itself: Pods have no such field. */
function limitProblem(_pod: PodDraft, value: string): string | undefined {
  const [, name = '', soft = '', hard = soft] = /^(\w+)=(-?\d+)(?::(-?\d+))?$/.exec(value) ?? [];
  if (!ulimits.has(name)) return 'it needs the form name=soft[:hard]';
  const no = (text: string): number => (text === '-1' ? Number.POSITIVE_INFINITY : Number(text));
  return no(soft) > no(hard) ? 'the soft limit is above the hard one' : undefined;
}

function setWorkdir({ container }: PodDraft, value: string): undefined {
  container.workingDir = value;
}

function addCapability(
  { container }: PodDraft,
  which: 'add' | 'drop',
  value: string,
): string | undefined {
  const security = (container.securityContext ??= {});
  const capabilities = (security.capabilities ??= {});
  capabilities[which] = [...(capabilities[which] ?? []), value.replace(/^CAP_/i, '').toUpperCase()];
  return undefined;
}

function isOn(value: string): boolean {
  return value === '' || value === 'true' || value === '1';
}

function setPrivileged({ container }: PodDraft, value: string): undefined {
  (container.securityContext ??= {}).privileged = isOn(value);
}

function setReadOnly({ container }: PodDraft, value: string): undefined {
  (container.securityContext ??= {}).readOnlyRootFilesystem = isOn(value);
}

function addMemory(pod: PodDraft, value: string): string | undefined {
  const [path = '', ...rest] = value.split(':');
  const size = rest
    .join(':')
    .split(',')
    .find((option) => option.startsWith('size='));
  const limit = size === undefined ? undefined : sizeOf(size.slice('size='.length));
  if (size !== undefined && limit === undefined) return 'the size cannot be read';
  return addMount(pod, path, {
    emptyDir: { medium: 'Memory', ...(limit !== undefined && { sizeLimit: limit }) },
  });
}

function setSharedMemory(pod: PodDraft, value: string): string | undefined {
  const sizeLimit = sizeOf(value);
  if (sizeLimit === undefined) return 'the size cannot be read';
  return addMount(pod, '/dev/shm', { emptyDir: { medium: 'Memory', sizeLimit } });
}

/** Docker's `64m` as Kubernetes' `64Mi`. */
function sizeOf(text: string): string | undefined {
  const match = /^(\d+)([bkmg]?)b?$/i.exec(text);
  if (match === null) return undefined;
  const unit = { '': '', b: '', k: 'Ki', m: 'Mi', g: 'Gi' }[(match[2] ?? '').toLowerCase()];
  return `${match[1]}${unit ?? ''}`;
}

/** Docker's own three; of others the cluster knows none. */
function setNetwork({ spec, annotations: notes }: PodDraft, value: string): string | undefined {
  if (!['host', 'bridge', 'none'].includes(value)) return `network ${value} not found`;
  spec.hostNetwork = value === 'host';
  if (value === 'none') notes[annotations.network] = 'none';
  else delete notes[annotations.network];
  return undefined;
}

function setHost(
  { spec }: PodDraft,
  field: 'hostPID' | 'hostIPC',
  value: string,
): string | undefined {
  if (value !== 'host') return 'only the host can be shared';
  spec[field] = true;
  return undefined;
}

function addDns({ spec }: PodDraft, field: 'nameservers' | 'searches', value: string): undefined {
  const config = (spec.dnsConfig ??= {});
  config[field] = [...(config[field] ?? []), value];
}

function addHost({ spec }: PodDraft, value: string): string | undefined {
  const at = value.indexOf(':');
  if (at < 1) return 'it needs the form name:address';
  const alias = { ip: value.slice(at + 1), hostnames: [value.slice(0, at)] };
  spec.hostAliases = [...(spec.hostAliases ?? []), alias];
  return undefined;
}

function addGroup({ spec }: PodDraft, value: string): string | undefined {
  if (!/^\d+$/.test(value)) return 'groups must be numbers';
  const security = (spec.securityContext ??= {});
  security.supplementalGroups = [...(security.supplementalGroups ?? []), Number(value)];
  return undefined;
}

function addSysctl({ spec }: PodDraft, value: string): string | undefined {
  const at = value.indexOf('=');
  if (at < 1) return 'it needs the form name=value';
  const security = (spec.securityContext ??= {});
  const sysctl = { name: value.slice(0, at), value: value.slice(at + 1) };
  security.sysctls = [...(security.sysctls ?? []), sysctl];
  return undefined;
}

function setFlag({ container }: PodDraft, field: 'tty' | 'stdin', value: string): undefined {
  container[field] = isOn(value);
}

function setSecurity({ container }: PodDraft, value: string): string | undefined {
  const security = (container.securityContext ??= {});
  if (value === 'no-new-privileges' || value === 'no-new-privileges:true')
    security.allowPrivilegeEscalation = false;
  else if (value === 'seccomp=unconfined' || value === 'seccomp:unconfined')
    security.seccompProfile = { type: 'Unconfined' };
  else return 'only no-new-privileges and seccomp=unconfined are';
  return undefined;
}
