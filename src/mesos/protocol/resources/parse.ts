import type { Attribute, Resource, Value } from '../types.ts';
import { sumResources, type Resources } from './arithmetic.ts';
import {
  isDynamicallyReserved,
  isPersistentVolume,
  isRevocable,
  upgradeResource,
} from './reservations.ts';
import { validateResource } from './validate.ts';
import { coalesce } from './values.ts';

/** The texts of the flags `--resources` and `--attributes`. */
export class ResourceTextError extends Error {
  override readonly name = 'ResourceTextError';
}

export interface ParseResourcesOptions {
  /** `--default_role`; '*' when absent. */
  readonly defaultRole?: string | undefined;
  /** Reads a JSON array of resources; without it only the short form is understood. */
  readonly fromJson?: ((json: readonly unknown[]) => readonly Resource[]) | undefined;
}

/** `cpus:8;mem(eng):1024;ports:[31000-32000];zones:{a,b}`, or a JSON array. Throws ResourceTextError. */
export function parseResources(text: string, options: ParseResourcesOptions = {}): Resources {
  const { defaultRole = '*' } = options;
  const loose = fromJsonText(text, options) ?? fromShortText(text, defaultRole);
  const types = new Map<string, string>();
  const resources: Resource[] = [];
  for (const one of loose) {
    const problem = validateResource(one);
    if (problem !== undefined) throw new ResourceTextError(problem);
    const resource = upgradeResource(one);
    refuseOnCommandLine(resource);
    const { name, type } = resource;
    if ((types.get(name) ?? type) !== type)
      throw new ResourceTextError(
        `Resources with the same name ('${name}') but different types are not allowed`,
      );
    types.set(name, type);
    resources.push(resource);
  }
  return sumResources(resources);
}

function refuseOnCommandLine(resource: Resource): void {
  if (isPersistentVolume(resource))
    throw new ResourceTextError('Persistent volumes cannot be specified at the command line');
  if (isRevocable(resource))
    throw new ResourceTextError(
      "Revocable resources cannot be specified at the command line; do not include a 'revocable' key in the resources JSON",
    );
  if (isDynamicallyReserved(resource))
    throw new ResourceTextError(
      'Dynamic reservations cannot be specified at the command line; do not include a reservation with DYNAMIC type in the resources JSON',
    );
}

function fromJsonText(text: string, options: ParseResourcesOptions): Resources | undefined {
  const { fromJson, defaultRole = '*' } = options;
  if (fromJson === undefined || !text.trimStart().startsWith('[')) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined; // the short form says what is wrong with it
  }
  if (!Array.isArray(json)) return undefined;
  return fromJson(json).map((resource) =>
    resource.role === undefined && (resource.reservations ?? []).length === 0
      ? { ...resource, role: defaultRole }
      : resource,
  );
}

function fromShortText(text: string, defaultRole: string): Resources {
  const tokens = text.split(';').filter((token) => token !== '');
  return tokens.map((token) => {
    const [left, value, more] = token.split(':').filter((part) => part !== '');
    if (left === undefined || value === undefined || more !== undefined)
      throw new ResourceTextError(`Bad value for resources, missing or extra ':' in ${token}`);
    const open = left.indexOf('(');
    if (open < 0) return parseResource(left.trim(), value, defaultRole);
    const close = left.indexOf(')');
    if (close < open)
      throw new ResourceTextError(`Bad value for resources, mismatched parentheses in ${token}`);
    const role = left.slice(open + 1, close).trim();
    return parseResource(left.slice(0, open).trim(), value, role);
  });
}

function parseResource(name: string, text: string, role: string): Resource {
  const value = parseOr(text, (problem) => {
    return `Failed to parse resource ${name} value ${text} error ${problem}`;
  });
  if (value.type === 'TEXT')
    throw new ResourceTextError(`Bad type for resource ${name} value ${text} type TEXT`);
  const { type, scalar, ranges, set } = value;
  return {
    name,
    type,
    ...(scalar && { scalar }),
    ...(ranges && { ranges }),
    ...(set && { set }),
    ...(role === '*' ? {} : { reservations: [{ type: 'STATIC' as const, role }] }),
  };
}

/** `rack:abc;level:10;keys:[1000-1500]`. Names may be repeated, order is kept. */
export function parseAttributes(text: string): readonly Attribute[] {
  const tokens = text.split(/[;\n]/).filter((token) => token !== '');
  return tokens.map((token) => {
    const colon = token.indexOf(':');
    const name = token.slice(0, Math.max(colon, 0));
    const rest = token.slice(colon + 1);
    if (name === '' || rest === '')
      throw new ResourceTextError(`Invalid attribute key:value pair '${token}'`);
    return parseAttribute(name, rest);
  });
}

export function parseAttribute(name: string, text: string): Attribute {
  const value = parseOr(text, (problem) => {
    return `Failed to parse attribute ${name} text ${text} error ${problem}`;
  });
  if (value.type === 'SET')
    throw new ResourceTextError(`Bad type for attribute ${name} text ${text} type SET`);
  return { name, ...value };
}

function parseOr(text: string, message: (problem: string) => string): Value {
  const value = parseValue(text);
  if (typeof value === 'string') throw new ResourceTextError(message(value));
  return value;
}

/** A value as flags write it; a string is what is wrong with it. */
export function parseValue(text: string): Value | string {
  const bare = text.replaceAll(' ', '');
  if (bare === '') return 'Expecting non-empty string';
  for (const pair of ['{}', '[]', '()'])
    if (!bracketsMatch(bare, pair)) return 'Mismatched brackets';
  if (bare.startsWith('[')) return parseRanges(bare);
  if (bare.includes('[')) return "Unexpected '[' found";
  if (bare.startsWith('{')) {
    const item = bare.split(/[{},\n]/).filter((token) => token !== '');
    return { type: 'SET', set: { item } };
  }
  if (bare.includes('{')) return "Unexpected '{' found";
  return parseScalarOrText(bare);
}

function parseRanges(bare: string): Value | string {
  const tokens = bare.split(/[[\],\n-]/).filter((token) => token !== '');
  if (tokens.length % 2 !== 0) return 'Expecting one or more "ranges"';
  const range: { begin: number; end: number }[] = [];
  for (let at = 0; at < tokens.length; at += 2) {
    const begin = tokens[at] ?? '';
    const end = tokens[at + 1] ?? '';
    if (!/^\d+$/.test(begin) || !/^\d+$/.test(end))
      return `Expecting non-negative integers in '${begin}'`;
    range.push({ begin: Number(begin), end: Number(end) });
  }
  return { type: 'RANGES', ranges: { range: coalesce(range) } };
}

const smallestNormal = 2 ** -1022;

function parseScalarOrText(bare: string): Value | string {
  const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(bare) ? Number(bare) : Number.NaN;
  if (number !== 0 && Math.abs(number) < smallestNormal) return 'Subnormal values not supported';
  if (!Number.isFinite(number) || number < 0) return { type: 'TEXT', text: { value: bare } };
  return { type: 'SCALAR', scalar: { value: number } };
}

function bracketsMatch(text: string, pair: string): boolean {
  let depth = 0;
  for (const character of text) {
    if (character === pair[0]) depth += 1;
    else if (character === pair[1]) depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0;
}
