import type { Reader, TokenVerifier, UserInfo } from '#apiserver';
import { authenticated, sameSecret } from '#apiserver';
import { secrets } from '#kube/kinds';
import type { Secret } from '#kube/kinds';

/** Users with passwords are Secrets of type kubernetes.io/basic-auth with this label, in kube-system. */
export const userLabel = 'tandem.dev/user';
/** Their groups, separated by commas. */
export const groupsAnnotation = 'tandem.dev/groups';

export type PasswordResult =
  | { readonly ok: true; readonly user: UserInfo }
  | { readonly ok: false; readonly error: string };

/** What follows `Basic ` in a header. */
export function byPassword(reader: Reader, encoded: string): PasswordResult {
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return { ok: false, error: 'Malformed basic credentials' };
  const name = text.slice(0, colon);
  const password = text.slice(colon + 1);
  const account = userNamed(reader, name);
  if (
    password === '' ||
    account === undefined ||
    !sameSecret(password, textOf(account, 'password'))
  )
    return { ok: false, error: 'Unknown user or wrong password' };
  const groups = (account.metadata.annotations?.[groupsAnnotation] ?? '')
    .split(',')
    .map((group) => group.trim())
    .filter((group) => group !== '' && !group.startsWith('system:'));
  return { ok: true, user: authenticated({ name, groups }) };
}

/** Is there a user of the name that these credentials say? */
export function namesUser(reader: Reader, encoded: string): boolean {
  const [name = ''] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  return userNamed(reader, name) !== undefined;
}

/**
 * For reviews alone: agents have the credentials judged that reach their own faces. The API itself
 * takes no passwords.
 */
export function passwordVerifier(reader: Reader): TokenVerifier {
  return {
    name: 'password',
    verify(token, audiences) {
      const encoded = /^Basic +(\S+)$/i.exec(token)?.[1];
      if (encoded === undefined) return undefined;
      const result = byPassword(reader, encoded);
      if (result.ok) return { ...result, audiences };
      return { ok: false, error: namesUser(reader, encoded) ? result.error : nobody };
    },
  };
}

/** Where nobody needs credentials, those of nobody are ignored. */
export const nobody = 'there is no user of that name';

function userNamed(reader: Reader, name: string): Secret | undefined {
  if (name === '') return undefined;
  return reader
    .list(secrets)
    .find(
      (secret) =>
        secret.type === 'kubernetes.io/basic-auth' &&
        secret.metadata.namespace === 'kube-system' &&
        secret.metadata.labels?.[userLabel] === 'true' &&
        textOf(secret, 'username') === name,
    );
}

function textOf(secret: Secret, key: string): string {
  const data = secret.data;
  const value = data !== undefined && data !== null && Object.hasOwn(data, key) ? data[key] : '';
  return Buffer.from(value ?? '', 'base64').toString('utf8');
}
