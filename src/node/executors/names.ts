import type { Pod } from '#kube/kinds';
import type { ResourceName } from '#machinery';

export const pods: ResourceName<Pod> = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  namespaced: true,
};

/** What the Mesos master writes on Pods of frameworks. */
export const podLabels = { frameworkID: 'mesos.tandem.dev/framework-id' } as const;
export const podAnnotations = {
  /** The ExecutorInfo as v1 JSON. */
  executor: 'mesos.tandem.dev/executor',
  /** Operating system user of the executor and of command tasks. */
  user: 'mesos.tandem.dev/user',
  /** `none`: nothing but loopback. */
  network: 'mesos.tandem.dev/network',
} as const;
/** Labels the kubelet puts on every container. */
export const containerLabels = {
  uid: 'io.kubernetes.pod.uid',
  name: 'io.kubernetes.pod.name',
  namespace: 'io.kubernetes.pod.namespace',
} as const;
