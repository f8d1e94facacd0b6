import { createOwnWrites } from '#client';
import {
  endpointSlices as sliceKind,
  endpoints as endpointsKind,
  services as serviceKind,
  type Endpoint,
  type EndpointAddress,
  type EndpointSlice,
  type Endpoints,
  type Service,
} from '#kube/kinds';
import { isStatus } from '#machinery';
import {
  controllerReference,
  createLoop,
  type ControllerContext,
  type Runnable,
} from './context.ts';
import {
  fit,
  managedByLabel,
  serviceLabel,
  writeSlice,
  type WantedGroup,
} from './endpoint-slices.ts';
import { hasSelector } from './service-endpoints.ts';

const managedBy = 'endpointslicemirroring-controller.k8s.io';
const skipLabel = 'endpointslice.kubernetes.io/skip-mirror';
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader';
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
const triggerTime = 'endpoints.kubernetes.io/last-change-trigger-time';
const addressesPerSubsetMax = 1000;

/**
 * Services without a selector have Endpoints that somebody writes by hand: they are mirrored to
 * EndpointSlices, which is what proxies and DNS read.
 */
export function endpointSliceMirroringController(context: ControllerContext): Runnable {
  const { api, informers } = context;
  const services = informers.of<Service>(serviceKind);
  const endpoints = informers.of<Endpoints>(endpointsKind);
  const slices = informers.of<EndpointSlice>(sliceKind);
  const own = createOwnWrites(slices);
  return createLoop(context, {
    name: 'endpointslicemirroring-controller',
    needs: [services, endpoints, slices],
    setup: (queue) => {
      services.onChange(({ key }) => queue.add(key));
      endpoints.onChange(({ key }) => queue.add(key));
      slices.onChange(({ object, old }) => {
        const { labels, namespace } = (object ?? old)?.metadata ?? {};
        const name = labels?.[serviceLabel];
        if (name !== undefined && labels?.[managedByLabel] === managedBy)
          queue.add(`${namespace}/${name}`);
      });
    },
    reconcile: async (key) => {
      if (!own.caughtUp(key)) return undefined;
      const source = endpoints.get(key);
      const service = services.get(key);
      const mirrored =
        source !== undefined &&
        service !== undefined &&
        !hasSelector(service) &&
        source.metadata.deletionTimestamp === undefined &&
        source.metadata.labels?.[skipLabel] !== 'true' &&
        source.metadata.annotations?.[leaderAnnotation] === undefined;
      const existing = slices
        .by('service', key)
        .filter(({ metadata }) => metadata.labels?.[managedByLabel] === managedBy);
      const { changes, surplus } = fit(mirrored ? groupsOf(source) : [], existing);
      if (mirrored)
        for (const change of changes)
          own.wrote(key, await writeSlice(api, change, metadataOf(source)));
      for (const slice of surplus) {
        const { name, namespace, uid } = slice.metadata;
        try {
          await api.delete(sliceKind, { name, namespace }, { uid });
          own.deleted(key, slice);
        } catch (error) {
          if (!isStatus(error, 'NotFound')) throw error;
        }
      }
      return undefined;
    },
  });
}

/** A group for each subset and address family. Addresses are unique within a group. */
function groupsOf({ subsets = [] }: Endpoints): readonly WantedGroup[] {
  const groups: WantedGroup[] = [];
  for (const subset of subsets) {
    const all = [
      ...(subset.addresses ?? []).map((address) => ({ address, ready: true })),
      ...(subset.notReadyAddresses ?? []).map((address) => ({ address, ready: false })),
    ].slice(0, addressesPerSubsetMax);
    const ports = (subset.ports ?? []).map(({ name, port, protocol = 'TCP', appProtocol }) => ({
      name: name ?? '',
      port,
      protocol,
      ...(appProtocol === undefined ? {} : { appProtocol }),
    }));
    for (const addressType of ['IPv4', 'IPv6']) {
      const endpoints = new Map<string, Endpoint>();
      for (const { address, ready } of all)
        if (address.ip.includes(':') === (addressType === 'IPv6'))
          endpoints.set(address.ip, endpointOf(address, ready));
      if (endpoints.size > 0)
        groups.push({ addressType, ports, endpoints: [...endpoints.values()] });
    }
  }
  return groups;
}

function endpointOf(address: EndpointAddress, ready: boolean): Endpoint {
  const { ip, hostname, nodeName, targetRef } = address;
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname === undefined || hostname === '' ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef === undefined ? {} : { targetRef }),
  };
}

function metadataOf(source: Endpoints) {
  const { name, namespace, labels, annotations } = source.metadata;
  const copied = Object.entries(annotations ?? {}).filter(
    ([key]) => key !== lastApplied && key !== triggerTime,
  );
  return {
    generateName: `${name}-`,
    namespace,
    labels: { ...labels, [serviceLabel]: name, [managedByLabel]: managedBy },
    annotations: Object.fromEntries(copied),
    ownerReferences: [controllerReference(source)],
  };
}
