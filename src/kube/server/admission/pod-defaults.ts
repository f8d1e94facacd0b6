import type { AdmissionPlugin, AdmissionRequest, Reader } from '#apiserver';
import {
  ingressClasses,
  priorityClasses,
  storageClasses,
  type Ingress,
  type Node,
  type PersistentVolumeClaim,
  type PriorityClass,
} from '#kube/kinds';
import type { KubeObject, ResourceName } from '#machinery';
import { draftOf, isFor, newPod, refuse } from './about.ts';

/** A new node takes no Pods before it has said that it is ready. */
export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  mutate(request) {
    if (request.operation !== 'CREATE' || !isFor(request, '', 'nodes')) return;
    const node = draftOf<Node>(request);
    const taints = node.spec.taints ?? [];
    const key = 'node.kubernetes.io/not-ready';
    if (taints.some((taint) => taint.key === key && taint.effect === 'NoSchedule')) return;
    node.spec.taints = [...taints, { key, effect: 'NoSchedule' }];
  },
};

const evictionWaitSeconds = 300;

/** A Pod stays five minutes on a node that has fallen silent, unless it says otherwise. */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  mutate(request) {
    const pod = newPod(request);
    if (pod === undefined) return;
    const tolerations = [...(pod.spec.tolerations ?? [])];
    for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) {
      const has = tolerations.some(
        (one) =>
          (one.key === key || (one.key ?? '') === '') &&
          (one.effect === 'NoExecute' || (one.effect ?? '') === ''),
      );
      if (has) continue;
      tolerations.push({
        key,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: evictionWaitSeconds,
      });
    }
    pod.spec.tolerations = tolerations;
  },
};

/** Turns a Pod's class into the number that the scheduler compares. */
export function priority(reader: Reader): AdmissionPlugin {
  return {
    name: 'Priority',
    mutate: (request) => setPriority(request, reader),
    validate(request) {
      if (!isFor(request, 'scheduling.k8s.io', 'priorityclasses')) return;
      if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return;
      const own = draftOf<PriorityClass>(request);
      const other = defaultClass(reader);
      if (
        own.globalDefault === true &&
        other !== undefined &&
        other.metadata.name !== own.metadata.name
      )
        throw refuse(
          request,
          `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`,
        );
    },
  };
}

// Known before the objects are: kubernetes:pkg/apis/scheduling/helpers.go.
const systemPriorities: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
};

function setPriority(request: AdmissionRequest, reader: Reader): void {
  const pod = newPod(request);
  if (pod === undefined) return;
  const name = pod.spec.priorityClassName ?? '';
  let value = 0;
  let policy = 'PreemptLowerPriority';
  if (name === '') {
    const found = defaultClass(reader);
    if (found !== undefined) {
      pod.spec.priorityClassName = found.metadata.name;
      value = found.value;
      policy = found.preemptionPolicy ?? policy;
    }
  } else {
    const found = reader.get(priorityClasses, name);
    const known = found?.value ?? systemPriorities[name];
    if (known === undefined) throw refuse(request, `no PriorityClass with name ${name} was found`);
    value = known;
    policy = found?.preemptionPolicy ?? policy;
  }
  if (pod.spec.priority !== undefined && pod.spec.priority !== value)
    throw refuse(
      request,
      `the integer value of priority (${pod.spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
    );
  const asked = pod.spec.preemptionPolicy;
  if (asked !== undefined && asked !== policy)
    throw refuse(
      request,
      `the string value of PreemptionPolicy (${asked}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
    );
  pod.spec.priority = value;
  pod.spec.preemptionPolicy = policy;
}

function defaultClass(reader: Reader): PriorityClass | undefined {
  return reader
    .list(priorityClasses)
    .filter((one) => one.globalDefault === true)
    .toSorted((a, b) => a.value - b.value)[0];
}

/** A claim without a class gets the default one. */
export function defaultStorageClass(reader: Reader): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    mutate(request) {
      if (request.operation !== 'CREATE' || !isFor(request, '', 'persistentvolumeclaims')) return;
      const claim = draftOf<PersistentVolumeClaim>(request);
      const legacy = claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'];
      if (claim.spec.storageClassName !== undefined || legacy !== undefined) return;
      const found = markedDefault(
        reader,
        storageClasses,
        'storageclass.kubernetes.io/is-default-class',
      );
      if (found !== undefined) claim.spec.storageClassName = found;
    },
  };
}

export function defaultIngressClass(reader: Reader): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    mutate(request) {
      if (request.operation !== 'CREATE' || !isFor(request, 'networking.k8s.io', 'ingresses'))
        return;
      const ingress = draftOf<Ingress>(request);
      const legacy = ingress.metadata.annotations?.['kubernetes.io/ingress.class'];
      if (ingress.spec.ingressClassName !== undefined || legacy !== undefined) return;
      const found = markedDefault(
        reader,
        ingressClasses,
        'ingressclass.kubernetes.io/is-default-class',
      );
      if (found !== undefined) ingress.spec.ingressClassName = found;
    },
  };
}

/** The newest of those annotated as default, then the first by name. */
function markedDefault<T extends KubeObject>(
  reader: Reader,
  resource: ResourceName<T>,
  annotation: string,
): string | undefined {
  return reader
    .list(resource)
    .map((one) => one.metadata)
    .filter((one) => one.annotations?.[annotation] === 'true')
    .toSorted(
      (a, b) =>
        b.creationTimestamp.localeCompare(a.creationTimestamp) || a.name.localeCompare(b.name),
    )[0]?.name;
}
