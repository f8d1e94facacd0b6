import { badRequest } from './status.ts';

/** Field selectors: `metadata.name=a,status.phase!=Running` (apimachinery fields/selector.go). */
export interface FieldTerm {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}
export interface FieldSelector {
  readonly terms: readonly FieldTerm[];
  /** `valueOf` gives the value of a field, '' when it is not set. */
  matches(valueOf: (field: string) => string): boolean;
  /** The value a term demands of a field, if one does: `required('metadata.name')`. */
  required(field: string): string | undefined;
  toString(): string;
}

export function fieldSelectorOf(terms: readonly FieldTerm[]): FieldSelector {
  return {
    terms,
    matches: (valueOf) =>
      terms.every((term) => (valueOf(term.field) === term.value) === (term.operator === '=')),
    required: (field) => terms.find((term) => term.field === field && term.operator === '=')?.value,
    toString: () =>
      terms.map((term) => `${term.field}${term.operator}${escaped(term.value)}`).join(','),
  };
}

/**
 * Parses the text; throws a `StatusError` BadRequest. `known` answers the field a label stands for,
 * or throws for one the kind does not have.
 */
export function parseFieldSelector(
  text: string,
  known: (field: string) => string = (field) => field,
): FieldSelector {
  const terms: FieldTerm[] = [];
  for (const part of split(text)) {
    if (part === '') continue;
    const term = termOf(part);
    if (term === undefined)
      throw badRequest(`invalid selector: '${text}'; can't understand '${part}'`);
    terms.push({ ...term, field: known(term.field), value: unescaped(term.value) });
  }
  return fieldSelectorOf(terms);
}

/** What the reference says of a field label that a kind without own labels does not know. */
export function unknownFieldText(field: string): string {
  return `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`;
}

/** At commas that no backslash precedes. */
function split(text: string): readonly string[] {
  const parts: string[] = [];
  let part = '';
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '\\') {
      part += character + text.charAt(at + 1);
      at++;
    } else if (character === ',') {
      parts.push(part);
      part = '';
    } else part += character;
  }
  return [...parts, part];
}

function termOf(part: string): FieldTerm | undefined {
  for (let at = 0; at < part.length; at++)
    for (const operator of ['!=', '==', '='])
      if (part.startsWith(operator, at))
        return {
          field: part.slice(0, at),
          operator: operator === '!=' ? '!=' : '=',
          value: part.slice(at + operator.length),
        };
  return undefined;
}

function unescaped(value: string): string {
  let result = '';
  for (let at = 0; at < value.length; at++) {
    const character = value.charAt(at);
    if (character === '\\') {
      const next = value.charAt(++at);
      if (next === '' || !'\\,='.includes(next))
        throw badRequest(`invalid field selector: invalid escape sequence: \\${next}`);
      result += next;
    } else if (character === ',' || character === '=')
      throw badRequest(
        `invalid field selector: unescaped character in value: ${character.charCodeAt(0)}`,
      );
    else result += character;
  }
  return result;
}
function escaped(value: string): string {
  return value.replace(/[\\,=]/g, (character) => `\\${character}`);
}
