import type { Offer } from '#mesos/protocol';
import type { Instance } from '../instance.ts';
import { wholePattern } from '../pattern/pattern.ts';
import type { Constraint } from '../types.ts';
import { decimalText, fieldOfInstance, fieldOfOffer } from './attributes.ts';

export interface Placement {
  readonly offer: Offer;
  /** The other instances of the same run spec and definition. */
  readonly instances: readonly Instance[];
  /** How many are wanted in all. */
  readonly wanted: number;
}

/** Whether an instance may be placed where the offer comes from. */
export function meetsConstraint(constraint: Constraint, placement: Placement): boolean {
  const { fieldName, operator, value = '' } = constraint;
  const offered = fieldOfOffer(placement.offer, fieldName);
  if (offered === undefined) return operator === 'UNLIKE';
  const placed = placement.instances.map((instance) => fieldOfInstance(instance, fieldName));
  switch (operator) {
    case 'UNIQUE':
      return !placed.includes(offered);
    case 'CLUSTER':
      return value === '' ? placed.length === 0 || placed[0] === offered : offered === value;
    case 'GROUP_BY':
      return fitsGroups(offered, { placed, wanted: placement.wanted, groups: groupCount(value) });
    case 'MAX_PER':
      return countOf(placed, offered) < wholeNumber(value);
    case 'LIKE':
      return value !== '' && wholePattern(value)?.test(offered) === true;
    case 'UNLIKE':
      return value !== '' && wholePattern(value)?.test(offered) === false;
    default:
      return offered === (isScalar(value) ? decimalText(Number(value)) : value);
  }
}

function isScalar(value: string): boolean {
  return /^[0-9]+(?:\.[0-9]+)?$/.test(value);
}

function wholeNumber(value: string): number {
  return Number.parseInt(value, 10);
}

function groupCount(value: string): number {
  if (value === 'inf') return 2 ** 31 - 1;
  const count = wholeNumber(value);
  return Number.isNaN(count) ? 0 : Math.max(0, count);
}

function countOf(placed: readonly (string | undefined)[], value: string): number {
  return placed.filter((one) => one === value).length;
}

interface Groups {
  readonly placed: readonly (string | undefined)[];
  readonly wanted: number;
  /** How many groups to spread over; 0 when none is said. */
  readonly groups: number;
}

/**
 * GROUP_BY. The original (since 1.10) gives each of n groups `wanted / n` instances and some of them one
 * more. Without n it divides by zero and matches nothing; here instances then spread evenly over the
 * values seen so far, as in 1.9.
 */
function fitsGroups(offered: string, { placed, wanted, groups }: Groups): boolean {
  const counts = new Map<string | undefined, number>();
  for (const value of placed) counts.set(value, (counts.get(value) ?? 0) + 1);
  const own = counts.get(offered);
  if (groups === 0) return own === undefined || own === Math.min(...counts.values());
  if (own === undefined) return counts.size < groups;
  const each = Math.floor(wanted / groups);
  let beyond = 0;
  for (const count of counts.values()) beyond += Math.max(0, count - each);
  return own < each || (own === each && beyond < wanted % groups);
}
