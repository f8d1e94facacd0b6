import type {
  Labels,
  Resource,
  ResourceDiskInfo,
  ResourceDiskInfoSource,
  ResourceReservationInfo,
  Volume,
} from '../types.ts';
import { isShared } from './reservations.ts';
import { rangesText, scalarText, setText } from './values.ts';

/** As messages name a resource: `cpus(allocated: eng)(reservations: [(STATIC,eng)]):1.5`. */
export function resourceText(resource: Resource): string {
  const { name, allocation_info: allocation, reservations = [], disk } = resource;
  const parts = [
    name,
    allocation === undefined ? '' : `(allocated: ${allocation.role ?? ''})`,
    reservations.length === 0
      ? ''
      : `(reservations: [${reservations.map((info) => `(${reservationText(info)})`).join(',')}])`,
    disk === undefined ? '' : `[${diskText(disk)}]`,
    resource.revocable === undefined ? '' : '{REV}',
    resource.shared === undefined ? '' : '<SHARED>',
    ':',
    valueText(resource),
  ];
  return parts.join('');
}

/** `{}` when empty; a shared resource is written once, with its count. */
export function resourcesText(resources: readonly Resource[]): string {
  if (resources.length === 0) return '{}';
  const texts: string[] = [];
  /** Of shared ones: how many there are, and where they are written. */
  const shared = new Map<string, { count: number; readonly place: number }>();
  for (const resource of resources) {
    const text = resourceText(resource);
    const known = isShared(resource) ? shared.get(text) : undefined;
    if (known !== undefined) known.count += 1;
    else {
      if (isShared(resource)) shared.set(text, { count: 1, place: texts.length });
      texts.push(text);
    }
  }
  for (const { count, place } of shared.values()) texts[place] += `<${count}>`;
  return texts.join('; ');
}

/** The value alone: `1.5`, `[31000-31002, 31005-31005]`, `{a, b}`. */
export function valueText(resource: Pick<Resource, 'type' | 'scalar' | 'ranges' | 'set'>): string {
  switch (resource.type) {
    case 'SCALAR':
      return scalarText(resource.scalar?.value ?? 0);
    case 'RANGES':
      return rangesText(resource.ranges ?? {});
    case 'SET':
      return setText(resource.set ?? {});
    default:
      return '';
  }
}

export function labelsText(labels: Labels | undefined): string {
  const texts = (labels?.labels ?? []).map(({ key, value }) =>
    value === undefined ? key : `${key}: ${value}`,
  );
  return `{${texts.join(', ')}}`;
}

function reservationText(info: ResourceReservationInfo): string {
  const principal = info.principal === undefined ? '' : `,${info.principal}`;
  const labels = info.labels === undefined ? '' : `,${labelsText(info.labels)}`;
  return `${info.type ?? 'UNKNOWN'},${info.role ?? ''}${principal}${labels}`;
}

function diskText({ source, persistence, volume }: ResourceDiskInfo): string {
  const names = [
    source === undefined ? [] : [sourceText(source)],
    persistence === undefined ? [] : [persistence.id],
  ].flat();
  return `${names.join(',')}${volume === undefined ? '' : `:${volumeText(volume)}`}`;
}

export function sourceText(source: ResourceDiskInfoSource): string {
  const { type, vendor = '', id, profile } = source;
  const csi =
    id === undefined && profile === undefined
      ? undefined
      : `(${vendor},${id ?? ''},${profile ?? ''})`;
  if (type === 'UNKNOWN') return type;
  const root =
    type === 'MOUNT' ? source.mount?.root : type === 'PATH' ? source.path?.root : undefined;
  return `${type}${csi ?? (root === undefined ? '' : `:${root}`)}`;
}

function volumeText({ container_path: path, host_path: host, mode }: Volume): string {
  return host === undefined ? path : `${host}:${path}:${mode.toLowerCase()}`;
}

/**
 * JSON as the reference prints it within messages: keys in order, scalars always with a point. Two
 * messages are equal when these texts are.
 */
export function orderedJson(value: unknown): string {
  return jsonOf(value, '');
}

function jsonOf(value: unknown, key: string): string {
  if (Array.isArray(value)) return `[${value.map((item) => jsonOf(item, '')).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => `${JSON.stringify(name)}:${jsonOf(member, `${key}.${name}`)}`);
    return `{${members.join(',')}}`;
  }
  if (typeof value === 'number' && key === '.scalar.value' && Number.isInteger(value))
    return value.toFixed(1);
  return JSON.stringify(value);
}
