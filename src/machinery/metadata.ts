import { isGoPrint } from '#wire';
import type { Texts } from './names.ts';
import { immutableText, labelValue, notNegativeText, qualifiedName } from './names.ts';
import { dns1123Label, dns1123Subdomain, nameCheck } from './names.ts';
import { unprintableTexts } from './names.ts';
import type { KubeObject, ManagedFieldsEntry, ObjectMeta, OwnerReference } from './object.ts';
import type { Problem } from './problems.ts';
import { problem } from './problems.ts';

/** Rules of metadata that hold for every kind (apimachinery api/validation/objectmeta.go). */
export interface MetadataRules {
  readonly namespaced: boolean;
  /** The kind's name check; default: a DNS-1123 subdomain, as with most kinds. */
  readonly nameProblems?: ((name: string, prefix: boolean) => Texts) | undefined;
  /** The core group's further rule: finalizers without a domain must be well-known. */
  readonly coreFinalizers?: boolean | undefined;
}

const annotationBytesMax = 256 * 1024;
const managerBytesMax = 128;
const subresourceBytesMax = 256;
const path = 'metadata';
const subdomainName = nameCheck(dns1123Subdomain);

export function metadataProblems(meta: ObjectMeta, rules: MetadataRules): readonly Problem[] {
  const check = rules.nameProblems ?? subdomainName;
  const found: Problem[] = [];
  const { generateName } = meta;
  const name: string | undefined = meta.name;
  if (generateName !== undefined && generateName !== '')
    found.push(...invalids(`${path}.generateName`, generateName, check(generateName, true)));
  if (name === undefined || name === '')
    found.push(problem.required(`${path}.name`, 'name or generateName is required'));
  else found.push(...invalids(`${path}.name`, name, check(name, false)));
  found.push(...namespaceProblems(meta.namespace ?? '', rules.namespaced));
  if ((meta.generation ?? 0) < 0)
    found.push(problem.invalid(`${path}.generation`, meta.generation, notNegativeText));
  addSharedProblems(found, meta, rules);
  return found;
}

/** What create and update both check. Most objects have few of these: what is absent costs nothing. */
function addSharedProblems(found: Problem[], meta: ObjectMeta, rules: MetadataRules): void {
  const { labels, annotations, ownerReferences, finalizers, managedFields } = meta;
  if (labels != null) found.push(...labelProblems(labels, `${path}.labels`));
  if (annotations != null) found.push(...annotationProblems(annotations, `${path}.annotations`));
  if (ownerReferences != null) found.push(...ownerProblems(ownerReferences));
  if (finalizers != null) found.push(...finalizerProblems(finalizers));
  if (managedFields != null) found.push(...managedFieldsProblems(managedFields));
  if (finalizers != null && rules.coreFinalizers === true)
    found.push(...coreFinalizerProblems(finalizers));
}

const none: readonly Problem[] = [];

function invalids(at: string, value: unknown, texts: Texts): readonly Problem[] {
  return texts.length === 0 ? none : texts.map((text) => problem.invalid(at, value, text));
}

function namespaceProblems(namespace: string, namespaced: boolean): readonly Problem[] {
  if (!namespaced)
    return namespace === ''
      ? []
      : [problem.forbidden(`${path}.namespace`, 'not allowed on this type')];
  if (namespace === '') return [problem.required(`${path}.namespace`)];
  return invalids(`${path}.namespace`, namespace, dns1123Label(namespace));
}

/** Labels anywhere: the path is the map itself, the value is the bad key or value. */
export function labelProblems(
  labels: Readonly<Record<string, string>>,
  at: string,
): readonly Problem[] {
  const found: Problem[] = [];
  for (const [key, value] of Object.entries(labels)) {
    found.push(...invalids(at, key, qualifiedName(key)));
    found.push(...invalids(at, value, labelValue(value)));
  }
  return found;
}
export function annotationProblems(
  annotations: Readonly<Record<string, string>>,
  at: string,
): readonly Problem[] {
  const found: Problem[] = [];
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    found.push(...invalids(at, key, qualifiedName(key.toLowerCase())));
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (bytes > annotationBytesMax) found.push(problem.tooLong(at, annotationBytesMax));
  return found;
}

