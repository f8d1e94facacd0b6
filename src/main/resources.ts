import type { EndpointSlice, Node, Pod, Service, certificatesV1 } from '#kube/kinds';
import type { KubeObject, ResourceName } from '#machinery';

/**
 * Names of the resources that agents and verbs speak of. Only the server needs the kinds' whole
 * declarations: they take 60 ms and 25 MB to load.
 */
export const pods = resource<Pod>('', 'v1', { kind: 'Pod', plural: 'pods' });
export const services = resource<Service>('', 'v1', { kind: 'Service', plural: 'services' });
export const endpointSlices = resource<EndpointSlice>('discovery.k8s.io', 'v1', {
  kind: 'EndpointSlice',
  plural: 'endpointslices',
});
export const nodes: ResourceName<Node> = {
  ...resource<Node>('', 'v1', { kind: 'Node', plural: 'nodes' }),
  namespaced: false,
};
export const certificateSigningRequests: ResourceName<certificatesV1.CertificateSigningRequest> = {
  ...resource<certificatesV1.CertificateSigningRequest>('certificates.k8s.io', 'v1', {
    kind: 'CertificateSigningRequest',
    plural: 'certificatesigningrequests',
  }),
  namespaced: false,
};

function resource<T extends KubeObject>(
  group: string,
  version: string,
  names: Pick<ResourceName, 'kind' | 'plural'>,
): ResourceName<T> {
  return { group, version, ...names, namespaced: true };
}
