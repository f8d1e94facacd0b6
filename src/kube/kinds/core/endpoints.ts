import { dns1123Label, dns1123Subdomain, portNumber, qualifiedName } from '#machinery';
import type { Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { addressWarnings, checkAddress, reachableProblems } from '../shared/addresses.ts';
import { ageColumn, column, nameColumn, shortened } from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import { checkCoreMeta } from '../shared/meta.ts';
import { sameValue } from '../shared/same.ts';
import type { EndpointAddress, EndpointPort, Endpoints } from '../types/core-v1.ts';

export const endpoints = declareKind<Endpoints>('v1/Endpoints', {
  defaults: ({ subsets }) => {
    for (const { ports } of subsets ?? []) for (const port of ports ?? []) port.protocol ||= 'TCP';
  },
  validateCreate: validate,
  validateUpdate: (object, old) =>
    sameValue(object.subsets, old.subsets)
      ? validate({ metadata: object.metadata })
      : validate(object),
  warnings: ({ metadata, subsets }) =>
    metadata.labels?.['endpoints.kubernetes.io/managed-by'] === 'endpoint-controller'
      ? []
      : (subsets ?? []).flatMap((subset, index) =>
          (['addresses', 'notReadyAddresses'] as const).flatMap((list) =>
            (subset[list] ?? []).flatMap(({ ip }, number) =>
              addressWarnings(`subsets[${index}].${list}[${number}].ip`, ip),
            ),
          ),
        ),
  table: { columns: [nameColumn, column('Endpoints', endpointsCell), ageColumn] },
});

const shownMax = 3;

function endpointsCell({ subsets }: Endpoints): string {
  if ((subsets ?? []).length === 0) return '<none>';
  const list: string[] = [];
  for (const { addresses, ports } of subsets ?? []) {
    if ((ports ?? []).length === 0) list.push(...(addresses ?? []).map(({ ip }) => ip));
    for (const { port } of ports ?? [])
      for (const { ip } of addresses ?? [])
        list.push(ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`);
  }
  return shortened(list, shownMax);
}

function validate({
  metadata,
  subsets,
}: Pick<Endpoints, 'metadata' | 'subsets'>): readonly Problem[] {
  const root = rootField();
  checkCoreMeta(metadata, root);
  for (const [index, { addresses = [], notReadyAddresses = [], ports = [] }] of (
    subsets ?? []
  ).entries()) {
    const field = root.at('subsets').at(index);
    if (addresses.length + notReadyAddresses.length === 0)
      field.required('must specify `addresses` or `notReadyAddresses`');
    for (const [number, address] of addresses.entries())
      checkEndpoint(address, field.at('addresses').at(number));
    for (const [number, address] of notReadyAddresses.entries())
      checkEndpoint(address, field.at('notReadyAddresses').at(number));
    for (const [number, port] of ports.entries())
      checkPort(port, field.at('ports').at(number), ports.length > 1);
  }
  return root.found;
}

function checkEndpoint({ ip, hostname, nodeName }: EndpointAddress, field: Field): void {
  checkAddress(ip, field.at('ip'));
  if (hostname) field.at('hostname').invalidAll(hostname, dns1123Label(hostname));
  if (nodeName) field.at('nodeName').invalidAll(nodeName, dns1123Subdomain(nodeName));
  field.at('ip').invalidAll(ip, reachableProblems(ip));
}

function checkPort(port: EndpointPort, field: Field, needsName: boolean): void {
  if (!port.name) {
    if (needsName) field.at('name').required();
  } else field.at('name').invalidAll(port.name, dns1123Label(port.name));
  field.at('port').invalidAll(port.port, portNumber(port.port));
  field.at('protocol').oneOf(port.protocol, ['SCTP', 'TCP', 'UDP']);
  if (port.appProtocol)
    field.at('appProtocol').invalidAll(port.appProtocol, qualifiedName(port.appProtocol));
}
