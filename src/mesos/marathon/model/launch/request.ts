import type { Random } from '#base';
import type { Labels, Offer } from '#mesos/protocol';
import type { Match } from '../offer/match.ts';
import type { ModelSettings } from '../settings.ts';
import type { KVLabels } from '../types.ts';
import type { SecretValues } from './secrets.ts';

/** A launch of an instance on a match. */
export interface LaunchRequest {
  readonly offer: Offer;
  readonly match: Match;
  readonly instanceID: string;
  /** 1 for the first launch of an instance. */
  readonly incarnation: number;
  readonly settings: ModelSettings;
  /** Whether the top-level group insists on its role. */
  readonly enforceRole: boolean;
  readonly random: Random;
  readonly secrets?: SecretValues | undefined;
}

/** Labels of Mesos; undefined when there are none. */
export function mesosLabels(labels: KVLabels | undefined): Labels | undefined {
  const entries = Object.entries(labels ?? {});
  return entries.length === 0
    ? undefined
    : { labels: entries.map(([key, value]) => ({ key, value })) };
}

/** `{ [name]: value }`, or nothing when there is no value. */
export function ifGiven<K extends string, V>(
  name: K,
  value: V | undefined,
): { readonly [P in K]?: V } {
  const given: { [P in K]?: V } = {};
  if (value !== undefined) given[name] = value;
  return given;
}
