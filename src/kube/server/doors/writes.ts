import type { Clock, FaceReply } from '#base';
import type { ApiServer, Door, DoorRequest, Reader } from '#apiserver';
import {
  certificateSigningRequests,
  namespaces,
  type Namespace,
  type certificatesV1,
} from '#kube/kinds';
import {
  type Api,
  type Draft,
  type KubeObject,
  type ResourceName,
  conflict,
  invalid,
  methodNotSupported,
  notFound,
} from '#machinery';

export interface WriteParts {
  readonly reader: Reader;
  readonly server: Pick<ApiServer, 'updateMany'>;
  readonly api: Api;
  readonly clock: Clock;
}
type Csr = certificatesV1.CertificateSigningRequest;

/** Subresources that write a part of their object that nothing else may write. */
export function writeDoors(parts: WriteParts): readonly Door[] {
  return [
    {
      group: '',
      resource: 'namespaces',
      subresource: 'finalize',
      handle: (door) => finalize(door, parts),
    },
    {
      group: 'certificates.k8s.io',
      resource: 'certificatesigningrequests',
      subresource: 'approval',
      handle: (door) => approve(door, parts),
    },
  ];
}

/** The body of a PUT beside the object it is for, both checked as an update's are. */
async function readPut<T extends KubeObject>(
  door: DoorRequest,
  old: T | undefined,
  resource: ResourceName<T>,
): Promise<{ readonly body: Draft<T>; readonly old: T }> {
  const { name } = door.attributes;
  if (door.request.method !== 'PUT') throw methodNotSupported(resource, door.attributes.verb);
  if (old === undefined) throw notFound(resource, name);
  const body = (await door.body(door.kind.type)) as unknown as Draft<T>;
  const version = body.metadata.resourceVersion ?? '';
  if (version !== '' && version !== old.metadata.resourceVersion) throw conflict(resource, name);
  await door.admit('UPDATE', body as unknown as Draft<KubeObject>, old);
  return { body, old };
}

/** Sets `spec.finalizers`; a terminating namespace without any is gone with this request. */
async function finalize(door: DoorRequest, parts: WriteParts): Promise<FaceReply> {
  const { name } = door.attributes;
  const { body, old } = await readPut<Namespace>(
    door,
    parts.reader.get(namespaces, name),
    namespaces,
  );
  const wanted = [...(body.spec.finalizers ?? [])];
  const [result] = await parts.server.updateMany<Namespace>([
    {
      resource: namespaces,
      name,
      change(draft) {
        if (draft.metadata.uid !== old.metadata.uid) throw notFound(namespaces, name);
        if (wanted.length === 0) delete draft.spec.finalizers;
        else draft.spec.finalizers = wanted;
      },
    },
  ]);
  if (result === undefined || !result.ok) throw result?.error ?? notFound(namespaces, name);
  const { metadata } = result.object;
  const isLast =
    wanted.length === 0 &&
    (metadata.finalizers ?? []).length === 0 &&
    metadata.deletionTimestamp !== undefined;
  if (isLast && parts.reader.get(namespaces, name) !== undefined)
    await parts.api.delete(namespaces, { name }, { uid: metadata.uid });
  return door.reply(200, result.object);
}

/** Sets the conditions of a request, which is how it is approved or denied. */
async function approve(door: DoorRequest, parts: WriteParts): Promise<FaceReply> {
  const { name } = door.attributes;
  const stored = parts.reader.get(certificateSigningRequests, name);
  if (door.request.method === 'GET' && stored !== undefined) return door.reply(200, stored);
  const { body } = await readPut<Csr>(door, stored, certificateSigningRequests);
  const nowMs = parts.clock.nowMs();
  const [result] = await parts.server.updateMany<Csr>([
    {
      resource: certificateSigningRequests,
      name,
      change(draft) {
        const before = structuredClone(draft) as unknown as Csr;
        draft.status.conditions = structuredClone(body.status.conditions ?? []);
        const rules = certificateSigningRequests.partialUpdates?.['approval'];
        rules?.prepare(draft, before, { nowMs, namespace: '', subresource: 'approval' });
        const problems = rules?.validate(draft as unknown as Csr, before) ?? [];
        if (problems.length > 0) throw invalid(certificateSigningRequests, name, problems);
      },
    },
  ]);
  if (result === undefined || !result.ok)
    throw result?.error ?? notFound(certificateSigningRequests, name);
  return door.reply(200, result.object);
}
