import { fieldsOf, textOf, type Fields } from './documents.ts';
import { dockerHub, type Reference } from './reference.ts';

export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** An OAuth refresh token in place of a password. */
  readonly identityToken: string;
  /** A bearer token to use as it is. */
  readonly registryToken: string;
}

/**
 * All credentials of docker config documents (`{auths: {HOST: {...}}}`, or the older form without
 * `auths`) that are for this image, the closest match first: keys may have a path and `*` in the host.
 */
export function credentialsFor(
  reference: Reference,
  documents: readonly unknown[],
): readonly Credentials[] {
  const target = `${reference.registry}/${reference.repository}`;
  const found: { readonly length: number; readonly credentials: Credentials }[] = [];
  for (const document of documents) {
    const fields = fieldsOf(document);
    const auths = fields.has('auths') ? fieldsOf(fields.get('auths')) : fields;
    for (const [key, value] of auths) {
      const pattern = normalKey(key);
      if (!matches(pattern, target)) continue;
      const credentials = credentialsOf(fieldsOf(value));
      if (credentials !== undefined) found.push({ length: pattern.length, credentials });
    }
  }
  return found.toSorted((a, b) => b.length - a.length).map(({ credentials }) => credentials);
}

function credentialsOf(fields: Fields): Credentials | undefined {
  const auth = Buffer.from(textOf(fields.get('auth')), 'base64').toString('utf8');
  const at = auth.indexOf(':');
  const username = textOf(fields.get('username')) || auth.slice(0, Math.max(0, at));
  const password = textOf(fields.get('password')) || (at < 0 ? '' : auth.slice(at + 1));
  const identityToken = textOf(fields.get('identitytoken'));
  const registryToken = textOf(fields.get('registrytoken'));
  if (username === '' && identityToken === '' && registryToken === '') return undefined;
  return { username, password, identityToken, registryToken };
}

/** "https://index.docker.io/v1/" and the like to "docker.io". */
function normalKey(key: string): string {
  const bare = key
    .replace(/^https?:\/\//, '')
    .replace(/\/+$/, '')
    .replace(/\/v[12]$/, '');
  const hubs = ['index.docker.io', 'registry-1.docker.io', 'registry.hub.docker.com'];
  return hubs.includes(bare) ? dockerHub : bare;
}

function matches(pattern: string, target: string): boolean {
  const [host = '', ...path] = pattern.split('/');
  const [targetHost = '', ...targetPath] = target.split('/');
  const parts = host.split('.');
  const targetParts = targetHost.split('.');
  if (parts.length !== targetParts.length) return false;
  const fits = parts.every((part, index) => globFits(part, targetParts[index] ?? ''));
  return fits && path.every((part, index) => part === targetPath[index]);
}
function globFits(pattern: string, text: string): boolean {
  if (!pattern.includes('*')) return pattern === text;
  const pieces = pattern.split('*');
  let at = 0;
  for (const [index, piece] of pieces.entries()) {
    const next = index === 0 ? (text.startsWith(piece) ? 0 : -1) : text.indexOf(piece, at);
    if (next < 0) return false;
    at = next + piece.length;
  }
  return pieces.at(-1) === '' || text.endsWith(pieces.at(-1) ?? '');
}
