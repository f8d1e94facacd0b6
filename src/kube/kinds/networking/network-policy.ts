import { cidr, parseCidr, portName, portNumber } from '#machinery';
import type { Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { isStrictSubset } from '../shared/addresses.ts';
import { ageColumn, column, nameColumn, selectorCell } from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import { checkSelector, isSelectable } from '../shared/meta.ts';
import type {
  IPBlock,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
} from '../types/networking-v1.ts';

export const networkPolicies = declareKind<NetworkPolicy>('networking.k8s.io/v1/NetworkPolicy', {
  defaults: ({ spec }) => {
    if ((spec.policyTypes ?? []).length === 0)
      spec.policyTypes = (spec.egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])])
      for (const port of rule.ports ?? []) port.protocol ??= 'TCP';
  },
  validateCreate: (policy) => validate(policy, undefined),
  validateUpdate: validate,
  table: {
    columns: [
      nameColumn,
      column('Pod-Selector', ({ spec }) => selectorCell(spec.podSelector)),
      ageColumn,
    ],
  },
});

/** What the stored policy has already: ranges, and selectors that were wrong. */
interface Kept {
  readonly ranges: readonly string[];
  readonly anyValue: boolean;
}

/** ValidateNetworkPolicySpec. */
function validate({ spec }: NetworkPolicy, old: NetworkPolicy | undefined): readonly Problem[] {
  const root = rootField();
  const field = root.at('spec');
  const kept = keptOf(old);
  checkSelector(spec.podSelector, field.at('podSelector'), kept);
  for (const [index, { ports, from }] of (spec.ingress ?? []).entries()) {
    const at = field.at('ingress').at(index);
    checkPorts(ports, at.at('ports'));
    checkPeers(from, at.at('from'), kept);
  }
  for (const [index, { ports, to }] of (spec.egress ?? []).entries()) {
    const at = field.at('egress').at(index);
    checkPorts(ports, at.at('ports'));
    checkPeers(to, at.at('to'), kept);
  }
  const types = spec.policyTypes ?? [];
  if (types.length > 2) {
    field.at('policyTypes').invalid(types, 'may not specify more than two policyTypes');
    return root.found;
  }
  for (const [index, type] of types.entries())
    if (type !== 'Ingress' && type !== 'Egress')
      field.at('policyTypes').at(index).notSupported(type, ['Ingress', 'Egress']);
  return root.found;
}

function keptOf(old: NetworkPolicy | undefined): Kept {
  if (old === undefined) return { ranges: [], anyValue: false };
  const { spec } = old;
  const peers = [
    ...(spec.ingress ?? []).flatMap(({ from }) => from ?? []),
    ...(spec.egress ?? []).flatMap(({ to }) => to ?? []),
  ];
  return {
    ranges: peers.flatMap(({ ipBlock }) =>
      ipBlock === undefined ? [] : [ipBlock.cidr, ...(ipBlock.except ?? [])],
    ),
    anyValue: !isSelectable(spec.podSelector),
  };
}

function checkPorts(ports: readonly NetworkPolicyPort[] | undefined, field: Field): void {
  for (const [index, { protocol, port, endPort }] of (ports ?? []).entries()) {
    const at = field.at(index);
    if (protocol !== undefined && !['TCP', 'UDP', 'SCTP'].includes(protocol))
      at.at('protocol').notSupported(protocol, ['TCP', 'UDP', 'SCTP']);
    if (typeof port === 'number') {
      at.at('port').invalidAll(port, portNumber(port));
      if (endPort === undefined) continue;
      if (endPort < port) at.at('endPort').invalid(port, 'must be greater than or equal to `port`');
      at.at('endPort').invalidAll(endPort, portNumber(endPort));
    } else if (port === undefined) {
      if (endPort !== undefined)
        at.at('endPort').invalid(endPort, 'may not be specified when `port` is not specified');
    } else {
      if (endPort !== undefined)
        at.at('endPort').invalid(endPort, 'may not be specified when `port` is non-numeric');
      at.at('port').invalidAll(port, portName(port));
    }
  }
}

function checkPeers(
  peers: readonly NetworkPolicyPeer[] | undefined,
  field: Field,
  kept: Kept,
): void {
  for (const [index, { podSelector, namespaceSelector, ipBlock }] of (peers ?? []).entries()) {
    const at = field.at(index);
    checkSelector(podSelector, at.at('podSelector'), kept);
    checkSelector(namespaceSelector, at.at('namespaceSelector'), kept);
    if (ipBlock !== undefined) checkBlock(ipBlock, at.at('ipBlock'), kept.ranges);
    const hasSelector = podSelector !== undefined || namespaceSelector !== undefined;
    if (!hasSelector && ipBlock === undefined) at.required('must specify a peer');
    else if (hasSelector && ipBlock !== undefined)
      at.forbidden('may not specify both ipBlock and another peer');
  }
}

function checkBlock(block: IPBlock, field: Field, kept: readonly string[]): void {
  if (block.cidr === '') return field.at('cidr').required();
  const check = (text: string): readonly string[] => (kept.includes(text) ? [] : cidr(text));
  field.at('cidr').invalidAll(block.cidr, check(block.cidr));
  const outer = parseCidr(block.cidr);
  for (const [index, text] of (block.except ?? []).entries()) {
    const at = field.at('except').at(index);
    at.invalidAll(text, check(text));
    const inner = parseCidr(text);
    if (inner !== undefined && outer !== undefined && !isStrictSubset(inner, outer))
      at.invalid(text, 'must be a strict subset of `cidr`');
  }
}
