import { omittedValue, problem } from '#machinery';
import type { Problem } from '#machinery';

/**
 * A place in an object and the list where its problems go. Paths become text only when there is a
 * problem, so walking a healthy object allocates little.
 */
export class Field {
  readonly found: Problem[];
  readonly #parent: Field | undefined;
  readonly #segment: string | number;
  readonly #isKey: boolean;

  constructor(found: Problem[], parent?: Field, segment: string | number = '', isKey = false) {
    this.found = found;
    this.#parent = parent;
    this.#segment = segment;
    this.#isKey = isKey;
  }

  /** `field.at('httpGet').at('port')`; a dotted name is several steps at once. */
  at(name: string | number): Field {
    return new Field(this.found, this, name);
  }
  /** The value of a map: `labels[app]`. */
  key(name: string): Field {
    return new Field(this.found, this, name, true);
  }

  get path(): string {
    const before = this.#parent?.path ?? '';
    if (this.#isKey || typeof this.#segment === 'number') return `${before}[${this.#segment}]`;
    if (before === '') return this.#segment;
    return this.#segment === '' ? before : `${before}.${this.#segment}`;
  }

  required(detail = ''): void {
    this.found.push(problem.required(this.path, detail));
  }
  invalid(value: unknown, detail: string): void {
    this.found.push(problem.invalid(this.path, value ?? null, detail));
  }
  /** One problem per text. */
  invalidAll(value: unknown, details: readonly string[]): void {
    for (const detail of details) this.invalid(value, detail);
  }
  /** Invalid, with nothing printed for the value: `path: Invalid value: detail`. */
  omitted(detail: string): void {
    this.found.push(problem.invalid(this.path, omittedValue, detail));
  }
  forbidden(detail: string): void {
    this.found.push(problem.forbidden(this.path, detail));
  }
  duplicate(value: unknown, detail = ''): void {
    this.found.push({ ...problem.duplicate(this.path, value), detail });
  }
  notFound(value: unknown, detail = ''): void {
    this.found.push({ ...problem.notFound(this.path, value), detail });
  }
  notSupported(value: unknown, supported: readonly string[]): void {
    this.found.push(problem.notSupported(this.path, value, supported));
  }
  tooLong(bytesMax: number): void {
    this.found.push(problem.tooLong(this.path, bytesMax));
  }
  tooMany(actual: number, itemsMax: number): void {
    this.found.push(problem.tooMany(this.path, actual, itemsMax));
  }

  /** Required when empty, else one of the set. */
  oneOf(value: string | undefined, supported: readonly string[]): void {
    if (value === undefined || value === '') this.required();
    else if (!supported.includes(value)) this.notSupported(value, supported);
  }
  notNegative(value: number | undefined): void {
    if (value !== undefined && value < 0) this.invalid(value, 'must be greater than or equal to 0');
  }
  between(value: number, low: number, high: number): void {
    if (value < low || value > high)
      this.invalid(value, `must be between ${low} and ${high}, inclusive`);
  }
  immutable(value: unknown): void {
    this.invalid(value, 'field is immutable');
  }
}

/** The root of an object's problems. */
export function rootField(): Field {
  return new Field([]);
}
