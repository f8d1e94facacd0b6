import { keyOf, seconds } from '#client';
import {
  endpoints as endpointsKind,
  pods as podKind,
  services as serviceKind,
  type EndpointAddress,
  type Endpoints,
  type Pod,
  type Service,
} from '#kube/kinds';
import { isStatus } from '#machinery';
import { createLoop, sameValue, type ControllerContext, type Runnable } from './context.ts';
import {
  backendsOf,
  hasSelector,
  hostnameOf,
  isHeadless,
  sameToServices,
  selects,
  targetRefOf,
} from './service-endpoints.ts';

const managedBy = { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' };
const overCapacity = 'endpoints.kubernetes.io/over-capacity';
const triggerTime = 'endpoints.kubernetes.io/last-change-trigger-time';
const addressesMax = 1000;

/** Keeps the v1 Endpoints of every Service with a selector, for clients that still read them. */
export function endpointsController(context: ControllerContext): Runnable {
  const { api, clock, informers } = context;
  const services = informers.of<Service>(serviceKind);
  const pods = informers.of<Pod>(podKind);
  const endpoints = informers.of<Endpoints>(endpointsKind);
  return createLoop(context, {
    name: 'endpoints-controller',
    needs: [services, pods, endpoints],
    setup: (queue) => {
      services.onChange(({ key }) => queue.add(key));
      endpoints.onChange(({ key }) => queue.add(key));
      pods.onChange(({ object, old }) => {
        if (object !== undefined && old !== undefined && sameToServices(object, old)) return;
        for (const service of services.by('namespace', (object ?? old)?.metadata.namespace ?? ''))
          if ([object, old].some((pod) => pod !== undefined && selects(service, pod)))
            queue.add(keyOf(service));
      });
    },
    reconcile: async (key) => {
      const service = services.get(key);
      const there = endpoints.get(key);
      if (service === undefined) {
        const ours = there?.metadata.labels?.['endpoints.kubernetes.io/managed-by'] !== undefined;
        if (there !== undefined && ours) await remove(context, there);
        return undefined;
      }
      if (!hasSelector(service)) return undefined;
      const { name, namespace, labels: own } = service.metadata;
      const { subsets, truncated } = subsetsOf(service, pods.by('namespace', namespace ?? ''));
      const headless = isHeadless(service) ? { 'service.kubernetes.io/headless': '' } : {};
      const labels = { ...own, ...managedBy, ...headless };
      const same =
        there !== undefined &&
        sameValue(there.subsets ?? [], subsets) &&
        sameValue(there.metadata.labels, labels);
      if (same) return undefined;
      const annotations = {
        [triggerTime]: seconds(clock.nowMs()),
        ...(truncated ? { [overCapacity]: 'truncated' } : {}),
      };
      const body = { apiVersion: 'v1', kind: 'Endpoints', subsets };
      if (there === undefined)
        await api.create<Endpoints>(endpointsKind, {
          ...body,
          metadata: { name, namespace, labels, annotations },
        });
      else
        await api.update<Endpoints>(endpointsKind, {
          ...body,
          metadata: { ...there.metadata, labels, annotations },
        });
      return undefined;
    },
  });
}

function subsetsOf(service: Service, pods: readonly Pod[]) {
  const backends = backendsOf(service, pods, 'IPv4')
    .filter(({ terminating }) => !terminating || service.spec.publishNotReadyAddresses === true)
    .toSorted((a, b) => (a.address < b.address ? -1 : 1));
  const groups = new Map<
    string,
    {
      addresses: EndpointAddress[];
      notReadyAddresses: EndpointAddress[];
      ports: { name?: string; port: number; protocol?: string }[];
    }
  >();
  for (const backend of backends.slice(0, addressesMax)) {
    const hostname = hostnameOf(service, backend.pod);
    const address: EndpointAddress = {
      ip: backend.address,
      ...(hostname === undefined ? {} : { hostname }),
      nodeName: backend.pod.spec.nodeName,
      targetRef: targetRefOf(backend.pod),
    };
    const portKey = JSON.stringify(backend.ports);
    const ports = backend.ports.map(({ name, port = 0, protocol = 'TCP' }) => ({
      ...(name ? { name } : {}),
      port,
      protocol,
    }));
    const group = groups.get(portKey) ?? { addresses: [], notReadyAddresses: [], ports };
    (backend.ready ? group.addresses : group.notReadyAddresses).push(address);
    groups.set(portKey, group);
  }
  const subsets = [...groups.values()].map(({ addresses, notReadyAddresses, ports }) => ({
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses }),
    ports,
  }));
  return { subsets, truncated: backends.length > addressesMax };
}

async function remove({ api }: ControllerContext, { metadata }: Endpoints): Promise<void> {
  const { name, namespace, uid } = metadata;
  try {
    await api.delete(endpointsKind, { name, namespace }, { uid });
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error;
  }
}
