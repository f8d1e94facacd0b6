import type { AdmissionRequest } from '#apiserver';
import type { Service } from '#kube/kinds';
import { type Draft, type Problem, invalid, problem } from '#machinery';

/** What an update leaves out and the server had chosen stays (storage/alloc.go patchAllocatedValues). */
export function carryOver(service: Draft<Service>, old: Service): void {
  const { spec } = service;
  const before = old.spec;
  if (spec.type !== 'ExternalName' && before.type !== 'ExternalName') {
    const changed = (spec.clusterIP ?? '') !== '' && spec.clusterIP !== before.clusterIP;
    if (changed && JSON.stringify(spec.clusterIPs) === JSON.stringify(before.clusterIPs))
      spec.clusterIPs = [spec.clusterIP ?? ''];
    if ((spec.clusterIP ?? '') === '' && before.clusterIP !== undefined)
      spec.clusterIP = before.clusterIP;
    if (
      (spec.clusterIPs ?? []).length === 0 &&
      spec.clusterIP === before.clusterIP &&
      before.clusterIPs !== undefined
    )
      spec.clusterIPs = [...before.clusterIPs];
  }
  if (hasNodePorts(spec) && hasNodePorts(before)) carryPorts(service, old);
  if (needsHealthCheck(spec) && needsHealthCheck(before) && (spec.healthCheckNodePort ?? 0) === 0)
    spec.healthCheckNodePort = before.healthCheckNodePort;
}

function carryPorts(service: Draft<Service>, old: Service): void {
  const ports = service.spec.ports ?? [];
  const used = new Set(ports.map((port) => port.nodePort ?? 0));
  for (const port of ports) {
    if ((port.nodePort ?? 0) !== 0) continue;
    const earlier = (old.spec.ports ?? []).find((one) => (one.name ?? '') === (port.name ?? ''));
    const value = earlier?.nodePort ?? 0;
    if (value === 0 || used.has(value)) continue;
    port.nodePort = value;
    used.add(value);
  }
}

/** A new type cannot have what the old one had; what the client did not touch goes (dropTypeDependentFields). */
export function dropUnusable(service: Draft<Service>, old: Service): void {
  const { spec } = service;
  const before = old.spec;
  const same = (key: keyof Service['spec']): boolean =>
    JSON.stringify(spec[key]) === JSON.stringify(before[key]);
  if (
    spec.type === 'ExternalName' &&
    before.type !== 'ExternalName' &&
    same('clusterIP') &&
    same('clusterIPs')
  ) {
    delete spec.clusterIP;
    delete spec.clusterIPs;
    if (same('ipFamilies')) delete spec.ipFamilies;
    if (same('ipFamilyPolicy')) delete spec.ipFamilyPolicy;
  }
  if (hasNodePorts(before) && !hasNodePorts(spec)) {
    const earlier = new Set((before.ports ?? []).map((port) => port.nodePort ?? 0));
    const ports = spec.ports ?? [];
    if (ports.every((port) => earlier.has(port.nodePort ?? 0)))
      for (const port of ports) delete port.nodePort;
  }
  if (needsHealthCheck(before) && !needsHealthCheck(spec) && same('healthCheckNodePort'))
    delete spec.healthCheckNodePort;
  if (before.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (same('allocateLoadBalancerNodePorts')) delete spec.allocateLoadBalancerNodePorts;
    if (same('loadBalancerClass')) delete spec.loadBalancerClass;
  }
  if (isExternal(before) && !isExternal(spec) && same('externalTrafficPolicy'))
    delete spec.externalTrafficPolicy;
}

type Spec =
  | Pick<Service['spec'], 'type' | 'externalTrafficPolicy' | 'externalIPs'>
  | Draft<Service['spec']>;

function hasNodePorts(spec: Spec): boolean {
  return spec.type === 'NodePort' || spec.type === 'LoadBalancer';
}
function needsHealthCheck(spec: Spec): boolean {
  return spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local';
}
function isExternal(spec: Spec): boolean {
  return hasNodePorts(spec) || (spec.externalIPs ?? []).length > 0;
}

/** clusterIP and clusterIPs as one, families and their policy, on a cluster of IPv4 alone. */
export function setFamilies(
  request: AdmissionRequest,
  service: Draft<Service>,
  old: Service | undefined,
): void {
  const { spec } = service;
  if (spec.type === 'ExternalName') return;
  if ((spec.clusterIPs ?? []).length === 0 && (spec.clusterIP ?? '') !== '')
    spec.clusterIPs = [spec.clusterIP ?? ''];
  if ((spec.clusterIP ?? '') === '' && (spec.clusterIPs ?? []).length > 0 && old === undefined)
    spec.clusterIP = spec.clusterIPs?.[0];
  const headless = spec.clusterIPs?.[0] === 'None';
  const free = headless && Object.keys(spec.selector ?? {}).length === 0;
  spec.ipFamilyPolicy ??= old?.spec.ipFamilyPolicy ?? (free ? 'RequireDualStack' : 'SingleStack');
  const problems = familyProblems(spec, { headless, free });
  if (problems.length > 0) throw invalid(request.kind, service.metadata.name ?? '', problems);
  if ((spec.ipFamilies ?? []).length === 0) spec.ipFamilies = ['IPv4'];
  // A headless Service without a selector lists whatever addresses its endpoints have.
  if (free && spec.ipFamilyPolicy !== 'SingleStack' && spec.ipFamilies?.length === 1)
    spec.ipFamilies = [...spec.ipFamilies, spec.ipFamilies[0] === 'IPv4' ? 'IPv6' : 'IPv4'];
}

function familyProblems(
  spec: Draft<Service>['spec'],
  { headless, free }: { readonly headless: boolean; readonly free: boolean },
): readonly Problem[] {
  const problems: Problem[] = [];
  const addresses = spec.clusterIPs ?? [];
  const families = spec.ipFamilies ?? [];
  if (addresses.length > 0 && (spec.clusterIP ?? '') !== addresses[0])
    problems.push(
      problem.invalid('spec.clusterIPs', addresses, 'first value must match `clusterIP`'),
    );
  if (headless && addresses.length > 1)
    problems.push(
      problem.invalid('spec.clusterIPs', addresses, "'None' must be the first and only value"),
    );
  if (addresses.length > 2)
    problems.push(problem.invalid('spec.clusterIPs', addresses, 'may only hold up to 2 values'));
  if (spec.ipFamilyPolicy === 'SingleStack') {
    if (addresses.length > 1)
      problems.push(
        problem.invalid(
          'spec.ipFamilyPolicy',
          spec.ipFamilyPolicy,
          "must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified",
        ),
      );
    if (families.length > 1)
      problems.push(
        problem.invalid(
          'spec.ipFamilyPolicy',
          spec.ipFamilyPolicy,
          "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
        ),
      );
  }
  for (const [index, address] of addresses.entries())
    if (address.includes(':'))
      problems.push(
        problem.invalid(
          `spec.clusterIPs[${index}]`,
          addresses,
          'IPv6 is not configured on this cluster',
        ),
      );
  if (free) return problems;
  if (spec.ipFamilyPolicy === 'RequireDualStack')
    problems.push(
      problem.invalid(
        'spec.ipFamilyPolicy',
        spec.ipFamilyPolicy,
        'this cluster is not configured for dual-stack services',
      ),
    );
  for (const [index, family] of families.entries())
    if (family === 'IPv6')
      problems.push(
        problem.invalid(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster'),
      );
  return problems;
}
