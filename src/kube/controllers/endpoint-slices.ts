import { createOwnWrites, keyOf, seconds, type OwnWrites } from '#client';
import {
  endpointSlices as sliceKind,
  nodes as nodeKind,
  pods as podKind,
  services as serviceKind,
  type Endpoint,
  type EndpointSlice,
  type EndpointSlicePort,
  type Node,
  type Pod,
  type Service,
} from '#kube/kinds';
import { isStatus, type Api, type OwnerReference } from '#machinery';
import {
  controllerReference,
  createLoop,
  sameValue,
  type ControllerContext,
  type Runnable,
} from './context.ts';
import {
  backendsOf,
  hasSelector,
  hostnameOf,
  isHeadless,
  sameToServices,
  selects,
  targetRefOf,
  type ServiceBackend,
} from './service-endpoints.ts';

const managedBy = 'endpointslice-controller.k8s.io';
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
export const serviceLabel = 'kubernetes.io/service-name';
const headlessLabel = 'service.kubernetes.io/headless';
const triggerAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time';
const endpointsPerSliceMax = 100;

/** Keeps the EndpointSlices of every Service with a selector. */
export function endpointSliceController(context: ControllerContext): Runnable {
  const { api, clock, informers } = context;
  const services = informers.of<Service>(serviceKind);
  const pods = informers.of<Pod>(podKind);
  const slices = informers.of<EndpointSlice>(sliceKind);
  const nodes = informers.of<Node>(nodeKind);
  const own: OwnWrites<EndpointSlice> = createOwnWrites(slices);
  const reconcile = async (key: string) => {
    const service = services.get(key);
    if (!own.caughtUp(key)) return undefined;
    const existing = slices
      .by('service', key)
      .filter(({ metadata }) => metadata.labels?.[managedByLabel] === managedBy);
    const gone =
      service === undefined ||
      service.metadata.deletionTimestamp !== undefined ||
      !hasSelector(service);
    const wanted = gone
      ? []
      : wantedSlices(service, pods.by('namespace', service.metadata.namespace ?? ''), (name) =>
          nodes.get(name),
        );
    const { changes, surplus } = fit(wanted, existing);
    if (!gone)
      for (const change of changes) {
        const metadata = sliceMetadata(service, seconds(clock.nowMs()));
        own.wrote(key, await writeSlice(api, change, metadata));
      }
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
  };
  return createLoop(context, {
    name: 'endpointslice-controller',
    needs: [services, pods, slices, nodes],
    setup: (queue) => {
      services.onChange(({ key }) => queue.add(key));
      pods.onChange(({ object, old }) => {
        if (object !== undefined && old !== undefined && sameToServices(object, old)) return;
        const namespace = (object ?? old)?.metadata.namespace ?? '';
        for (const service of services.by('namespace', namespace))
          if ([object, old].some((pod) => pod !== undefined && selects(service, pod)))
            queue.add(keyOf(service));
      });
      slices.onChange(({ object, old }) => {
        const labels = (object ?? old)?.metadata.labels;
        const name = labels?.[serviceLabel];
        if (name !== undefined && labels?.[managedByLabel] === managedBy)
          queue.add(`${(object ?? old)?.metadata.namespace}/${name}`);
      });
    },
    reconcile,
  });
}

/** Creates or renews one slice. */
export async function writeSlice(
  api: Api,
  { slice, endpoints, ports, addressType }: Change,
  metadata: SliceMetadata,
): Promise<EndpointSlice> {
  const body = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    addressType,
    endpoints,
    ports,
  };
  if (slice === undefined) return api.create<EndpointSlice>(sliceKind, { ...body, metadata });
  const annotations = { ...slice.metadata.annotations, ...metadata.annotations };
  return api.update<EndpointSlice>(sliceKind, {
    ...body,
    metadata: { ...slice.metadata, labels: metadata.labels, annotations },
  });
}

/** Endpoints that share ports and address family; as many slices as they need. */
export interface WantedGroup {
  readonly addressType: string;
  readonly ports: readonly EndpointSlicePort[];
  readonly endpoints: readonly Endpoint[];
}

