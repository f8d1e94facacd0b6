import type { Attribute } from '../types.ts';
import { ResourceTextError, parseAttribute } from './parse.ts';

/** Text form of further attributes, `rack:abc;level:10;keys:[1000-1500]`, on a Node. */
export const attributesAnnotation = 'mesos.tandem.dev/attributes';

/**
 * Attributes of an agent out of its Node: labels of people, whose keys have no `/`, ordered by name,
 * and those of the annotation. What cannot be read as one is none.
 */
export function attributesOf(
  metadata:
    | {
        readonly labels?: Readonly<Record<string, string>> | undefined;
        readonly annotations?: Readonly<Record<string, string>> | undefined;
      }
    | undefined,
): readonly Attribute[] {
  const found = Object.entries(metadata?.labels ?? {})
    .filter(([key, value]) => !key.includes('/') && value !== '')
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, value]) => attributeOf(key, value));
  const text = metadata?.annotations?.[attributesAnnotation] ?? '';
  for (const part of text.split(';')) {
    const colon = part.indexOf(':');
    if (colon > 0) found.push(...attributeOf(part.slice(0, colon).trim(), part.slice(colon + 1)));
  }
  return found;
}

function attributeOf(name: string, text: string): readonly Attribute[] {
  try {
    return [parseAttribute(name, text)];
  } catch (error) {
    if (error instanceof ResourceTextError) return [];
    throw error;
  }
}
