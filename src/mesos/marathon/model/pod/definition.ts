import type { DefinitionContext } from '../app/definition.ts';
import { canonicalID } from '../ids.ts';
import { MarathonFailure, refuseInvalid } from '../problem.ts';
import { read } from '../read.ts';
import { roleRules } from '../roles.ts';
import type { PodDefinition } from '../root.ts';
import { podModelProblems, podProblems } from './check.ts';
import { completePod, normalisedPod } from './normalise.ts';

/** POST: read, checked, normalised. It has no version yet. */
export function podFromJson(json: unknown, context: DefinitionContext): PodDefinition {
  const { root, settings, forceRole } = context;
  const sent = read('Pod', json);
  const pod = { ...sent, id: canonicalID(sent.id) };
  // Unlike those of apps, ids of pods are not seen from the root.
  const relative = sent.id.startsWith('/')
    ? []
    : [{ path: '/id', text: 'Path needs to be absolute' }];
  refuseInvalid([...relative, ...podProblems(pod, { pod, settings })]);
  const roles = roleRules(root, pod.id, { settings, force: forceRole });
  const full = completePod(normalisedPod(pod, { settings, roles }));
  refuseInvalid(podModelProblems(full, roles));
  const { version: _version, ...definition } = full;
  return definition;
}

/** PUT: a whole definition of the pod `id`. Versions are those of `existing`. */
export function podUpdateFromJson(
  json: unknown,
  options: {
    readonly id: string;
    readonly existing: PodDefinition | undefined;
    readonly context: DefinitionContext;
  },
): PodDefinition {
  const { id, existing, context } = options;
  const pod = podFromJson(json, context);
  if (pod.id !== id)
    throw new MarathonFailure(400, {
      message: `'${id}' does not match definition's id ('${pod.id}')`,
    });
  return {
    ...pod,
    ...(existing?.version === undefined ? {} : { version: existing.version }),
    ...(existing?.versionInfo === undefined ? {} : { versionInfo: existing.versionInfo }),
  };
}
