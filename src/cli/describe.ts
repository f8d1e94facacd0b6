import { table } from './print.ts';

/** Fields that tell a reader nothing. */
const hidden = new Set(['managedFields', 'kind', 'apiVersion']);

/** An object as indented lines, its events as a table below. */
export function describeObject(
  object: Readonly<Record<string, unknown>>,
  events: readonly Readonly<Record<string, unknown>>[],
): string {
  const metadata = (object['metadata'] ?? {}) as Record<string, unknown>;
  const head: [string, unknown][] = [
    ['Name', metadata['name']],
    ['Namespace', metadata['namespace']],
    ['Kind', `${String(object['kind'])} (${String(object['apiVersion'])})`],
    ['Created', metadata['creationTimestamp']],
    ['Labels', metadata['labels']],
    ['Annotations', metadata['annotations']],
  ];
  const lines: string[] = [];
  for (const [name, value] of head) if (value !== undefined) lines.push(...linesOf(name, value, 0));
  for (const [name, value] of Object.entries(object))
    if (name !== 'metadata' && !hidden.has(name)) lines.push(...linesOf(title(name), value, 0));
  lines.push(events.length === 0 ? 'Events:  <none>' : 'Events:');
  const rows = events.map((event) => [
    `  ${String(event['type'])}`,
    String(event['reason']),
    String(event['lastTimestamp'] ?? event['eventTime'] ?? ''),
    String(event['message'] ?? ''),
  ]);
  const listed =
    rows.length === 0 ? '' : table([['  TYPE', 'REASON', 'LAST SEEN', 'MESSAGE'], ...rows]);
  return `${lines.join('\n')}\n${listed}`;
}

function linesOf(name: string, value: unknown, depth: number): string[] {
  const indent = '  '.repeat(depth);
  if (value === null || value === undefined) return [];
  if (typeof value !== 'object') return [`${indent}${name}:  ${scalar(value)}`];
  const entries: [string, unknown][] = Array.isArray(value)
    ? value.map((item, index) => [nameOf(item, index), item])
    : Object.entries(value).filter(([key]) => !hidden.has(key));
  if (entries.length === 0) return [];
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object'))
    return [`${indent}${name}:  ${value.map(scalar).join(', ')}`];
  const keep = !Array.isArray(value) && /^(Labels|Annotations)$/.test(name);
  return [
    `${indent}${name}:`,
    ...entries.flatMap(([key, item]) =>
      linesOf(keep || Array.isArray(value) ? key : title(key), item, depth + 1),
    ),
  ];
}

function scalar(value: unknown): string {
  return String(value).replaceAll('\n', '\n    ');
}

/** List items go by their own name where they have one. */
function nameOf(item: unknown, index: number): string {
  const named = item as { name?: unknown; type?: unknown } | null;
  if (typeof named === 'object' && typeof named?.name === 'string') return named.name;
  if (typeof named === 'object' && typeof named?.type === 'string') return named.type;
  return String(index);
}

/** `restartPolicy` becomes `Restart Policy`. */
function title(key: string): string {
  return key
    .replace(/^./, (first) => first.toUpperCase())
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2');
}
