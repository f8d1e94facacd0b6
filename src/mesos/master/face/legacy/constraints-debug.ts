import { compileOfferConstraints } from '#mesos/protocol';
import type { FrameworkRecord, MasterState } from '../../core/records.ts';

type ConstraintsDebug = {
  readonly suppressed_roles: readonly string[];
  readonly excluded_by_attribute_constraints: Readonly<Record<string, readonly string[]>>;
};

/** `/allocator/offer_constraints_debug`: what keeps offers of agents from frameworks, by framework. */
export function constraintsDebug(
  state: Pick<MasterState, 'frameworks' | 'agents'>,
): Readonly<Record<string, ConstraintsDebug>> {
  const shown = [...state.frameworks].map(([id, framework]): [string, ConstraintsDebug] => [
    id,
    {
      suppressed_roles: [...framework.suppressedRoles],
      excluded_by_attribute_constraints: excluded(framework, state),
    },
  ]);
  return Object.fromEntries(shown);
}

/** Ids of the agents that are not offered, by each role of the framework. */
function excluded(
  { roles, offerConstraints }: FrameworkRecord,
  { agents }: Pick<MasterState, 'agents'>,
): Readonly<Record<string, readonly string[]>> {
  const constraints = compileOfferConstraints(offerConstraints ?? {});
  const idsOf = (role: string): readonly string[] =>
    // What does not compile was refused when the framework said it.
    typeof constraints === 'string'
      ? []
      : [...agents].flatMap(([id, { info }]) => (constraints.accepts(role, info) ? [] : [id]));
  return Object.fromEntries([...roles].map((role) => [role, idsOf(role)]));
}
