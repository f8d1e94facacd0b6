import { services as serviceKind, type Service } from '#kube/kinds';
import { createLoop, type ControllerContext, type Runnable } from './context.ts';
import { dotted } from './node-ipam.ts';

/** Addresses from `first` to `last`, both included. */
export interface AddressRange {
  readonly first: string;
  readonly last: string;
}

/** Gives Services of type LoadBalancer an address out of a range, and takes it back. */
export function loadBalancerController(context: ControllerContext, range: AddressRange): Runnable {
  const services = context.informers.of<Service>(serviceKind);
  const recorder = context.recorder('service-controller');
  const first = numberOf(range.first);
  const last = numberOf(range.last);
  const addressOf = ({ status }: Service): string | undefined =>
    status.loadBalancer.ingress?.[0]?.ip;
  /** Given, but not yet seen back. */
  const given = new Map<string, string>();
  return createLoop(context, {
    name: 'service-lb-controller',
    workers: 1,
    needs: [services],
    setup: (queue) => {
      services.onChange(({ key, object, old }) => {
        if (object === undefined) given.delete(key);
        else queue.add(key);
        if (old === undefined || addressOf(old) === undefined) return;
        // An address came free: whoever waits for one may have it.
        if (object === undefined || addressOf(object) === undefined)
          for (const one of services.list())
            if (isOurs(one) && addressOf(one) === undefined)
              queue.add(`${one.metadata.namespace}/${one.metadata.name}`);
      });
    },
    reconcile: async (key) => {
      const service = services.get(key);
      if (service === undefined || service.metadata.deletionTimestamp !== undefined)
        return undefined;
      const now = addressOf(service);
      if (!isOurs(service)) {
        given.delete(key);
        if (now !== undefined && service.spec.type !== 'LoadBalancer')
          await write(context, service, undefined);
        return undefined;
      }
      if (now !== undefined) return undefined;
      const taken = new Set([...given].filter(([one]) => one !== key).map(([, ip]) => ip));
      for (const one of services.list()) taken.add(addressOf(one) ?? '');
      const free = given.get(key) ?? freeAddress(service, { first, last, taken });
      if (free === undefined) {
        const asked = service.spec.loadBalancerIP;
        const message = asked
          ? `Error syncing load balancer: failed to ensure load balancer: address ${asked} is taken or not in ${range.first}-${range.last}`
          : `Error syncing load balancer: failed to ensure load balancer: no address left in ${range.first}-${range.last}`;
        recorder.event(service, 'Warning', { reason: 'SyncLoadBalancerFailed', message });
        return undefined; // an address that comes free brings the key back
      }
      given.set(key, free);
      recorder.event(service, 'Normal', {
        reason: 'EnsuringLoadBalancer',
        message: 'Ensuring load balancer',
      });
      await write(context, service, free);
      recorder.event(service, 'Normal', {
        reason: 'EnsuredLoadBalancer',
        message: 'Ensured load balancer',
      });
      return undefined;
    },
  });
}

/** Services with a class of their own belong to another implementation. */
function isOurs({ spec }: Service): boolean {
  return spec.type === 'LoadBalancer' && !spec.loadBalancerClass;
}

function freeAddress(
  service: Service,
  { first, last, taken }: { first: number; last: number; taken: ReadonlySet<string> },
): string | undefined {
  const asked = service.spec.loadBalancerIP;
  if (asked) {
    const at = numberOf(asked);
    return at >= first && at <= last && !taken.has(asked) ? asked : undefined;
  }
  for (let at = first; at <= last; at++) if (!taken.has(dotted(at))) return dotted(at);
  return undefined;
}

async function write(
  { api }: ControllerContext,
  service: Service,
  ip: string | undefined,
): Promise<void> {
  const { name, namespace, uid } = service.metadata;
  const ingress = ip === undefined ? null : [{ ip, ipMode: 'VIP' }];
  await api.patch(
    serviceKind,
    { name, namespace, subresource: 'status' },
    { type: 'merge', body: { metadata: { uid }, status: { loadBalancer: { ingress } } } },
  );
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}