/** One group for each address family and each set of ports that Pods have. */
function wantedSlices(
  service: Service,
  pods: readonly Pod[],
  nodeOf: (name: string) => Node | undefined,
): readonly WantedGroup[] {
  const families = service.spec.ipFamilies ?? ['IPv4'];
  const groups: WantedGroup[] = [];
  for (const family of families) {
    const addressType = family === 'IPv6' ? 'IPv6' : 'IPv4';
    const byPorts = new Map<
      string,
      { ports: readonly EndpointSlicePort[]; endpoints: Endpoint[] }
    >();
    for (const backend of backendsOf(service, pods, addressType)) {
      const portKey = JSON.stringify(backend.ports);
      const group = byPorts.get(portKey) ?? { ports: backend.ports, endpoints: [] };
      group.endpoints.push(endpointOf(service, backend, nodeOf));
      byPorts.set(portKey, group);
    }
    // A Service without Pods has one slice without endpoints and ports: it says "nobody".
    if (byPorts.size === 0) groups.push({ addressType, ports: [], endpoints: [] });
    for (const group of byPorts.values()) groups.push({ addressType, ...group });
  }
  return groups;
}

function endpointOf(
  service: Service,
  backend: ServiceBackend,
  nodeOf: (name: string) => Node | undefined,
): Endpoint {
  const { pod, address, ready, serving, terminating } = backend;
  const nodeName = pod.spec.nodeName;
  const zone = nodeOf(nodeName ?? '')?.metadata.labels?.['topology.kubernetes.io/zone'];
  const hostname = hostnameOf(service, pod);
  return {
    addresses: [address],
    conditions: { ready, serving, terminating },
    ...(hostname === undefined ? {} : { hostname }),
    targetRef: targetRefOf(pod),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(zone === undefined ? {} : { zone }),
  };
}

interface Change extends WantedGroup {
  readonly slice: EndpointSlice | undefined;
}

/** Keeps endpoints in the slice they are in, fills gaps, and names what must be written. */
export function fit(
  wanted: readonly WantedGroup[],
  existing: readonly EndpointSlice[],
): { readonly changes: readonly Change[]; readonly surplus: readonly EndpointSlice[] } {
  const changes: Change[] = [];
  const unused = new Set(existing);
  for (const group of wanted) {
    const mine = existing.filter(
      (slice) =>
        unused.has(slice) &&
        slice.addressType === group.addressType &&
        sameValue(slice.ports ?? [], group.ports),
    );
    // A slice that said "nobody" takes in the first endpoints.
    const spare = [...unused].find(
      (slice) => slice.addressType === group.addressType && (slice.endpoints ?? []).length === 0,
    );
    if (mine.length === 0 && spare !== undefined) mine.push(spare);
    const left = new Map(group.endpoints.map((one) => [endpointKey(one), one]));
    const filled = mine.map((slice) => {
      const kept: Endpoint[] = [];
      for (const old of slice.endpoints ?? []) {
        const now = left.get(endpointKey(old));
        if (now !== undefined) kept.push(now);
        left.delete(endpointKey(old));
      }
      return { slice, kept };
    });
    const rest = [...left.values()];
    for (const { slice, kept } of filled) {
      kept.push(...rest.splice(0, endpointsPerSliceMax - kept.length));
      if (kept.length === 0 && (group.endpoints.length > 0 || changes.length > 0)) continue;
      unused.delete(slice);
      const same =
        sameValue(slice.endpoints ?? [], kept) && sameValue(slice.ports ?? [], group.ports);
      if (!same) changes.push({ ...group, endpoints: kept, slice });
    }
    while (rest.length > 0)
      changes.push({ ...group, endpoints: rest.splice(0, endpointsPerSliceMax), slice: undefined });
    if (group.endpoints.length === 0 && mine.length === 0)
      changes.push({ ...group, slice: undefined });
  }
  return { changes, surplus: [...unused] };
}

function endpointKey({ addresses, targetRef }: Endpoint): string {
  return `${targetRef?.uid}|${addresses.join()}`;
}

interface SliceMetadata {
  readonly generateName: string;
  readonly namespace: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly ownerReferences: readonly OwnerReference[];
}

function sliceMetadata(service: Service, now: string): SliceMetadata {
  const { name, namespace, labels } = service.metadata;
  const copied = Object.fromEntries(
    Object.entries(labels ?? {}).filter(
      ([label]) => label !== serviceLabel && label !== managedByLabel && label !== headlessLabel,
    ),
  );
  return {
    generateName: `${name}-`,
    namespace,
    labels: {
      ...copied,
      [serviceLabel]: name,
      [managedByLabel]: managedBy,
      ...(isHeadless(service) ? { [headlessLabel]: '' } : {}),
    },
    annotations: { [triggerAnnotation]: now },
    ownerReferences: [controllerReference(service)],
  };
}
