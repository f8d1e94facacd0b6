// Derived by tools/derive-types.ts from facts/api-facts.json. Edit those, not this.
import type { ObjectMeta } from '#machinery';
import type { UserInfo } from './authentication-v1.ts';
import type { ListMeta, Status } from './meta-v1.ts';
import type { Unknown } from './pkg-runtime.ts';

export interface AuthenticationMetadata {
  readonly impersonationConstraint?: string | undefined;
}

export interface Event {
  readonly kind: string;
  readonly apiVersion: string;
  readonly level: string;
  readonly auditID: string;
  readonly stage: string;
  readonly requestURI: string;
  readonly verb: string;
  readonly user: UserInfo;
  readonly impersonatedUser?: UserInfo | undefined;
  readonly authenticationMetadata?: AuthenticationMetadata | undefined;
  readonly sourceIPs?: readonly string[] | undefined;
  readonly userAgent?: string | undefined;
  readonly objectRef?: ObjectReference | undefined;
  readonly responseStatus?: Status | undefined;
  readonly requestObject?: Unknown | undefined;
  readonly responseObject?: Unknown | undefined;
  readonly requestReceivedTimestamp: string | null;
  readonly stageTimestamp: string | null;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

export interface EventList {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: ListMeta;
  readonly items: readonly Event[];
}

export interface GroupResources {
  readonly group?: string | undefined;
  readonly resources?: readonly string[] | undefined;
  readonly resourceNames?: readonly string[] | undefined;
}

export interface ObjectReference {
  readonly resource?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly uid?: string | undefined;
  readonly apiGroup?: string | undefined;
  readonly apiVersion?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly subresource?: string | undefined;
}

export interface Policy {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: ObjectMeta;
  readonly rules: readonly PolicyRule[];
  readonly omitStages?: readonly string[] | undefined;
  readonly omitManagedFields?: boolean | undefined;
}

export interface PolicyList {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: ListMeta;
  readonly items: readonly Policy[];
}

export interface PolicyRule {
  readonly level: string;
  readonly users?: readonly string[] | undefined;
  readonly userGroups?: readonly string[] | undefined;
  readonly verbs?: readonly string[] | undefined;
  readonly resources?: readonly GroupResources[] | undefined;
  readonly namespaces?: readonly string[] | undefined;
  readonly nonResourceURLs?: readonly string[] | undefined;
  readonly omitStages?: readonly string[] | undefined;
  readonly omitManagedFields?: boolean | undefined;
}
