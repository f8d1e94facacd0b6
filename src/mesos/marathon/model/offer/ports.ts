import type { Random } from '#base';
import type { Resource, ValueRange } from '#mesos/protocol';
import type { RunSpec } from '../root.ts';

/** What a run spec wants of the host's ports: a number, 0 for any, undefined for none. */
export function wantedPorts({ kind, spec }: RunSpec): (number | undefined)[] {
  if (kind === 'pod')
    return spec.containers.flatMap(({ endpoints = [] }) =>
      endpoints.map(({ hostPort }) => hostPort),
    );
  const mappings = spec.container?.portMappings ?? [];
  if (mappings.length > 0) return mappings.map(({ hostPort }) => hostPort);
  return (spec.portDefinitions ?? []).map(({ port }) => (spec.requirePorts ? port : 0));
}

export interface PortsMatch {
  readonly hostPorts: readonly (number | undefined)[];
  readonly resources: readonly Resource[];
}

interface OfferedRange extends ValueRange {
  readonly resource: Resource;
}

/**
 * The ports to take of those offered: named ones as they are, others at random, distinct and none that is
 * named. Undefined when not all are to be had. `requirePorts` of 0 is a port that is never offered.
 */
export function matchPorts(
  wanted: readonly (number | undefined)[],
  options: {
    readonly offered: readonly Resource[];
    readonly random: Random;
    readonly anyForZero: boolean;
  },
): PortsMatch | undefined {
  const { offered, random, anyForZero } = options;
  const ranges = offered.flatMap((resource): OfferedRange[] =>
    (resource.ranges?.range ?? []).map((range) => ({ ...range, resource })),
  );
  const fixed = new Set(wanted.filter((port) => port !== undefined && (port !== 0 || !anyForZero)));
  const free = anyPorts(ranges, { fixed, random });
  const hostPorts: (number | undefined)[] = [];
  const taken = new Map<Resource, number[]>();
  for (const port of wanted) {
    if (port === undefined) {
      hostPorts.push(undefined);
      continue;
    }
    const found = port === 0 && anyForZero ? free.next().value : portIn(ranges, port);
    if (found === undefined) return undefined;
    hostPorts.push(found.port);
    const ports = taken.get(found.resource);
    if (ports === undefined) taken.set(found.resource, [found.port]);
    else ports.push(found.port);
  }
  return {
    hostPorts,
    resources: Array.from(taken, ([resource, ports]) => ({
      ...resource,
      ranges: { range: rangesOfPorts(ports) },
    })),
  };
}

interface FoundPort {
  readonly port: number;
  readonly resource: Resource;
}

function portIn(ranges: readonly OfferedRange[], port: number): FoundPort | undefined {
  const range = ranges.find(({ begin, end }) => begin <= port && port <= end);
  return range === undefined ? undefined : { port, resource: range.resource };
}

/** All offered ports but the fixed ones, from a random one on. */
function* anyPorts(
  ranges: readonly OfferedRange[],
  { fixed, random }: { readonly fixed: ReadonlySet<number | undefined>; readonly random: Random },
): Generator<FoundPort, undefined> {
  const total = ranges.reduce((sum, { begin, end }) => sum + end - begin + 1, 0);
  if (total === 0) return undefined;
  const shuffled = shuffle(ranges, random);
  const start = random.below(total);
  for (let step = 0; step < total; step++) {
    const found = portAt(shuffled, (start + step) % total);
    if (found !== undefined && !fixed.has(found.port)) yield found;
  }
  return undefined;
}

function portAt(ranges: readonly OfferedRange[], index: number): FoundPort | undefined {
  let rest = index;
  for (const { begin, end, resource } of ranges) {
    const size = end - begin + 1;
    if (rest < size) return { port: begin + rest, resource };
    rest -= size;
  }
  return undefined;
}

function shuffle<T>(values: readonly T[], random: Random): T[] {
  const shuffled = [...values];
  for (let index = shuffled.length - 1; index > 0; index--) {
    const other = random.below(index + 1);
    const [a, b] = [shuffled[index], shuffled[other]];
    if (a === undefined || b === undefined) continue;
    shuffled[index] = b;
    shuffled[other] = a;
  }
  return shuffled;
}

function rangesOfPorts(ports: readonly number[]): ValueRange[] {
  const ranges: { begin: number; end: number }[] = [];
  for (const port of [...new Set(ports)].toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && last.end === port - 1) last.end = port;
    else ranges.push({ begin: port, end: port });
  }
  return ranges;
}
