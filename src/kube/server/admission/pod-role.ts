import type { AdmissionPlugin, Authorizer } from '#apiserver';
import { roleAnnotation } from '../pods.ts';
import { isFor, refuse } from './about.ts';

/** The role that pays for a Pod is not everybody's to write: it takes the right to `use` that role. */
export function podRole(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'PodRole',
    validate(request) {
      if (!isFor(request, '', 'pods') || request.object === undefined) return;
      if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return;
      const role = request.object.metadata.annotations?.[roleAnnotation];
      const before = request.old?.metadata.annotations?.[roleAnnotation];
      if (role === before) return;
      const decision = authorizer.authorize({
        user: request.user,
        verb: 'use',
        isResource: true,
        group: 'mesos.tandem.dev',
        version: 'v1',
        resource: 'roles',
        subresource: '',
        namespace: '',
        name: role ?? before ?? '',
        path: '',
      });
      if (decision.decision !== 'allow')
        throw refuse(
          request,
          `annotation ${roleAnnotation}: user ${JSON.stringify(request.user.name)} may not "use" role ${JSON.stringify(role ?? before ?? '')}`,
        );
    },
  };
}
