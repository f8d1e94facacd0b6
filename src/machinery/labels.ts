import { goQuote } from '#wire';
import { labelValue, qualifiedName } from './names.ts';
import { atKey, problem, problemText } from './problems.ts';
import type { Problem } from './problems.ts';
import { badRequest } from './status.ts';

/** Label selectors: their text, their object form, and matching (apimachinery labels/selector.go). */
export type LabelOperator = 'in' | 'notin' | '=' | '==' | '!=' | 'gt' | 'lt' | 'exists' | '!';
export interface Requirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}
/** All requirements must hold; none: everything matches. */
export interface LabelSelector {
  readonly requirements: readonly Requirement[];
  readonly matchesNothing: boolean;
  matches(labels: Readonly<Record<string, string>> | undefined): boolean;
  /** The text form, requirements sorted by key. */
  toString(): string;
}
export interface LabelSelectorObject {
  readonly matchLabels?: Readonly<Record<string, string>> | null | undefined;
  readonly matchExpressions?: readonly SelectorExpression[] | null | undefined;
}
export interface SelectorExpression {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[] | null | undefined;
}

export function labelSelectorOf(requirements: readonly Requirement[]): LabelSelector {
  return {
    requirements,
    matchesNothing: false,
    matches: (labels) => requirements.every((one) => meets(one, labels)),
    toString: () =>
      requirements
        .toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
        .map(requirementText)
        .join(','),
  };
}
export const everything: LabelSelector = labelSelectorOf([]);
export const nothing: LabelSelector = {
  requirements: [],
  matchesNothing: true,
  matches: () => false,
  toString: () => '',
};

function meets(one: Requirement, labels: Readonly<Record<string, string>> | undefined): boolean {
  const has = labels !== undefined && Object.hasOwn(labels, one.key);
  const value = has ? labels[one.key] : undefined;
  switch (one.operator) {
    case 'in':
    case '=':
    case '==':
      return value !== undefined && one.values.includes(value);
    case 'notin':
    case '!=':
      return value === undefined || !one.values.includes(value);
    case 'exists':
      return has;
    case '!':
      return !has;
    case 'gt':
    case 'lt':
      return value !== undefined && compares(one, value);
  }
}
function compares(one: Requirement, value: string): boolean {
  if (!/^[+-]?[0-9]+$/.test(value)) return false;
  const difference = BigInt(value) - BigInt(one.values[0] ?? '0');
  return one.operator === 'gt' ? difference > 0n : difference < 0n;
}

function requirementText({ key, operator, values }: Requirement): string {
  if (operator === '!') return `!${key}`;
  if (operator === 'exists') return key;
  if (operator === 'in' || operator === 'notin')
    return `${key} ${operator} (${values.toSorted().join(',')})`;
  const sign = operator === 'gt' ? '>' : operator === 'lt' ? '<' : operator;
  return `${key}${sign}${values[0] ?? ''}`;
}

/** Problems of one requirement; `path` of values is a plain word as in the reference. */
function requirementProblems(one: Requirement): readonly Problem[] {
  const found: Problem[] = [];
  const keyTexts = qualifiedName(one.key);
  if (keyTexts.length > 0) found.push(problem.invalid('<nil>', one.key, keyTexts.join('; ')));
  const count = one.values.length;
  const wrong = (text: string) => found.push(problem.invalid('values', one.values, text));
  if (one.operator === 'in' || one.operator === 'notin') {
    if (count === 0) wrong("for 'in', 'notin' operators, values set can't be empty");
  } else if (one.operator === 'exists' || one.operator === '!') {
    if (count > 0) wrong('values set must be empty for exists and does not exist');
  } else if (one.operator === 'gt' || one.operator === 'lt') {
    if (count !== 1) wrong("for 'Gt', 'Lt' operators, exactly one value is required");
    for (const [index, value] of one.values.entries())
      if (!/^[+-]?[0-9]+$/.test(value))
        found.push(
          problem.invalid(
            `values[${index}]`,
            value,
            "for 'Gt', 'Lt' operators, the value must be an integer",
          ),
        );
  } else if (count !== 1) wrong('exact-match compatibility requires one single value');
  for (const [index, value] of one.values.entries()) {
    const texts = labelValue(value);
    if (texts.length > 0)
      found.push(problem.invalid(atKey(`values[${index}]`, one.key), value, texts.join('; ')));
  }
  return found;
}

