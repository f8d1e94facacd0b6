import { cidr, dns1123Subdomain, parseIp, qualifiedName } from '#machinery';
import type { Problem } from '#machinery';
import { checkAddress, isDualStack, reachableProblems } from '../shared/addresses.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import { checkCoreMeta, checkLabels } from '../shared/meta.ts';
import type { Service, ServiceSpec } from '../types/core-v1.ts';
import {
  checkServicePorts,
  isExternallyAccessible,
  needsHealthCheckPort,
} from './service-ports.ts';

const onlyBalanced = "may only be used when `type` is 'LoadBalancer'";
const rangesAnnotation = 'service.beta.kubernetes.io/load-balancer-source-ranges';

export function validateServiceCreate(service: Service): readonly Problem[] {
  const root = rootField();
  checkService(service, root, undefined);
  return root.found;
}

export function validateServiceUpdate(service: Service, old: Service): readonly Problem[] {
  const root = rootField();
  const field = root.at('spec');
  checkAddressChange(service.spec, old.spec, field);
  checkFamilyChange(service.spec, old.spec, field);
  const { spec } = service;
  const bothBalanced = spec.type === 'LoadBalancer' && old.spec.type === 'LoadBalancer';
  if (bothBalanced && spec.loadBalancerClass !== old.spec.loadBalancerClass)
    field
      .at('loadBalancerClass')
      .invalid(spec.loadBalancerClass ?? null, 'may not change once set');
  checkClass(spec, field);
  if (
    needsHealthCheckPort(old.spec) &&
    needsHealthCheckPort(spec) &&
    spec.healthCheckNodePort !== old.spec.healthCheckNodePort
  )
    field.at('healthCheckNodePort').forbidden('field is immutable');
  checkService(service, root, old);
  return root.found;
}

