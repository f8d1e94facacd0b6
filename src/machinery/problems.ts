import { goJson, goQuote } from '#wire';

/** One finding of validation: `field.Error` of k8s apimachinery, as data. */
export interface Problem {
  readonly type: ProblemType;
  /** `spec.containers[0].image`, `metadata.labels[key]`. */
  readonly path: string;
  /** The value as it came; left out of the text for Required, Forbidden, TooLong and InternalError. */
  readonly value?: unknown;
  readonly detail: string;
  /** Values to name in the text of a NotSupported problem. */
  readonly supported?: readonly string[];
}
export type ProblemType =
  | 'FieldValueInvalid'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueNotFound'
  | 'FieldValueNotSupported'
  | 'FieldValueTooLong'
  | 'FieldValueTooShort'
  | 'FieldValueTooMany'
  | 'FieldValueTooFew'
  | 'FieldValueTypeInvalid'
  | 'InternalError';

const words: Readonly<Record<ProblemType, string>> = {
  FieldValueInvalid: 'Invalid value',
  FieldValueTypeInvalid: 'Invalid value',
  FieldValueRequired: 'Required value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueForbidden: 'Forbidden',
  FieldValueNotFound: 'Not found',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueTooLong: 'Too long',
  FieldValueTooShort: 'Too short',
  FieldValueTooMany: 'Too many',
  FieldValueTooFew: 'Too few',
  InternalError: 'Internal error',
};
const withoutValue = new Set<ProblemType>([
  'FieldValueRequired',
  'FieldValueForbidden',
  'FieldValueTooLong',
  'FieldValueTooShort',
  'InternalError',
]);

/** As the value of a problem: none is printed (`field.OmitValueType`). */
export const omittedValue: unique symbol = Symbol('omitted');

/** `spec.replicas: Invalid value: -1: must be greater than or equal to 0`. */
export function problemText(problem: Problem): string {
  return `${problem.path}: ${problemBody(problem)}`;
}

/** The text without its path, as in the causes of a Status. */
export function problemBody(problem: Problem): string {
  const parts = [words[problem.type]];
  const counts = problem.type === 'FieldValueTooMany' || problem.type === 'FieldValueTooFew';
  const negativeCount = counts && typeof problem.value === 'number' && problem.value < 0;
  const hidden = withoutValue.has(problem.type) || problem.value === omittedValue;
  if (!hidden && !negativeCount) parts.push(valueText(problem.value));
  const detail = detailText(problem);
  if (detail !== '') parts.push(detail);
  return parts.join(': ');
}

function detailText(problem: Problem): string {
  if (problem.type !== 'FieldValueNotSupported' || problem.supported === undefined)
    return problem.detail;
  if (problem.supported.length === 0) return '';
  return `supported values: ${problem.supported.map(goQuote).join(', ')}`;
}

/** Plain for numbers and booleans, quoted for strings, JSON for the rest; nothing is `null`. */
export function valueText(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'string') return goQuote(value);
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value);
  return goJson(value);
}

/** Joins a path and a child: `at('spec', 'containers', 0, 'image')` is `spec.containers[0].image`. */
export function at(path: string, ...children: readonly (string | number)[]): string {
  let text = path;
  for (const child of children) {
    if (typeof child === 'number') text += `[${child}]`;
    else text = text === '' ? child : `${text}.${child}`;
  }
  return text;
}
/** `metadata.annotations[a.b/c]`: the key of a map, unquoted as the reference prints it. */
export function atKey(path: string, key: string): string {
  return `${path}[${key}]`;
}

/** The constructors of `field.Error`; `problem.required('spec.selector')`. */
export const problem = {
  required: (path: string, detail = ''): Problem => ({
    type: 'FieldValueRequired',
    path,
    detail,
  }),
  invalid: (path: string, value: unknown, detail: string): Problem => ({
    type: 'FieldValueInvalid',
    path,
    value,
    detail,
  }),
  typeInvalid: (path: string, value: unknown, detail: string): Problem => ({
    type: 'FieldValueTypeInvalid',
    path,
    value,
    detail,
  }),
  duplicate: (path: string, value: unknown): Problem => ({
    type: 'FieldValueDuplicate',
    path,
    value,
    detail: '',
  }),
  forbidden: (path: string, detail: string): Problem => ({
    type: 'FieldValueForbidden',
    path,
    detail,
  }),
  notFound: (path: string, value: unknown): Problem => ({
    type: 'FieldValueNotFound',
    path,
    value,
    detail: '',
  }),
  /** `supported` in the order in which the text names them (the reference mostly sorts). */
  notSupported: (path: string, value: unknown, supported: readonly string[]): Problem => ({
    type: 'FieldValueNotSupported',
    path,
    value,
    detail: '',
    supported,
  }),
  tooLong: (path: string, bytesMax: number): Problem => ({
    type: 'FieldValueTooLong',
    path,
    detail: bytesMax < 0 ? 'value is too long' : `may not be more than ${count(bytesMax, 'byte')}`,
  }),
  tooLongCharacters: (path: string, charactersMax: number): Problem => ({
    type: 'FieldValueTooLong',
    path,
    detail:
      charactersMax < 0
        ? 'value is too long'
        : `may not be more than ${count(charactersMax, 'character')}`,
  }),
  tooShort: (path: string, charactersMin: number): Problem => ({
    type: 'FieldValueTooShort',
    path,
    detail:
      charactersMin < 0
        ? 'value is too short'
        : `must be at least ${count(charactersMin, 'character')}`,
  }),
  tooMany: (path: string, actual: number, itemsMax: number): Problem => ({
    type: 'FieldValueTooMany',
    path,
    value: actual,
    detail: itemsMax < 0 ? 'has too many items' : `must have at most ${count(itemsMax, 'item')}`,
  }),
  tooFew: (path: string, actual: number, itemsMin: number): Problem => ({
    type: 'FieldValueTooFew',
    path,
    value: actual,
    detail: itemsMin < 0 ? 'has too few items' : `must have at least ${count(itemsMin, 'item')}`,
  }),
  internal: (path: string, detail: string): Problem => ({ type: 'InternalError', path, detail }),
} as const;

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