/** Parses `a=b,c in (d,e),!f`. Throws a `StatusError` BadRequest with the reference's text. */
export function parseLabelSelector(text: string): LabelSelector {
  if (text.trim() === '') return everything;
  return labelSelectorOf(new SelectorParser(text).parse());
}

const symbols = ['!=', '==', '=', '!', '(', ')', ',', '>', '<'];
const lookaheadWords = new Set(['in', 'notin']);

interface Token {
  readonly kind: 'symbol' | 'word' | 'identifier' | 'end';
  readonly text: string;
}

/** `in` and `notin` are operators after a key and identifiers where values stand. */
class SelectorParser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string) {
    this.#tokens = tokens(text);
  }
  parse(): readonly Requirement[] {
    const requirements: Requirement[] = [];
    for (;;) {
      const token = this.#peek(true);
      if (token.kind === 'end') return requirements;
      if (token.kind !== 'identifier' && token.text !== '!')
        throw badRequest(`found '${token.text}', expected: !, identifier, or 'end of string'`);
      requirements.push(this.#requirement());
      const next = this.#next(false);
      if (next.kind === 'end') return requirements;
      if (next.text !== ',' || next.kind !== 'symbol')
        throw badRequest(`found '${next.text}', expected: ',' or 'end of string'`);
      const after = this.#peek(true);
      if (after.kind !== 'identifier' && after.text !== '!')
        throw badRequest(`found '${after.text}', expected: identifier after ','`);
    }
  }
  #peek(asValue: boolean): Token {
    const token = this.#tokens[this.#at] ?? { kind: 'end', text: '' };
    return asValue && token.kind === 'word' ? { kind: 'identifier', text: token.text } : token;
  }
  #next(asValue: boolean): Token {
    const token = this.#peek(asValue);
    this.#at++;
    return token;
  }
  #fail(text: string): never {
    throw badRequest(`unable to parse requirement: ${text}`);
  }
  #requirement(): Requirement {
    let negated = false;
    let token = this.#next(true);
    if (token.text === '!' && token.kind === 'symbol') {
      negated = true;
      token = this.#next(true);
    }
    if (token.kind !== 'identifier') this.#fail(`found '${token.text}', expected: identifier`);
    const key = token.text;
    const keyTexts = qualifiedName(key);
    if (keyTexts.length > 0)
      this.#fail(problemText(problem.invalid('<nil>', key, keyTexts.join('; '))));
    const next = this.#peek(false);
    if (next.kind === 'end' || next.text === ',')
      return this.#checked({ key, operator: negated ? '!' : 'exists', values: [] });
    const operator = this.#operator();
    const values =
      operator === 'in' || operator === 'notin' ? this.#values() : [this.#exactValue()];
    return this.#checked({ key, operator, values: [...new Set(values)].toSorted() });
  }
  #operator(): LabelOperator {
    const { text, kind } = this.#next(false);
    if (kind !== 'identifier' && kind !== 'end') {
      if (text === '>') return 'gt';
      if (text === '<') return 'lt';
      if (text === '=' || text === '==' || text === '!=' || text === 'in' || text === 'notin')
        return text;
    }
    return this.#fail(`found '${text}', expected: in, notin, =, ==, !=, gt, lt`);
  }
  #exactValue(): string {
    const token = this.#peek(true);
    if (token.kind === 'end' || (token.kind === 'symbol' && token.text === ',')) return '';
    this.#at++;
    if (token.kind === 'identifier') return token.text;
    return this.#fail(`found '${token.text}', expected: identifier`);
  }
  #values(): readonly string[] {
    const open = this.#next(true);
    if (open.text !== '(') this.#fail(`found '${open.text}' expected: '('`);
    const first = this.#peek(true);
    if (first.kind === 'symbol' && first.text === ')') {
      this.#at++;
      return [''];
    }
    if (first.kind !== 'identifier' && first.text !== ',')
      this.#fail(`found '${first.text}', expected: ',', ')' or identifier`);
    const values = this.#list();
    const close = this.#next(true);
    if (close.text !== ')') this.#fail(`found '${close.text}', expected: ')'`);
    return values;
  }
  #list(): readonly string[] {
    const values: string[] = [];
    for (;;) {
      const token = this.#next(true);
      if (token.kind === 'identifier') {
        values.push(token.text);
        const next = this.#peek(true);
        if (next.text === ')') return values;
        if (next.text !== ',') this.#fail(`found '${next.text}', expected: ',' or ')'`);
      } else if (token.text === ',') {
        if (values.length === 0) values.push('');
        const next = this.#peek(true);
        if (next.text === ')' && next.kind === 'symbol') {
          values.push('');
          return values;
        }
        if (next.text === ',' && next.kind === 'symbol') {
          this.#at++;
          values.push('');
        }
      } else this.#fail(`found '${token.text}', expected: ',', or identifier`);
    }
  }
  #checked(requirement: Requirement): Requirement {
    const found = requirementProblems(requirement);
    const texts = found.map(problemText);
    if (texts.length === 1) this.#fail(texts[0] ?? '');
    if (texts.length > 1) this.#fail(`[${texts.join(', ')}]`);
    return requirement;
  }
}