/** ValidateService, in its order. */
function checkService(service: Service, root: Field, old: Service | undefined): void {
  const { spec, metadata } = service;
  const field = root.at('spec');
  checkCoreMeta(metadata, root);
  checkTopologyMode(service, root);
  checkType(spec, field);
  checkServicePorts(spec, field);
  if (spec.selector !== undefined) checkLabels(spec.selector, field.at('selector'));
  checkAffinity(spec, field);
  if (spec.type !== 'ExternalName') checkClusterAddresses(spec, field, old?.spec);
  for (const [index, ip] of (spec.externalIPs ?? []).entries()) {
    const at = field.at('externalIPs').at(index);
    if (checkAddress(ip, at, old?.spec.externalIPs)) at.invalidAll(ip, reachableProblems(ip));
  }
  field.at('type').oneOf(spec.type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']);
  if (spec.type === 'ClusterIP')
    for (const [index, { nodePort }] of (spec.ports ?? []).entries())
      if (nodePort)
        field
          .at('ports')
          .at(index)
          .at('nodePort')
          .forbidden("may not be used when `type` is 'ClusterIP'");
  checkDuplicatePorts(spec, field);
  checkSourceRanges(service, root, old);
  if (spec.allocateLoadBalancerNodePorts !== undefined && spec.type !== 'LoadBalancer')
    field.at('allocateLoadBalancerNodePorts').forbidden(onlyBalanced);
  if (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts === undefined)
    root.at('allocateLoadBalancerNodePorts').required();
  checkClass(spec, field);
  checkTraffic(spec, field);
}

function checkTopologyMode({ metadata }: Service, root: Field): void {
  const mode = metadata.annotations?.['service.kubernetes.io/topology-mode'];
  const hints = metadata.annotations?.['service.kubernetes.io/topology-aware-hints'];
  if (mode !== undefined && hints !== undefined && mode !== hints)
    root
      .at('metadata.annotations')
      .key('service.kubernetes.io/topology-mode')
      .invalid(
        mode,
        'must match annotations[service.kubernetes.io/topology-aware-hints] when both are specified',
      );
}

function checkType(spec: ServiceSpec, field: Field): void {
  const { type, clusterIPs = [], ports = [], externalName = '' } = spec;
  const isHeadless = clusterIPs.length === 1 && clusterIPs[0] === 'None';
  if (ports.length === 0 && !isHeadless && type !== 'ExternalName') field.at('ports').required();
  if ((type === 'LoadBalancer' || type === 'NodePort') && clusterIPs[0] === 'None')
    field
      .at('clusterIPs')
      .at(0)
      .invalid(clusterIPs[0], `may not be set to 'None' for ${type} services`);
  if (type !== 'ExternalName') return;
  const text = 'may not be set for ExternalName services';
  if (clusterIPs.length > 0) field.at('clusterIPs').forbidden(text);
  if ((spec.ipFamilies ?? []).length > 0) field.at('ipFamilies').forbidden(text);
  if (spec.ipFamilyPolicy !== undefined) field.at('ipFamilyPolicy').forbidden(text);
  const name = externalName.endsWith('.') ? externalName.slice(0, -1) : externalName;
  if (name === '') field.at('externalName').required();
  else field.at('externalName').invalidAll(name, dns1123Subdomain(name));
}

function checkAffinity({ sessionAffinity, sessionAffinityConfig }: ServiceSpec, root: Field): void {
  root.at('sessionAffinity').oneOf(sessionAffinity, ['ClientIP', 'None']);
  const field = root.at('sessionAffinityConfig');
  if (sessionAffinity === 'None') {
    if (sessionAffinityConfig !== undefined)
      field.forbidden('must not be set when session affinity is None');
    return;
  }
  if (sessionAffinity !== 'ClientIP') return;
  const text = 'when session affinity type is ClientIP';
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (sessionAffinityConfig === undefined) field.required(text);
  else if (sessionAffinityConfig.clientIP === undefined) field.at('clientIP').required(text);
  else if (seconds === undefined) field.at('clientIP.timeoutSeconds').required(text);
  else if (seconds <= 0 || seconds > 86_400)
    field
      .at('clientIP.timeoutSeconds')
      .invalid(seconds, 'must be greater than 0 and less than 86400');
}

/** ValidateServiceClusterIPsRelatedFields; allocation runs it alone, before everything else. */
export function checkClusterAddresses(
  spec: ServiceSpec,
  root: Field,
  old: ServiceSpec | undefined,
): void {
  const { clusterIP = '', clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec;
  const field = root.at('clusterIPs');
  if (clusterIP !== '') {
    if (clusterIPs.length === 0) field.required();
    else if (clusterIPs[0] !== clusterIP)
      field.invalid(clusterIPs, 'first value must match `clusterIP`');
  } else if (clusterIPs.length > 0)
    field.invalid(clusterIPs, 'must be empty when `clusterIP` is not specified');
  for (const [index, family] of ipFamilies.entries()) {
    const at = root.at('ipFamilies').at(index);
    if (family !== 'IPv4' && family !== 'IPv6') at.notSupported(family, ['IPv4', 'IPv6']);
    else if (ipFamilies.indexOf(family) < index) at.duplicate(family);
  }
  const policies = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
  if (ipFamilyPolicy !== undefined && !policies.includes(ipFamilyPolicy))
    root.at('ipFamilyPolicy').notSupported(ipFamilyPolicy, policies);
  checkAddressList(clusterIPs, { field, ipFamilies, kept: old?.clusterIPs });
}

function checkAddressList(
  clusterIPs: readonly string[],
  {
    field,
    ipFamilies,
    kept,
  }: { field: Field; ipFamilies: readonly string[]; kept: readonly string[] | undefined },
): void {
  if (clusterIPs.includes('None')) {
    if (clusterIPs.length > 1) field.invalid(clusterIPs, "'None' must be the first and only value");
    return;
  }
  let allFine = true;
  for (const [index, ip] of clusterIPs.entries())
    if (!checkAddress(ip, field.at(index), kept)) allFine = false;
  if (clusterIPs.length > 2) field.invalid(clusterIPs, 'may only hold up to 2 values');
  if (!allFine) return;
  const addresses = clusterIPs.map(parseIp);
  if (clusterIPs.length > 1 && !isDualStack(addresses.slice(0, 2)))
    field.invalid(clusterIPs, 'may specify no more than one IP for each IP family');
  for (const [index, address] of addresses.entries()) {
    const family = ipFamilies[index];
    if (family === undefined || address === undefined) continue;
    if ((address.family === 6) !== (family === 'IPv6'))
      field
        .at(index)
        .invalid(
          clusterIPs[index],
          `expected an ${family} value as indicated by \`ipFamilies[${index}]\``,
        );
  }
}

function checkDuplicatePorts({ ports = [] }: ServiceSpec, root: Field): void {
  const nodePorts = new Set<string>();
  const seen = new Set<string>();
  for (const [index, { protocol = '', nodePort = 0 }] of ports.entries()) {
    const at = root.at('ports').at(index);
    const use = `${protocol} ${nodePort}`;
    if (nodePort !== 0 && nodePorts.has(use)) at.at('nodePort').duplicate(nodePort);
    nodePorts.add(use);
  }
  for (const [index, { protocol = '', port }] of ports.entries()) {
    const use = `${protocol} ${port}`;
    if (seen.has(use))
      root.at('ports').at(index).duplicate({
        Name: '',
        Protocol: protocol,
        AppProtocol: null,
        Port: port,
        TargetPort: 0,
        NodePort: 0,
      });
    seen.add(use);
  }
}

/** The reference spells this path with a capital. */
function checkSourceRanges(
  { spec, metadata }: Service,
  root: Field,
  old: Service | undefined,
): void {
  const field = root.at('spec.LoadBalancerSourceRanges');
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length > 0) {
    if (spec.type !== 'LoadBalancer') field.forbidden(onlyBalanced);
    const kept = old?.spec.loadBalancerSourceRanges ?? [];
    for (const [index, range] of ranges.entries())
      if (!kept.includes(range)) field.at(index).invalidAll(range, cidr(range.trim()));
    return;
  }
  const text = metadata.annotations?.[rangesAnnotation];
  if (text === undefined) return;
  const at = root.at('metadata.annotations').key(rangesAnnotation);
  if (spec.type !== 'LoadBalancer') at.forbidden(onlyBalanced);
  if (text.trim() === '' || text === old?.metadata.annotations?.[rangesAnnotation]) return;
  for (const range of text.split(',')) at.invalidAll(range, cidr(range.trim()));
}

function checkClass({ type, loadBalancerClass }: ServiceSpec, root: Field): void {
  if (loadBalancerClass === undefined) return;
  const field = root.at('loadBalancerClass');
  if (type !== 'LoadBalancer') field.forbidden(onlyBalanced);
  else field.invalidAll(loadBalancerClass, qualifiedName(loadBalancerClass));
}

function checkTraffic(spec: ServiceSpec, field: Field): void {
  const policies = ['Cluster', 'Local'];
  const { externalTrafficPolicy = '', healthCheckNodePort = 0, trafficDistribution } = spec;
  const at = field.at('externalTrafficPolicy');
  if (!isExternallyAccessible(spec)) {
    if (externalTrafficPolicy !== '')
      at.invalid(externalTrafficPolicy, 'may only be set for externally-accessible services');
  } else at.oneOf(externalTrafficPolicy, policies);
  const health = field.at('healthCheckNodePort');
  if (!needsHealthCheckPort(spec)) {
    if (healthCheckNodePort !== 0)
      health.invalid(
        healthCheckNodePort,
        "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      );
  } else if (healthCheckNodePort === 0) health.required();
  else health.between(healthCheckNodePort, 1, 65_535);
  if (spec.type !== 'ExternalName')
    field.at('internalTrafficPolicy').oneOf(spec.internalTrafficPolicy, policies);
  const distributions = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];
  if (trafficDistribution !== undefined && !distributions.includes(trafficDistribution))
    field.at('trafficDistribution').notSupported(trafficDistribution, distributions);
}

function isFixed({ type, clusterIP }: ServiceSpec): boolean {
  return type !== 'ExternalName' && clusterIP !== 'None';
}

/** ValidateUpgradeDowngradeClusterIPs: addresses stay, a second one may come or go. */
function checkAddressChange(spec: ServiceSpec, old: ServiceSpec, root: Field): void {
  const now = spec.clusterIPs ?? [];
  const then = old.clusterIPs ?? [];
  if (!isFixed(spec) || !isFixed(old) || then.length === 0) return;
  const field = root.at('clusterIPs');
  if (now.length === then.length) {
    for (const [index, ip] of now.entries())
      if (ip !== then[index]) field.at(index).invalid(now, 'may not change once set');
    return;
  }
  if (now.length === 0) return field.at(0).invalid(now, 'primary clusterIP can not be unset');
  if (now[0] !== then[0]) field.at(0).invalid(now, 'may not change once set');
  if (now.length < then.length && spec.ipFamilyPolicy !== 'SingleStack')
    root
      .at('ipFamilyPolicy')
      .invalid(
        spec.ipFamilyPolicy ?? null,
        "must be set to 'SingleStack' when releasing the secondary clusterIP",
      );
}

function checkFamilyChange(spec: ServiceSpec, old: ServiceSpec, root: Field): void {
  const now = spec.ipFamilies ?? [];
  const then = old.ipFamilies ?? [];
  if (!isFixed(spec) || !isFixed(old) || then.length === 0) return;
  const field = root.at('ipFamilies');
  if (now.length === then.length) {
    for (const [index, family] of now.entries())
      if (family !== then[index]) field.at(index).invalid(now, 'may not change once set');
    return;
  }
  if (now.length === 0) return field.at(0).invalid(now, 'primary ipFamily can not be unset');
  if (now[0] !== then[0]) field.at(0).invalid(spec.clusterIPs ?? null, 'may not change once set');
  if (now.length < then.length && spec.ipFamilyPolicy !== 'SingleStack')
    root
      .at('ipFamilyPolicy')
      .invalid(
        spec.ipFamilyPolicy ?? null,
        "must be set to 'SingleStack' when releasing the secondary ipFamily",
      );
}

export function validateServiceStatus({ spec, status }: Service, old: Service): readonly Problem[] {
  const root = rootField();
  const field = root.at('status.loadBalancer.ingress');
  const ingress = status.loadBalancer.ingress ?? [];
  const kept = (old.status.loadBalancer.ingress ?? []).map(({ ip }) => ip ?? '');
  if (spec.type !== 'LoadBalancer' && ingress.length > 0)
    field.forbidden("may only be used when `spec.type` is 'LoadBalancer'");
  for (const [index, { ip, ipMode, hostname }] of ingress.entries()) {
    const at = field.at(index);
    if (ip) {
      checkAddress(ip, at.at('ip'), kept);
      if (ipMode === undefined) at.at('ipMode').required('must be specified when `ip` is set');
    } else if (ipMode !== undefined)
      at.at('ipMode').forbidden('may not be specified when `ip` is not set');
    if (ip && ipMode !== undefined && ipMode !== 'VIP' && ipMode !== 'Proxy')
      at.at('ipMode').notSupported(ipMode, ['Proxy', 'VIP']);
    if (!hostname) continue;
    at.at('hostname').invalidAll(hostname, dns1123Subdomain(hostname));
    if (parseIp(hostname) !== undefined)
      at.at('hostname').invalid(hostname, 'must be a DNS name, not an IP address');
  }
  return root.found;
}
