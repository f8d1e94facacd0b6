import {
  dns1123Label,
  dns1123Subdomain,
  parseIp,
  pathSegmentName,
  portName,
  portNumber,
  wildcardDns1123Subdomain,
} from '#machinery';
import type { Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { checkAddress } from '../shared/addresses.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import type { HTTPIngressPath, Ingress, IngressBackend } from '../types/networking-v1.ts';

const hostsShown = 3;
const classKey = 'kubernetes.io/ingress.class';
const notAnIp = 'must be a DNS name, not an IP address';

export const ingresses = declareKind<Ingress>('networking.k8s.io/v1/Ingress', {
  validateCreate: (ingress) => {
    const root = rootField();
    const { annotations } = ingress.metadata;
    const { ingressClassName } = ingress.spec;
    const named = annotations?.[classKey];
    if (named !== undefined && ingressClassName !== undefined && named !== ingressClassName)
      root
        .at('annotations')
        .at(classKey)
        .invalid(named, 'must match `ingressClassName` when both are specified');
    return [...validate(ingress, undefined), ...root.found];
  },
  validateUpdate: validate,
  validateStatusUpdate: ({ status }, old) => {
    const root = rootField();
    const kept = (old.status.loadBalancer.ingress ?? []).map(({ ip }) => ip ?? '');
    for (const [index, { ip, hostname }] of (status.loadBalancer.ingress ?? []).entries()) {
      const at = root.at('status.loadBalancer.ingress').at(index);
      if (ip) checkAddress(ip, at.at('ip'), kept);
      if (!hostname) continue;
      at.at('hostname').invalidAll(hostname, dns1123Subdomain(hostname));
      if (parseIp(hostname) !== undefined) at.at('hostname').invalid(hostname, notAnIp);
    }
    return root.found;
  },
  table: {
    columns: [
      nameColumn,
      column('Class', ({ spec }) => spec.ingressClassName ?? '<none>'),
      column('Hosts', hostsCell),
      column('Address', ({ status }) => {
        const all = (status.loadBalancer.ingress ?? []).map(
          ({ ip, hostname }) => ip || hostname || '',
        );
        return [...new Set(all.filter((one) => one !== ''))].toSorted().join(',');
      }),
      column('Ports', ({ spec }) => ((spec.tls ?? []).length > 0 ? '80, 443' : '80')),
      ageColumn,
    ],
  },
});

function hostsCell({ spec }: Ingress): string {
  const rules = spec.rules ?? [];
  const hosts: string[] = [];
  for (const { host } of rules) {
    if (hosts.length === hostsShown)
      return `${hosts.join(',')} + ${rules.length - hostsShown} more...`;
    if (host) hosts.push(host);
  }
  return hosts.join(',') || '*';
}

/** ValidateIngressSpec. */
function validate({ spec }: Ingress, old: Ingress | undefined): readonly Problem[] {
  const root = rootField();
  const field = root.at('spec');
  const rules = spec.rules ?? [];
  if (rules.length === 0 && spec.defaultBackend === undefined)
    field.invalid(spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified');
  for (const [index, { host, http }] of rules.entries()) {
    const at = field.at('rules').at(index);
    if (host) {
      if (parseIp(host) !== undefined) at.at('host').invalid(host, notAnIp);
      checkHost(host, at.at('host'));
    }
    if (http === undefined) continue;
    if ((http.paths ?? []).length === 0) at.at('http.paths').required();
    for (const [number, path] of (http.paths ?? []).entries())
      checkPath(path, at.at('http.paths').at(number));
  }
  if (spec.defaultBackend !== undefined)
    checkBackend(spec.defaultBackend, field.at('defaultBackend'));
  const badSecrets = (old?.spec.tls ?? []).some(
    ({ secretName }) => secretName && dns1123Subdomain(secretName).length > 0,
  );
  for (const [index, { hosts, secretName }] of (spec.tls ?? []).entries()) {
    const at = field.at('tls').at(index);
    for (const [number, host] of (hosts ?? []).entries())
      checkHost(host, at.at('hosts').at(number));
    if (secretName && !badSecrets)
      at.at('secretName').invalidAll(secretName, dns1123Subdomain(secretName));
  }
  const { ingressClassName } = spec;
  if (ingressClassName !== undefined)
    field.at('ingressClassName').invalidAll(ingressClassName, dns1123Subdomain(ingressClassName));
  return root.found;
}

function checkHost(host: string, field: Field): void {
  const check = host.includes('*') ? wildcardDns1123Subdomain : dns1123Subdomain;
  field.invalidAll(host, check(host));
}

const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix'];

function checkPath({ path = '', pathType, backend }: HTTPIngressPath, field: Field): void {
  // Always written: null when a client left it out.
  if (pathType === undefined || pathType === null)
    return field.at('pathType').required('pathType must be specified');
  const at = field.at('path');
  const isLoose = pathType === 'ImplementationSpecific';
  if (!pathTypes.includes(pathType)) field.at('pathType').notSupported(pathType, pathTypes);
  else {
    if (!path.startsWith('/') && (!isLoose || path !== ''))
      at.invalid(path, 'must be an absolute path');
    if (!isLoose && path !== '') {
      for (const part of ['//', '/./', '/../', '%2f', '%2F'])
        if (path.includes(part)) at.invalid(path, `must not contain '${part}'`);
      for (const end of ['/..', '/.'])
        if (path.endsWith(end)) at.invalid(path, `cannot end with '${end}'`);
    }
  }
  checkBackend(backend, field.at('backend'));
}

function checkBackend({ service, resource }: IngressBackend, field: Field): void {
  if (service !== undefined && resource !== undefined)
    return field.invalid('', 'cannot set both resource and service backends');
  if (resource !== undefined) {
    const { apiGroup, kind, name } = resource;
    const at = field.at('resource');
    if (apiGroup !== undefined) at.at('apiGroup').invalidAll(apiGroup, dns1123Subdomain(apiGroup));
    for (const [key, value] of Object.entries({ kind, name }))
      if (value === '') at.at(key).required();
      else at.at(key).invalidAll(value, pathSegmentName(value));
    return;
  }
  if (service === undefined) return field.invalid('', 'resource or service backend is required');
  const { name, port } = service;
  const at = field.at('service');
  if (name === '') at.at('name').required();
  else at.at('name').invalidAll(name, dns1123Label(name));
  if (port.name && port.number) field.invalid('', 'cannot set both port name & port number');
  else if (port.name) at.at('port.name').invalidAll(port.name, portName(port.name));
  else if (port.number) at.at('port.number').invalidAll(port.number, portNumber(port.number));
  else field.required('port name or number is required');
}