function ownerProblems(owners: readonly OwnerReference[]): readonly Problem[] {
  const at = `${path}.ownerReferences`;
  const found: Problem[] = [];
  let controller: OwnerReference | undefined;
  for (const owner of owners) {
    const slash = owner.apiVersion.indexOf('/');
    if (owner.apiVersion.slice(slash + 1) === '')
      found.push(
        problem.invalid(`${at}.apiVersion`, owner.apiVersion, 'version must not be empty'),
      );
    for (const key of ['kind', 'name', 'uid'] as const)
      if (owner[key] === '')
        found.push(problem.invalid(`${at}.${key}`, owner[key], 'must not be empty'));
    if (owner.apiVersion === 'v1' && owner.kind === 'Event')
      found.push(problem.invalid(at, owner, '/v1, Kind=Event is disallowed from being an owner'));
    if (owner.controller !== true) continue;
    if (controller === undefined) controller = owner;
    else
      found.push(
        problem.invalid(
          at,
          owners,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller.kind}/${controller.name} and ${owner.kind}/${owner.name}`,
        ),
      );
  }
  return found;
}

function finalizerProblems(finalizers: readonly string[]): readonly Problem[] {
  const at = `${path}.finalizers`;
  const found = finalizers.flatMap((one) => invalids(at, one, qualifiedName(one)));
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion'))
    found.push(
      problem.invalid(at, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'),
    );
  return found;
}
const standardFinalizers = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);
function coreFinalizerProblems(finalizers: readonly string[]): readonly Problem[] {
  return finalizers.flatMap((one, index) =>
    one.includes('/') || standardFinalizers.has(one)
      ? []
      : [
          problem.invalid(
            `${path}.finalizers[${index}]`,
            one,
            'name is neither a standard finalizer name nor is it fully qualified',
          ),
        ],
  );
}

/** Rules of a manager's name, in managedFields and in the fieldManager option. */
export function managerProblems(manager: string, at: string): readonly Problem[] {
  const found: Problem[] = [];
  if (Buffer.byteLength(manager) > managerBytesMax)
    found.push(problem.tooLong(at, managerBytesMax));
  found.push(...invalids(at, manager, unprintableTexts(manager, isGoPrint)));
  return found;
}
function managedFieldsProblems(entries: readonly ManagedFieldsEntry[]): readonly Problem[] {
  return entries.flatMap((entry, index) => {
    const at = `${path}.managedFields[${index}]`;
    const found: Problem[] = [];
    const operation = entry.operation ?? '';
    if (operation !== 'Apply' && operation !== 'Update')
      found.push(problem.invalid(`${at}.operation`, operation, 'must be `Apply` or `Update`'));
    const fieldsType = entry.fieldsType ?? '';
    if (fieldsType !== '' && fieldsType !== 'FieldsV1')
      found.push(problem.invalid(`${at}.fieldsType`, fieldsType, 'must be `FieldsV1`'));
    found.push(...managerProblems(entry.manager ?? '', `${at}.manager`));
    if (Buffer.byteLength(entry.subresource ?? '') > subresourceBytesMax)
      found.push(problem.tooLong(`${at}.subresource`, subresourceBytesMax));
    return found;
  });
}

const immutableFields = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const;

/** The rules of an update alone (ValidateObjectMetaUpdate). */
export function metadataUpdateProblems(
  meta: ObjectMeta,
  old: ObjectMeta,
  rules: MetadataRules,
): readonly Problem[] {
  const found: Problem[] = [];
  if (old.deletionTimestamp !== undefined) {
    const known = new Set(old.finalizers ?? []);
    const added = (meta.finalizers ?? []).filter((one) => !known.has(one)).toSorted();
    if (added.length > 0)
      found.push(
        problem.forbidden(
          `${path}.finalizers`,
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((one) => `"${one}"`).join(', ')}}`,
        ),
      );
  }
  if ((meta.resourceVersion ?? '') === '')
    found.push(
      problem.invalid(
        `${path}.resourceVersion`,
        meta.resourceVersion ?? '',
        'must be specified for an update',
      ),
    );
  if ((meta.generation ?? 0) < (old.generation ?? 0))
    found.push(
      problem.invalid(`${path}.generation`, meta.generation ?? 0, 'must not be decremented'),
    );
  for (const key of immutableFields)
    if ((meta[key] ?? '') !== (old[key] ?? ''))
      found.push(problem.invalid(`${path}.${key}`, meta[key], immutableText));
  addSharedProblems(found, meta, rules);
  return found;
}

/** Owner references without repeated uids, the first one kept; undefined when none repeats. */
export function withoutDoubledOwners(
  object: KubeObject,
): { readonly kept: readonly OwnerReference[]; readonly doubled: readonly string[] } | undefined {
  const owners = object.metadata.ownerReferences ?? [];
  const kept: OwnerReference[] = [];
  const doubled: string[] = [];
  const seen = new Set<string>();
  for (const owner of owners) {
    if (!seen.has(owner.uid)) kept.push(owner);
    else if (!doubled.includes(owner.uid)) doubled.push(owner.uid);
    seen.add(owner.uid);
  }
  return doubled.length === 0 ? undefined : { kept, doubled };
}
