import type { Attribute, Label, Resource, ValueRange } from '#mesos/protocol';
import { double } from './json.ts';
import type { Json } from './json.ts';

/**
 * Resources as the legacy endpoints show them (common/http.cpp json(Resources)): sums over roles and
 * disks, `cpus gpus mem disk` always there, revocable ones under a name of their own.
 */
export function resourcesJson(resources: readonly Resource[]): Record<string, Json> {
  const scalars: Record<string, number> = { cpus: 0, gpus: 0, mem: 0, disk: 0 };
  const ranges = new Map<string, ValueRange[]>();
  const sets = new Map<string, Set<string>>();
  for (const resource of resources) {
    const name = resource.revocable === undefined ? resource.name : `${resource.name}_revocable`;
    if (resource.scalar !== undefined)
      scalars[name] = addScalars(scalars[name] ?? 0, resource.scalar.value);
    else if (resource.ranges !== undefined)
      ranges.set(name, [...(ranges.get(name) ?? []), ...(resource.ranges.range ?? [])]);
    else if (resource.set !== undefined)
      sets.set(name, new Set([...(sets.get(name) ?? []), ...(resource.set.item ?? [])]));
  }
  const json: Record<string, Json> = {};
  for (const [name, value] of Object.entries(scalars)) json[name] = double(value);
  for (const [name, list] of ranges) json[name] = rangesText(list);
  for (const [name, items] of sets) json[name] = `{${[...items].join(', ')}}`;
  return json;
}

/** Sums are multiples of 0.001 (Value::Scalar arithmetic). */
export function addScalars(a: number, b: number): number {
  return (Math.round(a * 1000) + Math.round(b * 1000)) / 1000;
}

/** `[31000-31002, 31005-31005]`, joined where they touch. */
export function rangesText(ranges: readonly ValueRange[]): string {
  const sorted = ranges.toSorted((a, b) => a.begin - b.begin);
  const joined: { begin: number; end: number }[] = [];
  for (const { begin, end } of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && begin <= last.end + 1) last.end = Math.max(last.end, end);
    else joined.push({ begin, end });
  }
  return `[${joined.map(({ begin, end }) => `${begin}-${end}`).join(', ')}]`;
}

export function attributesJson(attributes: readonly Attribute[]): Record<string, Json> {
  const json: Record<string, Json> = {};
  for (const { name, text, scalar, ranges } of attributes) {
    if (scalar !== undefined) json[name] = double(scalar.value);
    else if (ranges !== undefined) json[name] = rangesText(ranges.range ?? []);
    else json[name] = text?.value ?? '';
  }
  return json;
}

export function labelsJson(labels: readonly Label[] | undefined): Json | undefined {
  if (labels === undefined) return undefined;
  return labels.map(({ key, value }) => (value === undefined ? { key } : { key, value }));
}
