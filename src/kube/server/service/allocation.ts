import type { Random } from '#base';
import type { AdmissionPlugin, AdmissionRequest, Reader } from '#apiserver';
import { services, type Service } from '#kube/kinds';
import { type Draft, type Problem, internalError, invalid, problem } from '#machinery';
import { draftOf, isFor } from '../admission/about.ts';
import { BandAllocator, addressNumber, bandOffset, numberAddress, parseRange } from './bands.ts';
import { carryOver, dropUnusable, setFamilies } from './fields.ts';

export interface ServiceAllocationOptions {
  readonly serviceRange: string;
  readonly random: Random;
}
/** Node ports, as the reference's default range. */
export const nodePortRange = { first: 30_000, size: 2768 } as const;
/** Mesos agents offer these; automatic node ports keep clear of them. */
export const mesosPorts = { first: 31_000, last: 32_000 } as const;

/** What one request has taken and not yet kept. */
interface Taken {
  readonly owner: string;
  readonly addresses: number[];
  readonly ports: number[];
}

/**
 * Addresses and node ports of Services. What Services hold follows the watch cache; what a request
 * took is given back by `settle` when its write fails. `check()` compares both.
 */
export class ServiceAllocation implements AdmissionPlugin, Disposable {
  readonly name = 'ServiceAllocation';
  readonly #reader: Reader;
  readonly #range: string;
  readonly #addresses: BandAllocator;
  readonly #first: number;
  readonly #ports: BandAllocator;
  readonly #taken = new Map<AdmissionRequest, Taken>();
  readonly #watch: Disposable;

