import assert from 'node:assert/strict';
import type { Offer, Resource } from '#mesos/protocol';
import { seededRandom } from '#sim';
import { appFromJson } from '../app/definition.ts';
import { emptyRoot, type RunSpec } from '../root.ts';
import { defaultSettings } from '../settings.ts';
import { type Match, type MatchRequest, matchOffer } from './match.ts';

export const context = { root: emptyRoot(''), settings: defaultSettings, forceRole: false };
export const version = '2020-01-01T00:00:00.000Z';

export function app(json: object = {}): RunSpec {
  const spec = appFromJson({ id: '/g/a', role: 'g', cmd: 'sleep 1', ...json }, context);
  return { kind: 'app', spec: { ...spec, version } };
}

export function scalar(name: string, value: number, more: Partial<Resource> = {}): Resource {
  return { name, type: 'SCALAR', scalar: { value }, allocation_info: { role: 'g' }, ...more };
}

export function ports(begin: number, end: number, more: Partial<Resource> = {}): Resource {
  const allocation = { role: 'g' };
  return {
    name: 'ports',
    type: 'RANGES',
    ranges: { range: [{ begin, end }] },
    allocation_info: allocation,
    ...more,
  };
}

export const plenty = [
  scalar('cpus', 4),
  scalar('mem', 1000),
  scalar('disk', 1000),
  ports(31_000, 31_009),
];

export function offer(more: Partial<Offer> = {}): Offer {
  return {
    id: { value: 'o' },
    framework_id: { value: 'f' },
    agent_id: { value: 's' },
    hostname: 'h1',
    allocation_info: { role: 'g' },
    resources: plenty,
    ...more,
  };
}

export function request(more: Partial<MatchRequest> = {}): MatchRequest {
  return {
    offer: offer(),
    runSpec: app(),
    instances: [],
    settings: defaultSettings,
    nowMs: 1_000_000,
    random: seededRandom(1),
    ...more,
  };
}

export function matched(more: Partial<MatchRequest> = {}): Match {
  const match = matchOffer(request(more));
  assert(match.ok, JSON.stringify(match));
  return match;
}

export function reasonsOf(more: Partial<MatchRequest>): readonly string[] {
  const match = matchOffer(request(more));
  return match.ok ? ['matches'] : match.reasons;
}

export function amount(resources: readonly Resource[], wanted: string): number {
  return resources
    .filter(({ name }) => name === wanted)
    .reduce((sum, { scalar: value }) => sum + (value?.value ?? 0), 0);
}

export function portsOf(resources: readonly Resource[]): number[] {
  return resources.flatMap(({ ranges }) =>
    (ranges?.range ?? []).flatMap(({ begin, end }) =>
      Array.from({ length: end - begin + 1 }, (_, index) => begin + index),
    ),
  );
}
