import {
  compileOfferConstraints,
  frameworkRoles,
  validateConstraintRoles,
  validateFramework,
  validateSuppressedRoles,
  type CompiledConstraints,
  type FrameworkInfo,
  type SchedulerCall,
  type SchedulerOfferConstraints,
} from '#mesos/protocol';
import type { FrameworkBook } from './books.ts';

/** What SUBSCRIBE and UPDATE_FRAMEWORK both say. */
export interface Subscription {
  readonly info: FrameworkInfo;
  readonly suppressedRoles: readonly string[];
  readonly offerConstraints: SchedulerOfferConstraints | undefined;
}

export function subscriptionOf(call: SchedulerCall): Subscription | undefined {
  const body = call.subscribe ?? call.update_framework;
  if (body === undefined) return undefined;
  return {
    info: body.framework_info,
    suppressedRoles: body.suppressed_roles ?? [],
    offerConstraints: body.offer_constraints,
  };
}

/** Checks 1 to 8 of a subscription. */
export function infoProblem(
  info: FrameworkInfo,
  isCompleted: (id: string) => boolean,
): string | undefined {
  const id = info.id?.value ?? '';
  return (
    validateFramework(info) ??
    (id !== '' && isCompleted(id) ? 'Framework has been removed' : undefined)
  );
}

/** Checks 9 to 11. */
export function settingsProblem(subscription: Subscription): string | undefined {
  const { info, suppressedRoles, offerConstraints = {} } = subscription;
  const roles = frameworkRoles(info);
  const problem =
    validateSuppressedRoles(roles, suppressedRoles) ??
    validateConstraintRoles(roles, offerConstraints);
  if (problem !== undefined) return problem;
  const compiled = compileOfferConstraints(offerConstraints);
  return typeof compiled === 'string' ? `Offer constraints are not valid: ${compiled}` : undefined;
}

/** Puts a valid subscription into the book. What the roles lose and gain is the caller's to act upon. */
export function applySubscription(book: FrameworkBook, subscription: Subscription): void {
  const { info, suppressedRoles, offerConstraints } = subscription;
  book.info = info;
  book.roles = frameworkRoles(info);
  book.suppressedRoles = new Set(suppressedRoles);
  book.capabilities = new Set((info.capabilities ?? []).map(({ type }) => type ?? 'UNKNOWN'));
  book.offerConstraints = offerConstraints;
  book.constraints = compiled(offerConstraints);
}

function compiled(
  constraints: SchedulerOfferConstraints | undefined,
): CompiledConstraints | undefined {
  if (Object.keys(constraints?.role_constraints ?? {}).length === 0) return undefined;
  const result = compileOfferConstraints(constraints ?? {});
  return typeof result === 'string' ? undefined : result;
}
