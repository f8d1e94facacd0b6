import type { AdmissionPlugin, AdmissionRequest, Reader } from '#apiserver';
import { namespaces } from '#kube/kinds';
import { StatusError, forbidden, notFound } from '#machinery';
import { isFor } from './about.ts';

const immortal = new Set(['default', 'kube-system', 'kube-public']);

/** Nothing is put into a namespace that is missing or going away. */
export function namespaceLifecycle(reader: Reader): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    mutate: (request) => check(request, reader),
  };
}

function check(request: AdmissionRequest, reader: Reader): void {
  const { operation, kind, namespace, name } = request;
  if (operation === 'DELETE') {
    if (isFor(request, '', 'namespaces') && immortal.has(name))
      throw forbidden(kind, name, 'this namespace may not be deleted');
    return;
  }
  if (!kind.namespaced || namespace === '' || kind.plural === 'localsubjectaccessreviews') return;
  const found = reader.get(namespaces, namespace);
  if (found === undefined) throw notFound(namespaces, namespace);
  if (operation !== 'CREATE' || found.metadata.deletionTimestamp === undefined) return;
  const text = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const refusal = forbidden(kind, name, text);
  throw new StatusError('Forbidden', refusal.message, {
    details: {
      ...refusal.details,
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    },
  });
}
