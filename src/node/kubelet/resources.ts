import type { ConfigMap, Node, Pod, Secret, Service } from '#kube/kinds';
import type { KubeObject, ResourceName } from '#machinery';

/** The resources a kubelet speaks of. */
export const pods = core<Pod>('Pod', 'pods', true);
export const nodes = core<Node>('Node', 'nodes', false);
export const services = core<Service>('Service', 'services', true);
export const configMaps = core<ConfigMap>('ConfigMap', 'configmaps', true);
export const secrets = core<Secret>('Secret', 'secrets', true);
export const serviceAccounts = core<KubeObject>('ServiceAccount', 'serviceaccounts', true);

export interface RuntimeClassObject extends KubeObject {
  readonly handler: string;
}
export const runtimeClasses: ResourceName<RuntimeClassObject> = {
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  namespaced: false,
};

function core<T extends KubeObject>(
  kind: string,
  plural: string,
  namespaced: boolean,
): ResourceName<T> {
  return { group: '', version: 'v1', kind, plural, namespaced };
}
