import type { Authorizer, Decision } from '#apiserver';

/** The first opinion counts; without one every reason that was given is passed on. */
export function unionAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  return {
    name: 'union',
    authorize(attributes): Decision {
      const reasons: string[] = [];
      for (const authorizer of authorizers) {
        const decision = authorizer.authorize(attributes);
        if (decision.decision !== 'noOpinion') return decision;
        if (decision.reason !== '') reasons.push(decision.reason);
      }
      return { decision: 'noOpinion', reason: reasons.join('\n') };
    },
  };
}
