import { type HeaderMap } from '#base';
import { StatusError } from '#machinery';
import type { Attributes, UserInfo } from '../seams.ts';
import { anonymousUser, authenticated } from './authenticators.ts';

/** Who a request wants to be, and every right the real caller needs for that. */
export interface Impersonation {
  readonly user: UserInfo;
  readonly needs: readonly Attributes[];
}

const extraPrefix = 'impersonate-extra-';

/**
 * Reads the Impersonate-* headers (apiserver:pkg/endpoints/filters/impersonation). Undefined: none.
 * `real` is who asks; each of `needs` must be allowed, else the standard 403.
 */
export function impersonationOf(headers: HeaderMap, real: UserInfo): Impersonation | undefined {
  const name = headers['impersonate-user'] ?? '';
  const uid = headers['impersonate-uid'] ?? '';
  const asked = splitHeader(headers['impersonate-group']);
  const extra: Record<string, readonly string[]> = {};
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith(extraPrefix) || value === undefined) continue;
    extra[decodeKey(header.slice(extraPrefix.length))] = splitHeader(value);
  }
  const hasMore = asked.length > 0 || uid !== '' || Object.keys(extra).length > 0;
  if (name === '') {
    if (!hasMore) return undefined;
    throw new StatusError(
      'InternalError',
      `Internal error occurred: requested ${JSON.stringify(asked)} without impersonating a user`,
    );
  }
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
  const needs = [
    account === null
      ? need(real, { resource: 'users', name })
      : need(real, {
          resource: 'serviceaccounts',
          name: account[2] ?? '',
          namespace: account[1] ?? '',
        }),
    ...asked.map((group) => need(real, { resource: 'groups', name: group })),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map((value) =>
        need(real, {
          group: 'authentication.k8s.io',
          version: 'v1',
          resource: 'userextras',
          subresource: key,
          name: value,
        }),
      ),
    ),
    ...(uid === ''
      ? []
      : [
          need(real, {
            group: 'authentication.k8s.io',
            version: 'v1',
            resource: 'uids',
            name: uid,
          }),
        ]),
  ];
  const groups =
    account === null || asked.length > 0
      ? asked
      : ['system:serviceaccounts', `system:serviceaccounts:${account[1] ?? ''}`];
  const user: UserInfo = { name, groups, extra, ...(uid === '' ? {} : { uid }) };
  if (name !== anonymousUser.name) return { user: authenticated(user), needs };
  const [unknown = ''] = anonymousUser.groups;
  return {
    user: groups.includes(unknown) ? user : { ...user, groups: [...groups, unknown] },
    needs,
  };
}

function need(user: UserInfo, what: Partial<Attributes>): Attributes {
  return {
    user,
    verb: 'impersonate',
    isResource: true,
    group: '',
    version: 'v1',
    resource: '',
    subresource: '',
    namespace: '',
    name: '',
    path: '',
    ...what,
  };
}

function splitHeader(value: string | undefined): readonly string[] {
  if (value === undefined || value === '') return [];
  return value.split(',').map((entry) => entry.trim());
}

function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key).toLowerCase();
  } catch {
    // Not percent-encoded after all: the reference takes the key as it came.
    return key.toLowerCase();
  }
}
