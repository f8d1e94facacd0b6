import { addQuantities, compareQuantities } from '#base';
import type { Draft } from '#machinery';
import { isHugePages, roundResources } from '../shared/resources.ts';
import type { ResourceList } from '../shared/resources.ts';
import type {
  Container,
  DownwardAPIVolumeFile,
  HTTPGetAction,
  PersistentVolumeClaimSpec,
  PodSpec,
  PodStatus,
  Probe,
  ResourceRequirements,
  Volume,
} from '../types/core-v1.ts';
import { isSidecar } from './pod-facts.ts';

const secondsOfGrace = 30;
const fileMode = 0o644;

/** Defaults of every Pod template (the rows of SetDefaults_PodSpec and what lies below it). */
export function defaultPodSpec(spec: Draft<PodSpec>): void {
  // Canonical objects have null where the list is missing; validation asks for it.
  spec.containers ??= [];
  spec.dnsPolicy ||= 'ClusterFirst';
  spec.restartPolicy ||= 'Always';
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= secondsOfGrace;
  spec.schedulerName ||= 'default-scheduler';
  // One account under two names: the newer name counts (conversion of the reference).
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account) {
    spec.serviceAccountName = account;
    spec.serviceAccount = account;
  }
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  for (const container of spec.initContainers ?? []) defaultContainer(container);
  for (const container of spec.containers ?? []) defaultContainer(container);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container);
  roundResources(spec.overhead);
  if (spec.resources !== undefined) roundRequirements(spec.resources);
}

/** What a Pod gets beyond a template, before `defaultPodSpec`. */
export function defaultPodOnly(spec: Draft<PodSpec>): void {
  for (const container of spec.containers ?? []) requestWhatIsLimited(container.resources);
  for (const container of spec.initContainers ?? []) requestWhatIsLimited(container.resources);
  if (spec.resources !== undefined) defaultPodResources(spec, spec.resources);
  spec.enableServiceLinks ??= true;
  if (spec.hostNetwork !== true) return;
  for (const list of [spec.containers, spec.initContainers])
    for (const { ports } of list ?? [])
      for (const port of ports ?? []) port.hostPort ||= port.containerPort;
}

/** Quantities in a Pod's status are rounded like those of its spec. */
export function defaultPodStatus(status: Draft<PodStatus>): void {
  if (status.podIP && status.podIPs?.[0]?.ip !== status.podIP)
    status.podIPs = [{ ip: status.podIP }];
  else if (!status.podIP && status.podIPs?.[0] !== undefined) status.podIP = status.podIPs[0].ip;
  roundResources(status.allocatedResources);
  if (status.resources !== undefined) roundRequirements(status.resources);
  for (const list of [
    status.containerStatuses,
    status.initContainerStatuses,
    status.ephemeralContainerStatuses,
  ])
    for (const { allocatedResources, resources } of list ?? []) {
      roundResources(allocatedResources);
      if (resources !== undefined) roundRequirements(resources);
    }
}

export function roundRequirements(resources: Draft<ResourceRequirements>): void {
  roundResources(resources.limits);
  roundResources(resources.requests);
}

function requestWhatIsLimited(resources: Draft<ResourceRequirements>): void {
  const { limits } = resources;
  if (limits === undefined) return;
  for (const name in limits) {
    resources.requests ??= {};
    resources.requests[name] ??= limits[name] ?? '0';
  }
}

function defaultPodResources(spec: Draft<PodSpec>, own: Draft<ResourceRequirements>): void {
  const isEmpty = (list: ResourceList | undefined) => Object.keys(list ?? {}).length === 0;
  if (isEmpty(own.limits) && isEmpty(own.requests)) return;
  for (const [name, amount] of Object.entries(aggregateQuantities(spec, 'limits'))) {
    if (!isHugePages(name) || own.limits?.[name] !== undefined) continue;
    if (own.requests?.[name] === undefined) own.limits = { ...own.limits, [name]: amount };
  }
  if (isEmpty(own.limits)) return;
  const asked = aggregateQuantities(spec, 'requests');
  for (const name of ['cpu', 'memory']) {
    const amount = asked[name];
    if (amount !== undefined && own.requests?.[name] === undefined)
      own.requests = { ...own.requests, [name]: amount };
  }
  for (const [name, limit] of Object.entries(own.limits ?? {}))
    if (['cpu', 'memory'].includes(name) || isHugePages(name))
      own.requests = { [name]: limit, ...own.requests };
}

/** The containers' sum or the init containers' peak, as quantities. */
export function aggregateQuantities(
  spec: PodSpec | Draft<PodSpec>,
  which: 'requests' | 'limits',
): Record<string, string> {
  const total: Record<string, string> = {};
  for (const { resources } of spec.containers ?? []) addList(total, resources[which]);
  const sidecars: Record<string, string> = {};
  const peak: Record<string, string> = {};
  for (const container of spec.initContainers ?? []) {
    const step = { ...sidecars };
    addList(step, container.resources[which]);
    if (isSidecar(container)) {
      addList(sidecars, container.resources[which]);
      addList(total, container.resources[which]);
    }
    raiseList(peak, step);
  }
  raiseList(total, peak);
  return total;
}
function addList(to: Record<string, string>, list: ResourceList | undefined): void {
  for (const name in list) to[name] = addQuantities(to[name] ?? '0', list[name] ?? '0');
}
function raiseList(to: Record<string, string>, by: ResourceList): void {
  for (const name in by) {
    const amount = by[name] ?? '0';
    const now = to[name];
    if (now === undefined || compareQuantities(now, amount) < 0) to[name] = amount;
  }
}

