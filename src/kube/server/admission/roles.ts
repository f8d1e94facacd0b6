import type { AdmissionPlugin, AdmissionRequest, Authorizer } from '#apiserver';
import { reservedKeys, roleLabel } from '../pods.ts';
import { isFor, refuse } from './about.ts';

/**
 * Annotations and labels by which Tandem's own parts say who pays for a Pod, which ports it holds and
 * whose executor it is. The ledger and the agents trust them, so nobody writes them over the API, not
 * even a controller on behalf of a template; the doors for launches do.
 */
export const reservedPodKeys: AdmissionPlugin = {
  name: 'ReservedPodKeys',
  validate(request) {
    const { kind, object, old } = request;
    if (kind.group !== '' || kind.plural !== 'pods' || object === undefined) return;
    const { metadata } = object as { metadata?: typeof object.metadata };
    for (const field of ['annotations', 'labels'] as const) {
      const key = changedReserved(metadata?.[field], old?.metadata[field]);
      if (key !== undefined)
        throw refuse(request, `metadata.${field}: ${key} is set by the system only`);
    }
  },
};

type Strings = Readonly<Record<string, string>> | undefined | null;

function changedReserved(now: Strings, before: Strings): string | undefined {
  if (now === undefined && before === undefined) return undefined;
  return [...Object.keys(now ?? {}), ...Object.keys(before ?? {})].find(
    (key) => reservedKeys(key) && now?.[key] !== before?.[key],
  );
}

/** A namespace's label puts its Pods on a role: that takes the right to `use` the role. */
export function namespaceRole(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'NamespaceRole',
    validate(request) {
      if (!isFor(request, '', 'namespaces') || request.object === undefined) return;
      if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return;
      const role = request.object.metadata.labels?.[roleLabel];
      const before = request.old?.metadata.labels?.[roleLabel];
      for (const name of [role, before])
        if (role !== before && name !== undefined && name !== '*')
          checkUse(request, name, authorizer);
    },
  };
}

function checkUse(request: AdmissionRequest, role: string, authorizer: Authorizer): void {
  const decision = authorizer.authorize({
    user: request.user,
    verb: 'use',
    isResource: true,
    group: 'mesos.tandem.dev',
    version: 'v1',
    resource: 'resourceroles',
    subresource: '',
    namespace: '',
    name: role,
    path: '',
  });
  if (decision.decision !== 'allow')
    throw refuse(
      request,
      `label ${roleLabel}: user ${JSON.stringify(request.user.name)} may not "use" role ${JSON.stringify(role)}`,
    );
}