function tokens(text: string): readonly Token[] {
  const found: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (/[ \t\r\n]/.test(text.charAt(at))) {
      at++;
      continue;
    }
    const symbol = symbols.find((one) => text.startsWith(one, at));
    if (symbol !== undefined) {
      found.push({ kind: 'symbol', text: symbol });
      at += symbol.length;
      continue;
    }
    const word = /^[^ \t\r\n=!(),<>]+/.exec(text.slice(at))?.[0] ?? '';
    found.push({ kind: lookaheadWords.has(word) ? 'word' : 'identifier', text: word });
    at += word.length;
  }
  return found;
}

const objectOperators: Readonly<Record<string, LabelOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};
/** A selector object as a matcher: absent selects nothing, an empty one everything. */
export function selectorFromObject(object: LabelSelectorObject | null | undefined): LabelSelector {
  if (object === null || object === undefined) return nothing;
  const requirements: Requirement[] = [];
  for (const [key, value] of Object.entries(object.matchLabels ?? {}))
    requirements.push({ key, operator: 'in', values: [value] });
  for (const one of object.matchExpressions ?? []) {
    const operator = Object.hasOwn(objectOperators, one.operator)
      ? objectOperators[one.operator]
      : undefined;
    if (operator === undefined)
      throw badRequest(`${goQuote(one.operator)} is not a valid label selector operator`);
    requirements.push({ key: one.key, operator, values: one.values ?? [] });
  }
  return requirements.length === 0 ? everything : labelSelectorOf(requirements);
}
/** Text of a selector object, as status.selector of a Scale shows it (metav1.FormatLabelSelector). */
export function selectorText(object: LabelSelectorObject | null | undefined): string {
  if (object === null || object === undefined) return '';
  const { requirements } = selectorFromObject(object);
  return labelSelectorOf(
    requirements.map((one) =>
      one.operator === 'in' && one.values.length === 1 ? { ...one, operator: '=' } : one,
    ),
  ).toString();
}

/** Rules of a selector object in a spec (unversioned validation ValidateLabelSelector). */
export function selectorProblems(
  object: LabelSelectorObject,
  path: string,
  options: { readonly knownValues?: ReadonlySet<string> } = {},
): readonly Problem[] {
  const found: Problem[] = [];
  for (const [key, value] of Object.entries(object.matchLabels ?? {})) {
    const at = `${path}.matchLabels`;
    for (const text of qualifiedName(key)) found.push(problem.invalid(at, key, text));
    for (const text of labelValue(value)) found.push(problem.invalid(at, value, text));
  }
  for (const [index, one] of (object.matchExpressions ?? []).entries())
    found.push(...expressionProblems(one, `${path}.matchExpressions[${index}]`, options));
  return found;
}

export function expressionProblems(
  one: SelectorExpression,
  path: string,
  options: { readonly knownValues?: ReadonlySet<string> } = {},
): readonly Problem[] {
  const found: Problem[] = [];
  const values = one.values ?? [];
  if (one.operator === 'In' || one.operator === 'NotIn') {
    if (values.length === 0)
      found.push(
        problem.required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"),
      );
  } else if (one.operator === 'Exists' || one.operator === 'DoesNotExist') {
    if (values.length > 0)
      found.push(
        problem.forbidden(
          `${path}.values`,
          "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        ),
      );
  } else
    found.push(problem.invalid(`${path}.operator`, one.operator, 'not a valid selector operator'));
  for (const text of qualifiedName(one.key))
    found.push(problem.invalid(`${path}.key`, one.key, text));
  for (const [index, value] of values.entries()) {
    if (options.knownValues?.has(value) === true) continue;
    for (const text of labelValue(value))
      found.push(problem.invalid(`${path}.values[${index}]`, value, text));
  }
  return found;
}