/** `latest`, said or meant, is pulled every time. A digest alone, or no image, is not. */
export function pullPolicyOf(image: string | undefined): 'Always' | 'IfNotPresent' {
  return image !== undefined && imageTag(image) === 'latest' ? 'Always' : 'IfNotPresent';
}

const imagePattern =
  /^(?:(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?\/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*(?::(?<tag>\w[\w.-]{0,127}))?(?<digest>@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$/;
const tagsMax = 1024;
const tags = new Map<string, string | undefined>();

/** The tag of an image's name; undefined for a digest alone and for what is no image name. */
function imageTag(image: string): string | undefined {
  if (tags.has(image)) return tags.get(image);
  const groups = image.length > 4096 ? undefined : imagePattern.exec(image)?.groups;
  const tag =
    groups === undefined
      ? undefined
      : (groups['tag'] ?? (groups['digest'] === undefined ? 'latest' : undefined));
  if (tags.size >= tagsMax) tags.clear();
  tags.set(image, tag);
  return tag;
}

type AnyContainer = Omit<Draft<Container>, 'resources'> & {
  resources?: Draft<ResourceRequirements>;
};

function defaultContainer(container: AnyContainer): void {
  container.imagePullPolicy ||= pullPolicyOf(container.image);
  container.terminationMessagePath ||= '/dev/termination-log';
  container.terminationMessagePolicy ||= 'File';
  for (const port of container.ports ?? []) port.protocol ||= 'TCP';
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef !== undefined) valueFrom.fieldRef.apiVersion ||= 'v1';
    if (valueFrom?.fileKeyRef !== undefined) valueFrom.fileKeyRef.optional ??= false;
  }
  if (container.resources !== undefined) roundRequirements(container.resources);
  if (container.livenessProbe !== undefined) defaultProbe(container.livenessProbe);
  if (container.readinessProbe !== undefined) defaultProbe(container.readinessProbe);
  if (container.startupProbe !== undefined) defaultProbe(container.startupProbe);
  defaultHttpGet(container.lifecycle?.postStart?.httpGet);
  defaultHttpGet(container.lifecycle?.preStop?.httpGet);
}

function defaultProbe(probe: Draft<Probe>): void {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  defaultHttpGet(probe.httpGet);
  if (probe.grpc !== undefined) probe.grpc.service ??= '';
}
function defaultHttpGet(action: Draft<HTTPGetAction> | undefined): void {
  if (action === undefined) return;
  action.path ||= '/';
  action.scheme ||= 'HTTP';
}

export function defaultVolume(volume: Draft<Volume>): void {
  if (Object.keys(volume).every((key) => key === 'name' || volume[key as 'name'] === undefined)) {
    volume.emptyDir = {};
    return;
  }
  if (volume.image !== undefined) volume.image.pullPolicy ||= pullPolicyOf(volume.image.reference);
  if (volume.secret !== undefined) volume.secret.defaultMode ??= fileMode;
  if (volume.configMap !== undefined) volume.configMap.defaultMode ??= fileMode;
  if (volume.downwardAPI !== undefined) {
    volume.downwardAPI.defaultMode ??= fileMode;
    defaultDownward(volume.downwardAPI.items);
  }
  if (volume.projected !== undefined) {
    volume.projected.defaultMode ??= fileMode;
    for (const source of volume.projected.sources ?? []) {
      defaultDownward(source.downwardAPI?.items);
      if (source.serviceAccountToken !== undefined)
        source.serviceAccountToken.expirationSeconds ??= 3600;
    }
  }
  if (volume.ephemeral?.volumeClaimTemplate !== undefined)
    defaultClaimSpec(volume.ephemeral.volumeClaimTemplate.spec);
  defaultStorageSource(volume);
}
function defaultDownward(items: Draft<readonly DownwardAPIVolumeFile[]> | undefined): void {
  for (const { fieldRef } of items ?? []) if (fieldRef !== undefined) fieldRef.apiVersion ||= 'v1';
}

export function defaultClaimSpec(spec: Draft<PersistentVolumeClaimSpec>): void {
  spec.volumeMode ??= 'Filesystem';
  roundResources(spec.resources.limits);
  roundResources(spec.resources.requests);
}

/** The sources that volumes and PersistentVolumes share. */
interface StorageSource {
  hostPath?: Draft<Volume>['hostPath'];
  iscsi?: { iscsiInterface?: string | undefined } | undefined;
  rbd?:
    | { pool?: string | undefined; user?: string | undefined; keyring?: string | undefined }
    | undefined;
  azureDisk?: Draft<Volume>['azureDisk'];
  scaleIO?: { storageMode?: string | undefined; fsType?: string | undefined } | undefined;
}
export function defaultStorageSource(source: StorageSource): void {
  const { hostPath, iscsi, rbd, azureDisk, scaleIO } = source;
  if (hostPath !== undefined) hostPath.type ??= '';
  if (iscsi !== undefined) iscsi.iscsiInterface ||= 'default';
  if (rbd !== undefined) {
    rbd.pool ||= 'rbd';
    rbd.user ||= 'admin';
    rbd.keyring ||= '/etc/ceph/keyring';
  }
  if (azureDisk !== undefined) {
    azureDisk.cachingMode ??= 'ReadWrite';
    azureDisk.fsType ??= 'ext4';
    azureDisk.readOnly ??= false;
    azureDisk.kind ??= 'Shared';
  }
  if (scaleIO !== undefined) {
    scaleIO.storageMode ||= 'ThinProvisioned';
    scaleIO.fsType ||= 'xfs';
  }
}
