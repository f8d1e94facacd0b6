import { dns1123Label, dns1123Subdomain, domainPrefixedPath, pathSegmentName } from '#machinery';
import type { Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { ageColumn, column } from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import type { IngressClass } from '../types/networking-v1.ts';

export const ingressClasses = declareKind<IngressClass>('networking.k8s.io/v1/IngressClass', {
  defaults: ({ spec }) => {
    if (spec.parameters !== undefined) spec.parameters.scope ??= 'Cluster';
  },
  validateCreate: validate,
  validateUpdate: (object, old) => {
    const root = rootField();
    const { controller } = object.spec;
    if (controller !== old.spec.controller) root.at('spec.controller').immutable(controller ?? '');
    return [...validate(object), ...root.found];
  },
  table: {
    columns: [
      column(
        'Name',
        ({ metadata }) =>
          metadata.annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true'
            ? `${metadata.name} (default)`
            : metadata.name,
        { format: 'name' },
      ),
      column('Controller', ({ spec }) => spec.controller ?? ''),
      column('Parameters', ({ spec: { parameters } }) => {
        if (parameters === undefined) return '<none>';
        const group = parameters.apiGroup ? `.${parameters.apiGroup}` : '';
        return `${parameters.kind}${group}/${parameters.name}`;
      }),
      ageColumn,
    ],
  },
});

function validate({ spec: { controller = '', parameters } }: IngressClass): readonly Problem[] {
  const root = rootField();
  const at = root.at('spec.controller');
  if (controller.length > 250) at.tooLong(250);
  if (controller === '') at.required();
  else at.invalidAll(controller, domainPrefixedPath(controller));
  if (parameters === undefined) return root.found;
  const field = root.at('spec.parameters');
  const { apiGroup, kind, name, scope, namespace } = parameters;
  if (apiGroup) field.at('apiGroup').invalidAll(apiGroup, dns1123Subdomain(apiGroup));
  for (const [key, value] of Object.entries({ kind, name }))
    if (value === '') field.at(key).required();
    else field.at(key).invalidAll(value, pathSegmentName(value));
  if (scope === undefined) field.at('scope').required();
  else if (scope !== 'Cluster' && scope !== 'Namespace')
    field.at('scope').notSupported(scope, ['Cluster', 'Namespace']);
  const place = field.at('namespace');
  if (scope === 'Namespace' && namespace === undefined)
    place.required("`parameters.scope` is set to 'Namespace'");
  if (scope === 'Namespace' && namespace !== undefined)
    place.invalidAll(namespace, dns1123Label(namespace));
  if (scope === 'Cluster' && namespace !== undefined)
    place.forbidden("`parameters.scope` is set to 'Cluster'");
  return root.found;
}
