import type { Problem } from './problem.ts';

/**
 * Ids of apps, pods and groups: paths as `/a/b`. Kept ids are absolute and canonical.
 */

const label = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
const segmentPattern =
  '^(([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])\\.)*([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])|(\\.|\\.\\.)$';
const reservedWords = ['restart', 'tasks', 'versions', '.', '..'];

/** Lower-case labels joined by dots: one segment of an id. */
export function isDottedName(text: string): boolean {
  return text.split('.').every((part) => label.test(part));
}

export function segmentsOf(id: string): string[] {
  return id.split('/').filter((segment) => segment !== '');
}

function join(segments: readonly string[]): string {
  return `/${segments.join('/')}`;
}

/** `id` seen from the group `base`: absolute, `.` and `..` resolved. */
export function canonicalID(id: string, base = '/'): string {
  const from = id.startsWith('/') ? [] : segmentsOf(base);
  const result: string[] = [];
  for (const segment of [...from, ...segmentsOf(id)]) {
    if (segment === '.') continue;
    if (segment === '..') result.pop();
    else result.push(segment);
  }
  return join(result);
}

/** The group an id lies in; that of `/` is `/`. */
export function parentID(id: string): string {
  return join(segmentsOf(id).slice(0, -1));
}

/** All groups above an id, nearest first, `/` last. */
export function ancestorIDs(id: string): string[] {
  const segments = segmentsOf(id);
  return segments.map((_, index) => join(segments.slice(0, segments.length - 1 - index)));
}

/** The top-level group an id lies in (or is). */
export function topLevelID(id: string): string {
  return join(segmentsOf(id).slice(0, 1));
}

/** Below the group, at any depth, or the group itself. */
export function isWithin(id: string, group: string): boolean {
  return group === '/' || id === group || id.startsWith(`${group}/`);
}

/** `/a/b` as `a_b`, for ids of tasks. */
export function safeID(id: string): string {
  return segmentsOf(id).join('_');
}

/** `/a/b` as `b.a`, for names in discovery. */
export function dottedName(id: string): string {
  return segmentsOf(id).toReversed().join('.');
}

/** What the original says of a kept id. */
export function idProblems(id: string, path: string): Problem[] {
  const segments = segmentsOf(id);
  const problems: Problem[] = [];
  if (!segments.every((segment) => segment === '.' || segment === '..' || isDottedName(segment)))
    problems.push({ path, text: `must fully match regular expression '${segmentPattern}'` });
  if (reservedWords.includes(segments.at(-1) ?? ''))
    problems.push({
      path,
      text: `must not end with any of the following reserved keywords: ${reservedWords.join(', ')}`,
    });
  return problems;
}

/** The root is no id of an app or pod. */
export function emptyIDProblems(id: string, path: string): Problem[] {
  return segmentsOf(id).length > 0
    ? []
    : [{ path, text: 'Path must contain at least one path element' }];
}

/** An id given in a group: relative, or absolute and directly in it. */
export function childProblems(id: string, options: { group: string; path: string }): Problem[] {
  const { group, path } = options;
  const canonical = canonicalID(id, group);
  if (canonical !== '/' && parentID(canonical) === group) return [];
  return [{ path, text: `Identifier is not child of '${group}'` }];
}
