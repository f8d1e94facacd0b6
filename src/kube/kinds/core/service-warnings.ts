import { addressWarnings } from '../shared/addresses.ts';
import type { Service } from '../types/core-v1.ts';

/** In the reference's order. */
export function serviceWarnings({ metadata, spec }: Service): readonly string[] {
  const texts: string[] = [];
  if (metadata.annotations?.['service.kubernetes.io/topology-aware-hints'] !== undefined)
    texts.push(
      'annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead',
    );
  const { clusterIPs = [], externalIPs = [], loadBalancerIP, type } = spec;
  for (const [index, ip] of clusterIPs.entries())
    if (ip !== 'None') texts.push(...addressWarnings(`spec.clusterIPs[${index}]`, ip));
  const isHeadless = type === 'ClusterIP' && spec.clusterIP === 'None';
  if (isHeadless) {
    if (loadBalancerIP) texts.push('spec.loadBalancerIP is ignored for headless services');
    if (externalIPs.length > 0) texts.push('spec.externalIPs is ignored for headless services');
    if (spec.sessionAffinity !== 'None')
      texts.push('spec.SessionAffinity is ignored for headless services');
  }
  for (const [index, ip] of externalIPs.entries())
    texts.push(...addressWarnings(`spec.externalIPs[${index}]`, ip));
  if (externalIPs.length > 0 && !isHeadless && type !== 'ExternalName')
    texts.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters');
  if (loadBalancerIP) texts.push(...addressWarnings('spec.loadBalancerIP', loadBalancerIP));
  if (type === 'ExternalName' && externalIPs.length > 0)
    texts.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  if (type !== 'ExternalName' && spec.externalName)
    texts.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  if (spec.trafficDistribution === 'PreferClose')
    texts.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  return texts;
}
