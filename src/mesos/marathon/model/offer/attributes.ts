import type { Attribute, Offer } from '#mesos/protocol';
import type { Instance } from '../instance.ts';

/** A number as constraints see it: at most three digits after the point, halves to even. */
export function decimalText(value: number): string {
  const scaled = value * 1000;
  const floor = Math.floor(scaled);
  const half = Math.abs(scaled - floor - 0.5) < 1e-9;
  const rounded = half ? (floor % 2 === 0 ? floor : floor + 1) : Math.round(scaled);
  return String(rounded / 1000);
}

/** An attribute's value as constraints see it. */
export function attributeText({ type, scalar, ranges, set, text }: Attribute): string {
  switch (type) {
    case 'SCALAR':
      return decimalText(scalar?.value ?? 0);
    case 'RANGES': {
      const sorted = (ranges?.range ?? []).toSorted((a, b) => a.begin - b.begin);
      return `[${sorted.map(({ begin, end }) => `${begin}-${end}`).join(',')}]`;
    }
    case 'SET':
      return `{${(set?.item ?? []).toSorted().join(',')}}`;
    default:
      return text?.value ?? '';
  }
}

function named(attributes: readonly Attribute[] | undefined, name: string): string | undefined {
  const attribute = attributes?.find((one) => one.name === name);
  return attribute === undefined ? undefined : attributeText(attribute);
}

/** What a constraint's field is in an offer. */
export function fieldOfOffer(offer: Offer, field: string): string | undefined {
  const domain = offer.domain?.fault_domain;
  if (field === 'hostname' || field === '@hostname') return offer.hostname;
  if (field === '@region') return domain?.region.name;
  if (field === '@zone') return domain?.zone.name;
  return named(offer.attributes, field);
}

/** What a constraint's field is where an instance was placed. */
export function fieldOfInstance({ agent }: Instance, field: string): string | undefined {
  if (field === 'hostname' || field === '@hostname') return agent?.host;
  if (field === '@region') return agent?.region;
  if (field === '@zone') return agent?.zone;
  return named(agent?.attributes, field);
}
