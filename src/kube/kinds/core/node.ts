import { cidr, parseCidr } from '#machinery';
import type { Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { checkTaints } from '../pod-spec/tolerations.ts';
import { checkResourceValue } from '../pod-spec/resources.ts';
import { isDualStack } from '../shared/addresses.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { conditionOf } from '../shared/conditions.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import { checkCoreMeta } from '../shared/meta.ts';
import { roundResources } from '../shared/resources.ts';
import type { Node } from '../types/core-v1.ts';

const rolePrefix = 'node-role.kubernetes.io/';
const featurePattern = /^[A-Z][a-zA-Z0-9]*(\/[a-zA-Z][a-zA-Z0-9]*)*$/;

export const nodes = declareKind<Node>('v1/Node', {
  keepsStatusOnCreate: true,
  defaults: ({ spec, status }) => {
    if (spec.podCIDR && spec.podCIDRs?.[0] !== spec.podCIDR) spec.podCIDRs = [spec.podCIDR];
    else if (!spec.podCIDR && spec.podCIDRs?.[0] !== undefined) spec.podCIDR = spec.podCIDRs[0];
    if (status.allocatable === undefined && status.capacity !== undefined)
      status.allocatable = { ...status.capacity };
    roundResources(status.capacity);
    roundResources(status.allocatable);
  },
  prepareForCreate: ({ spec, status }) => {
    delete spec.configSource;
    delete status.config;
  },
  prepareForUpdate: ({ spec }, old) => {
    if (old.spec.configSource === undefined) delete spec.configSource;
  },
  prepareForStatusUpdate: ({ status }, old) => {
    if (old.status.config === undefined) delete status.config;
  },
  validateCreate: (node) => {
    const root = rootField();
    checkNode(node, root);
    return root.found;
  },
  validateUpdate: (node, old) => {
    const root = rootField();
    checkNode(node, root);
    checkChange(node, old, root);
    return root.found;
  },
  validateStatusUpdate,
  warnings: ({ spec }) =>
    spec.externalID
      ? ['spec.externalID: this field is deprecated, and is unused by Kubernetes']
      : [],
  selectableFields: { 'spec.unschedulable': ({ spec }) => String(spec.unschedulable === true) },
  table: {
    columns: [
      nameColumn,
      column('Status', statusCell),
      column('Roles', rolesCell),
      ageColumn,
      column('Version', ({ status }) => status.nodeInfo.kubeletVersion),
      column('Internal-IP', (node) => addressCell(node, 'InternalIP'), { wide: true }),
      column('External-IP', (node) => addressCell(node, 'ExternalIP'), { wide: true }),
      column('OS-Image', ({ status }) => status.nodeInfo.osImage || '<unknown>', { wide: true }),
      column('Kernel-Version', kernelCell, { wide: true }),
      column(
        'Container-Runtime',
        ({ status }) => status.nodeInfo.containerRuntimeVersion || '<unknown>',
        { wide: true },
      ),
    ],
  },
});

function statusCell({ spec, status }: Node): string {
  const ready = conditionOf(status.conditions, 'Ready');
  const text = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return spec.unschedulable === true ? `${text},SchedulingDisabled` : text;
}
function rolesCell({ metadata }: Node): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (key.startsWith(rolePrefix) && key.length > rolePrefix.length)
      roles.add(key.slice(rolePrefix.length));
    else if (key === 'kubernetes.io/role' && value !== '') roles.add(value);
  }
  return [...roles].toSorted().join(',') || '<none>';
}
function addressCell({ status }: Node, wanted: string): string {
  return (status.addresses ?? []).find(({ type }) => type === wanted)?.address ?? '<none>';
}
function kernelCell({ status }: Node): string {
  const { kernelVersion, architecture } = status.nodeInfo;
  const text = kernelVersion || '<unknown>';
  return architecture ? `${text} (${architecture})` : text;
}

function checkNode({ metadata, spec, status }: Node, root: Field): void {
  checkCoreMeta(metadata, root);
  // The reference reports taints below metadata.
  checkTaints(spec.taints, root.at('metadata.taints'));
  checkCapacity(status, root);
  const cidrs = spec.podCIDRs ?? [];
  for (const [index, range] of cidrs.entries())
    root.at('spec.podCIDRs').at(index).invalidAll(range, cidr(range));
  if (cidrs.length > 1 && !isDualStack(cidrs.map((range) => parseCidr(range)?.ip)))
    root.at('spec.podCIDRs').invalid(cidrs, 'may specify no more than one CIDR for each IP family');
}

function checkCapacity(
  { capacity, allocatable, declaredFeatures }: Node['status'],
  root: Field,
): void {
  for (const name in capacity)
    checkResourceValue(name, capacity[name] ?? '0', root.at('status.capacity').at(name));
  for (const name in allocatable)
    checkResourceValue(name, allocatable[name] ?? '0', root.at('status.allocatable').at(name));
  for (const [index, feature] of (declaredFeatures ?? []).entries()) {
    const at = root.at('status.declaredFeatures').at(index);
    if (feature.length > 253)
      at.invalid(feature, `invalid feature name "${feature}": must be no more than 253 characters`);
    if (!featurePattern.test(feature))
      at.invalid(
        feature,
        `invalid feature name "${feature}": must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes`,
      );
    const before = declaredFeatures?.[index - 1];
    if (before === feature) at.duplicate(feature);
    else if (before !== undefined && before > feature)
      at.invalid(feature, 'list must be sorted alphabetically');
  }
}

function checkChange({ spec, status }: Node, old: Node, root: Field): void {
  const seen = new Set<string>();
  for (const [index, { type, address }] of (status.addresses ?? []).entries()) {
    const key = `${type} ${address}`;
    if (seen.has(key))
      root.at('status.addresses').at(index).duplicate({ Type: type, Address: address });
    seen.add(key);
  }
  const then = old.spec.podCIDRs ?? [];
  const now = spec.podCIDRs ?? [];
  if (then.length > 0) {
    const text = 'node updates may not change podCIDR except from "" to valid';
    if (now.length !== then.length) root.at('spec.podCIDRs').forbidden(text);
    else
      for (const [index, cidr] of now.entries())
        if (cidr !== then[index]) root.at('spec.podCIDRs').forbidden(text);
  }
  if (old.spec.providerID && spec.providerID !== old.spec.providerID)
    root
      .at('spec.providerID')
      .forbidden('node updates may not change providerID except from "" to valid');
  checkTaints(spec.taints, root.at('metadata.taints'));
  if ((spec.externalID ?? '') !== (old.spec.externalID ?? ''))
    root.at('spec.externalID').forbidden('may not be updated');
}

function validateStatusUpdate(node: Node, old: Node): readonly Problem[] {
  const root = rootField();
  checkCapacity(node.status, root);
  checkChange(node, old, root);
  return root.found;
}
