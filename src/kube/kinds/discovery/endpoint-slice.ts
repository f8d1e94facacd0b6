import {
  canonicalIpAddress,
  dns1123Label,
  dns1123Subdomain,
  ipAddress,
  labelValue,
  parseIp,
  qualifiedName,
} from '#machinery';
import type { Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { addressWarnings, reachableProblems } from '../shared/addresses.ts';
import { ageColumn, column, nameColumn, shortened } from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import { checkLabels } from '../shared/meta.ts';
import { sameValue } from '../shared/same.ts';
import type { Endpoint, EndpointSlice } from '../types/discovery-v1.ts';

const managers = ['endpointslice-controller.k8s.io', 'endpointslicemirroring-controller.k8s.io'];
const hostnameKey = 'kubernetes.io/hostname';
const endpointsMax = 1000;
const portsMax = 20_000;
const addressesMax = 100;
const shownMax = 3;

export const endpointSlices = declareKind<EndpointSlice>('discovery.k8s.io/v1/EndpointSlice', {
  defaults: ({ ports }) => {
    for (const port of ports ?? []) {
      port.name ??= '';
      port.protocol ??= 'TCP';
    }
  },
  prepareForCreate: ({ endpoints }) => {
    for (const endpoint of endpoints ?? []) delete endpoint.deprecatedTopology;
  },
  prepareForUpdate: ({ endpoints }, old) => {
    if (sameValue(endpoints, old.endpoints)) return;
    const known = new Set(
      (old.endpoints ?? []).map((one) => one.deprecatedTopology?.[hostnameKey]),
    );
    for (const endpoint of endpoints ?? []) {
      const host = endpoint.deprecatedTopology?.[hostnameKey];
      if (endpoint.nodeName === undefined && host !== undefined && known.has(host))
        endpoint.nodeName = host;
      delete endpoint.deprecatedTopology;
    }
  },
  validateCreate: (slice) => validate(slice, true),
  validateUpdate: (slice, old) => {
    const root = rootField();
    root.found.push(...validate(slice, !sameValue(slice.endpoints, old.endpoints)));
    if (slice.addressType !== old.addressType) root.at('addressType').immutable(slice.addressType);
    return root.found;
  },
  warnings: ({ metadata, addressType, endpoints }, old) => {
    const texts: string[] = [];
    if (addressType === 'FQDN' && old === undefined)
      texts.push('spec.addressType: FQDN endpoints are deprecated');
    const manager = metadata.labels?.['endpointslice.kubernetes.io/managed-by'] ?? '';
    if (managers.includes(manager)) return texts;
    for (const [index, { addresses }] of (endpoints ?? []).entries())
      for (const [number, address] of (addresses ?? []).entries())
        texts.push(...addressWarnings(`endpoints[${index}].addresses[${number}]`, address));
    return texts;
  },
  table: {
    columns: [
      nameColumn,
      column('AddressType', ({ addressType }) => addressType),
      column('Ports', ({ ports }) => {
        const list = (ports ?? []).map(({ port, name }) => (port ? `${port}` : name || '*'));
        return list.length === 0 ? '<unset>' : shortened(list, shownMax);
      }),
      column('Endpoints', ({ endpoints }) => {
        const list = (endpoints ?? []).flatMap(({ addresses }) => addresses ?? []);
        return list.length === 0 ? '<unset>' : shortened(list, shownMax);
      }),
      ageColumn,
    ],
  },
});

function validate(slice: EndpointSlice, withEndpoints: boolean): readonly Problem[] {
  const root = rootField();
  root.at('addressType').oneOf(slice.addressType, ['FQDN', 'IPv4', 'IPv6']);
  const endpoints = slice.endpoints ?? [];
  if (withEndpoints) {
    if (endpoints.length > endpointsMax)
      root.at('endpoints').tooMany(endpoints.length, endpointsMax);
    else
      for (const [index, endpoint] of endpoints.entries())
        checkEndpoint(endpoint, root.at('endpoints').at(index), slice.addressType);
  }
  checkPorts(slice, root.at('ports'));
  return root.found;
}

function checkPorts(slice: EndpointSlice, field: Field): void {
  const ports = slice.ports ?? [];
  if (ports.length > portsMax) return field.tooMany(ports.length, portsMax);
  const names = new Set<string>();
  for (const [index, { name = '', protocol, appProtocol }] of ports.entries()) {
    const at = field.at(index);
    if (name !== '') at.at('name').invalidAll(name, dns1123Label(name));
    if (names.has(name)) at.at('name').duplicate(name);
    names.add(name);
    at.at('protocol').oneOf(protocol, ['SCTP', 'TCP', 'UDP']);
    if (appProtocol !== undefined)
      at.at('appProtocol').invalidAll(appProtocol, qualifiedName(appProtocol));
  }
}

function checkEndpoint(endpoint: Endpoint, field: Field, addressType: string): void {
  const { nodeName, hostname, hints, deprecatedTopology } = endpoint;
  const addresses = endpoint.addresses ?? [];
  const at = field.at('addresses');
  if (addresses.length === 0) at.required('must contain at least 1 address');
  else if (addresses.length > addressesMax) at.tooMany(addresses.length, addressesMax);
  for (const [index, address] of addresses.entries())
    checkAddressOf(addressType, address, { list: at, field: at.at(index) });
  if (nodeName !== undefined) field.at('nodeName').invalidAll(nodeName, dns1123Subdomain(nodeName));
  if (deprecatedTopology !== undefined) {
    const count = Object.keys(deprecatedTopology).length;
    if (count > 16) field.at('deprecatedTopology').tooMany(count, 16);
    checkLabels(deprecatedTopology, field.at('deprecatedTopology'));
  }
  if (hostname !== undefined) field.at('hostname').invalidAll(hostname, dns1123Label(hostname));
  checkHints(hints?.forZones, field.at('hints.forZones'), labelValue);
  checkHints(hints?.forNodes, field.at('hints.forNodes'), dns1123Subdomain);
}

function checkHints(
  hints: readonly { readonly name: string }[] | undefined,
  field: Field,
  problems: (name: string) => readonly string[],
): void {
  if (hints === undefined) return;
  if (hints.length > 8) return field.tooMany(hints.length, 8);
  const seen = new Set<string>();
  for (const [index, { name }] of hints.entries()) {
    const at = field.at(index).at('name');
    if (seen.has(name)) at.duplicate(name);
    seen.add(name);
    at.invalidAll(name, problems(name));
  }
}

function checkAddressOf(
  type: string,
  address: string,
  { list, field }: { list: Field; field: Field },
): void {
  if (type === 'FQDN') return checkDomain(address, field);
  if (type !== 'IPv4' && type !== 'IPv6') return;
  const parsed = parseIp(address);
  if (type === 'IPv4') {
    field.invalidAll(address, ipAddress(address));
    if (parsed?.family !== 4) list.invalid(address, 'must be an IPv4 address');
  } else {
    field.invalidAll(address, canonicalIpAddress(address));
    if (parsed?.family !== 6) list.invalid(address, 'must be an IPv6 address');
  }
  if (parsed !== undefined) field.invalidAll(address, reachableProblems(address));
}

function checkDomain(name: string, field: Field): void {
  if (name === '') return field.required();
  const plain = name.endsWith('.') ? name.slice(0, -1) : name;
  const problems = dns1123Subdomain(plain);
  if (problems.length > 0) return field.invalid(name, problems.join(','));
  if (!plain.includes('.'))
    return field.invalid(name, 'should be a domain with at least two segments separated by dots');
  for (const label of plain.split('.')) {
    const texts = dns1123Label(label);
    if (texts.length > 0) return field.invalid(label, texts.join(','));
  }
}
