import { dns1123Label, nameCheck } from '#machinery';
import type { Draft } from '#machinery';
import { declareKind } from '../declare.ts';
import { ageColumn, column, labelsCell, nameColumn } from '../shared/columns.ts';
import { sameValue } from '../shared/same.ts';
import type { Service, ServiceSpec } from '../types/core-v1.ts';
import { isExternallyAccessible, needsHealthCheckPort } from './service-ports.ts';
import { serviceWarnings } from './service-warnings.ts';
import {
  validateServiceCreate,
  validateServiceStatus,
  validateServiceUpdate,
} from './service-validation.ts';

export const services = declareKind<Service>('v1/Service', {
  nameProblems: nameCheck(dns1123Label),
  defaults: defaultService,
  prepareForUpdate: (service, old) => {
    clearWhatTypeLost(service.spec, old.spec);
    if (service.spec.type !== 'LoadBalancer') service.status.loadBalancer = {};
  },
  validateCreate: validateServiceCreate,
  validateUpdate: validateServiceUpdate,
  validateStatusUpdate: validateServiceStatus,
  warnings: serviceWarnings,
  selectableFields: {
    'spec.clusterIP': ({ spec }) => spec.clusterIP ?? '',
    'spec.type': ({ spec }) => spec.type ?? '',
  },
  table: {
    columns: [
      nameColumn,
      column('Type', ({ spec }) => spec.type ?? ''),
      column('Cluster-IP', ({ spec }) => spec.clusterIPs?.[0] ?? '<none>'),
      column('External-IP', externalCell),
      column('Port(s)', portsCell),
      ageColumn,
      column('Selector', ({ spec }) => labelsCell(spec.selector), { wide: true }),
    ],
  },
});

function defaultService({ spec, status }: Draft<Service>): void {
  spec.sessionAffinity ||= 'None';
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (
    spec.sessionAffinity === 'ClientIP' &&
    spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined
  )
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: 10_800 } };
  spec.type ||= 'ClusterIP';
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP';
    if (!port.targetPort) port.targetPort = port.port;
  }
  const { type } = spec;
  const isBalanced = type === 'LoadBalancer';
  const isExposed =
    isBalanced ||
    type === 'NodePort' ||
    (type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0);
  if (isExposed) spec.externalTrafficPolicy ||= 'Cluster';
  if (isBalanced || type === 'NodePort' || type === 'ClusterIP')
    spec.internalTrafficPolicy ??= 'Cluster';
  if (!isBalanced) return;
  spec.allocateLoadBalancerNodePorts ??= true;
  for (const ingress of status.loadBalancer.ingress ?? []) if (ingress.ip) ingress.ipMode ??= 'VIP';
}

function needsNodePort({ type }: ServiceSpec | Draft<ServiceSpec>): boolean {
  return type === 'NodePort' || type === 'LoadBalancer';
}
/** Fields that the new type cannot have go, where the client left them as they were. */
function clearWhatTypeLost(spec: Draft<ServiceSpec>, old: ServiceSpec): void {
  const toExternalName = spec.type === 'ExternalName' && old.type !== 'ExternalName';
  if (toExternalName) {
    if (sameValue(spec.clusterIP, old.clusterIP) && sameValue(spec.clusterIPs, old.clusterIPs)) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
    }
    if (sameValue(spec.ipFamilies, old.ipFamilies)) delete spec.ipFamilies;
    if (spec.ipFamilyPolicy === old.ipFamilyPolicy) delete spec.ipFamilyPolicy;
  }
  if (needsNodePort(old) && !needsNodePort(spec)) {
    const before = new Set((old.ports ?? []).map(({ nodePort }) => nodePort ?? 0));
    if ((spec.ports ?? []).every(({ nodePort }) => before.has(nodePort ?? 0)))
      for (const port of spec.ports ?? []) delete port.nodePort;
  }
  if (
    needsHealthCheckPort(old) &&
    !needsHealthCheckPort(spec) &&
    spec.healthCheckNodePort === old.healthCheckNodePort
  )
    delete spec.healthCheckNodePort;
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === old.allocateLoadBalancerNodePorts)
      delete spec.allocateLoadBalancerNodePorts;
    if (spec.loadBalancerClass === old.loadBalancerClass) delete spec.loadBalancerClass;
  }
  if (
    isExternallyAccessible(old) &&
    !isExternallyAccessible(spec) &&
    spec.externalTrafficPolicy === old.externalTrafficPolicy
  )
    delete spec.externalTrafficPolicy;
}

function externalCell({ spec, status }: Service): string {
  const own = spec.externalIPs ?? [];
  switch (spec.type) {
    case 'ClusterIP':
    case 'NodePort':
      return own.join(',') || '<none>';
    case 'LoadBalancer': {
      const given = (status.loadBalancer.ingress ?? [])
        .map(({ ip, hostname }) => ip || hostname || '')
        .filter((address) => address !== '');
      return [...[...new Set(given)].toSorted(), ...own].join(',') || '<pending>';
    }
    case 'ExternalName':
      return spec.externalName ?? '';
    default:
      return '<unknown>';
  }
}

function portsCell({ spec }: Service): string {
  return (
    (spec.ports ?? [])
      .map(({ port, nodePort, protocol }) =>
        nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
      )
      .join(',') || '<none>'
  );
}