  constructor(reader: Reader, options: ServiceAllocationOptions) {
    this.#reader = reader;
    this.#range = options.serviceRange;
    const { first, size } = parseRange(options.serviceRange);
    this.#first = first;
    // Neither the network's own address nor the broadcast address is anybody's.
    const usable = { first: first + 1, size: size - 2, offset: bandOffset(size, 16, 256) };
    this.#addresses = new BandAllocator(usable, options.random);
    this.#ports = new BandAllocator(
      { ...nodePortRange, offset: bandOffset(nodePortRange.size, 32, 128) },
      options.random,
      (port) => port >= mesosPorts.first && port <= mesosPorts.last,
    );
    this.#watch = reader.onChange(services, ({ key, object, old }) =>
      this.#follow(key, object, old),
    );
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
  }

  /** Takes over what stored Services hold. */
  rebuild(): void {
    for (const service of this.#reader.list(services))
      this.#follow(keyOf(service), service, undefined);
  }

  mutate(request: AdmissionRequest): void {
    if (!isFor(request, '', 'services')) return;
    if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return;
    const service = draftOf<Service>(request);
    const old = request.old as Service | undefined;
    if (old !== undefined) {
      carryOver(service, old);
      dropUnusable(service, old);
    }
    setFamilies(request, service, old);
    const name = service.metadata.name ?? '';
    const taken: Taken = { owner: `${request.namespace}/${name}`, addresses: [], ports: [] };
    try {
      this.#takeAddresses(request, service, taken);
      this.#takePorts(request, service, taken);
    } catch (error) {
      this.#giveBack(taken);
      throw error;
    }
    if (request.dryRun) this.#giveBack(taken);
    else if (taken.addresses.length > 0 || taken.ports.length > 0) this.#taken.set(request, taken);
  }

  settle(request: AdmissionRequest, committed: boolean): void {
    const taken = this.#taken.get(request);
    if (taken === undefined) return;
    this.#taken.delete(request);
    if (!committed) this.#giveBack(taken);
  }

  #giveBack(taken: Taken): void {
    for (const value of taken.addresses) this.#addresses.release(value, taken.owner);
    for (const value of taken.ports) this.#ports.release(value, taken.owner);
  }

  /** What the Service had and has no more is free; what it has is its own, however it came by it. */
  #follow(key: string, service: Service | undefined, old: Service | undefined): void {
    const addresses = addressesOf(service);
    const ports = portsOf(service);
    for (const value of addressesOf(old))
      if (!addresses.includes(value)) this.#addresses.release(value, key);
    for (const value of portsOf(old)) if (!ports.includes(value)) this.#ports.release(value, key);
    for (const value of addresses) this.#addresses.take(value, key);
    for (const value of ports) this.#ports.take(value, key);
  }

  #takeAddresses(request: AdmissionRequest, service: Draft<Service>, taken: Taken): void {
    const { spec } = service;
    if (spec.type === 'ExternalName' || spec.clusterIP === 'None') return;
    const wanted = spec.clusterIPs?.[0] ?? '';
    if (wanted === '') {
      if (request.dryRun) {
        spec.clusterIP = numberAddress(this.#first);
      } else {
        const value = this.#addresses.takeAny(taken.owner);
        if (value === undefined)
          throw internalError(
            `failed to allocate a serviceIP for Service ${JSON.stringify(service.metadata.name)}: range is full`,
          );
        taken.addresses.push(value);
        spec.clusterIP = numberAddress(value);
      }
      spec.clusterIPs = [spec.clusterIP];
      return;
    }
    const value = addressNumber(wanted);
    const refusal = (text: string): Error =>
      refused(
        request,
        problem.invalid(
          'spec.clusterIPs',
          spec.clusterIPs,
          `failed to allocate IP ${wanted}: ${text}`,
        ),
      );
    // What is no address at all is told by validation.
    if (value === undefined) return;
    if (!this.#addresses.contains(value))
      throw refusal(
        `the provided IP (${wanted}) is not in the valid range. The range of valid IPs is ${this.#range}`,
      );
    const before = this.#addresses.ownerOf(value);
    if (!this.#addresses.take(value, taken.owner))
      throw refusal('provided IP is already allocated');
    if (before === undefined) taken.addresses.push(value);
  }

  #takePorts(request: AdmissionRequest, service: Draft<Service>, taken: Taken): void {
    const { spec } = service;
    const needs =
      spec.type === 'NodePort' ||
      (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
    const explicit = spec.type === 'LoadBalancer';
    if (needs || explicit) {
      const given = new Map<string, number>();
      for (const [index, port] of (spec.ports ?? []).entries()) {
        const asked = port.nodePort ?? 0;
        if (asked !== 0)
          this.#takePort(request, taken, { path: `spec.ports[${index}].nodePort`, port: asked });
        else if (needs) {
          // TCP and UDP of one port share a node port, as far as a client that gave none can tell.
          const shared = given.get(`${port.port}`);
          const value = shared ?? this.#anyPort(taken, 'a nodePort');
          port.nodePort = value;
        }
        if (port.nodePort !== undefined && port.nodePort !== 0)
          given.set(`${port.port}`, port.nodePort);
      }
    }
    if (spec.type !== 'LoadBalancer' || spec.externalTrafficPolicy !== 'Local') return;
    const asked = spec.healthCheckNodePort ?? 0;
    if (asked === 0) {
      spec.healthCheckNodePort = this.#anyPort(taken, 'a HealthCheck NodePort 0');
      return;
    }
    const before = this.#ports.ownerOf(asked);
    if (!this.#ports.take(asked, taken.owner))
      throw internalError(
        `failed to allocate requested HealthCheck NodePort ${asked}: ${this.#portText(asked)}`,
      );
    if (before === undefined) taken.ports.push(asked);
  }

  #takePort(
    request: AdmissionRequest,
    taken: Taken,
    wanted: { readonly path: string; readonly port: number },
  ): void {
    const before = this.#ports.ownerOf(wanted.port);
    if (!this.#ports.take(wanted.port, taken.owner))
      throw refused(
        request,
        problem.invalid(wanted.path, wanted.port, this.#portText(wanted.port)),
      );
    if (before === undefined) taken.ports.push(wanted.port);
  }

  #portText(port: number): string {
    return this.#ports.contains(port)
      ? 'provided port is already allocated'
      : 'provided port is not in the valid range. The range of valid ports is 30000-32767';
  }

  #anyPort(taken: Taken, what: string): number {
    const value = this.#ports.takeAny(taken.owner);
    if (value === undefined) throw internalError(`failed to allocate ${what}: range is full`);
    taken.ports.push(value);
    return value;
  }

  /** Everything handed out belongs to a Service that has it or to a request under way, and no more. */
  check(): void {
    const wanted = new Map<string, string>();
    for (const service of this.#reader.list(services)) {
      for (const value of addressesOf(service)) wanted.set(`ip ${value}`, keyOf(service));
      for (const value of portsOf(service)) wanted.set(`port ${value}`, keyOf(service));
    }
    for (const taken of this.#taken.values()) {
      for (const value of taken.addresses) wanted.set(`ip ${value}`, taken.owner);
      for (const value of taken.ports) wanted.set(`port ${value}`, taken.owner);
    }
    const held = new Map<string, string>([
      ...[...this.#addresses.entries()].map(
        ([value, owner]) => [`ip ${value}`, owner] as [string, string],
      ),
      ...[...this.#ports.entries()].map(
        ([value, owner]) => [`port ${value}`, owner] as [string, string],
      ),
    ]);
    for (const [what, owner] of wanted)
      if (this.#isOurs(what) && held.get(what) !== owner)
        throw new Error(
          `Service allocation differs: ${what} is "${owner}"'s, "${held.get(what)}" holds it`,
        );
    for (const [what, owner] of held)
      if (!wanted.has(what)) throw new Error(`Service allocation leaks: ${what} of "${owner}"`);
  }

  #isOurs(what: string): boolean {
    const value = Number(what.slice(what.indexOf(' ') + 1));
    return what.startsWith('ip') ? this.#addresses.contains(value) : this.#ports.contains(value);
  }
}

function refused(request: AdmissionRequest, one: Problem): Error {
  return invalid(request.kind, request.object?.metadata.name ?? request.name, [one]);
}

function keyOf(service: Service): string {
  return `${service.metadata.namespace}/${service.metadata.name}`;
}

function addressesOf(service: Service | undefined): readonly number[] {
  if (service === undefined) return [];
  const { clusterIP, clusterIPs } = service.spec;
  return [...new Set([clusterIP ?? '', ...(clusterIPs ?? [])])]
    .map(addressNumber)
    .filter((value) => value !== undefined);
}

function portsOf(service: Service | undefined): readonly number[] {
  if (service === undefined) return [];
  const ports = (service.spec.ports ?? []).map((port) => port.nodePort ?? 0);
  return [...new Set([...ports, service.spec.healthCheckNodePort ?? 0])].filter(
    (port) => port !== 0,
  );
}
