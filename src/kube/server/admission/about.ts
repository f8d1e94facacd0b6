import type { AdmissionRequest } from '#apiserver';
import type { Pod } from '#kube/kinds';
import { type Draft, type KubeObject, StatusError, forbidden } from '#machinery';

/** True for writes of whole objects of one resource. */
export function isFor(request: AdmissionRequest, group: string, plural: string): boolean {
  return (
    request.subresource === '' && request.kind.plural === plural && request.kind.group === group
  );
}

/** The draft as its type, once `isFor` has said so. */
export function draftOf<T extends KubeObject>(request: AdmissionRequest): Draft<T> {
  if (request.object === undefined) throw new Error(`Cannot admit ${request.name}: no object`);
  return request.object as unknown as Draft<T>;
}

/** The Pod that is being created, or undefined. */
export function newPod(request: AdmissionRequest): Draft<Pod> | undefined {
  if (request.operation !== 'CREATE' || !isFor(request, '', 'pods')) return undefined;
  return draftOf<Pod>(request);
}

/** The standard 403 of admission: the name, or the prefix it will be made from, or `Unknown`. */
export function refuse(request: AdmissionRequest, text: string): StatusError {
  const generated = request.object?.metadata.generateName ?? '';
  const name = request.name !== '' ? request.name : generated !== '' ? generated : 'Unknown';
  return forbidden(request.kind, name, text);
}

export function isMirrorPod(pod: {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> | undefined };
}): boolean {
  return pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined;
}
