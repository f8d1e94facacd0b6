import { hash } from 'node:crypto';

const nameLengthMax = 63;
const hashLength = 8;
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/**
 * The object name of a raw id (of a framework, a task, an app): readable, a DNS-1123 label, and
 * different for every id, though `/a.b` and `/a/b` read alike. `scope` is what the id is unique in,
 * when several of them share a namespace (a framework's id for its task ids).
 */
export function objectName(raw: string, scope = ''): string {
  // As text of one byte a character: a string is made faster than a buffer.
  const digest = hash('sha256', `${scope}\n${raw}`, 'binary');
  let mark = '';
  for (let at = 0; at < hashLength; at++) mark += alphabet[digest.charCodeAt(at) & 31];
  const slug = slugOf(raw, nameLengthMax - hashLength - 1);
  return slug === '' ? `id-${mark}` : `${slug}-${mark}`;
}

/** The namespace of a framework's tasks and Pods. Frameworks of one name share it. */
export function namespaceOf(frameworkName: string): string {
  const slug = slugOf(frameworkName, nameLengthMax - 'mesos-'.length);
  return `mesos-${slug === '' ? 'unnamed' : slug}`;
}

/** Lower-case letters, digits and single dashes; '' when nothing of the text is left. */
function slugOf(text: string, lengthMax: number): string {
  // No id is read further than a name can be long.
  return text
    .slice(0, 4 * lengthMax)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')
    .slice(0, lengthMax)
    .replace(/-$/, '');
}
