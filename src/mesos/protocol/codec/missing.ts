import type { Message } from './json-decode.ts';
import type { FieldSchema, Schemas } from './schema.ts';

/** Finds required fields that are not set, and names them as protobuf's C++ library does. */
export class MissingFields {
  readonly #schemas: Schemas;
  /** Per message what there is to look at; undefined for messages that cannot lack anything. */
  readonly #plans = new Map<string, Plan>();

  constructor(schemas: Schemas) {
    this.#schemas = schemas;
  }

  /** Dotted paths, e.g. `subscribe.framework_info.user`; '' when the message is whole. */
  of(type: string, message: Message): string {
    return this.#isWhole(type, message) ? '' : this.#name(type, message, '').join(', ');
  }

  #plan(type: string): Plan {
    const known = this.#plans.get(type);
    if (known !== undefined) return known;
    const { fields } = this.#schemas.message(type);
    const plan: Plan = {
      required: fields.filter((field) => field.label === 'required').map((field) => field.name),
      // Set fields are looked at in the order of their numbers.
      inner: fields
        .filter((field) => field.type.kind === 'message')
        .toSorted((a, b) => a.number - b.number),
    };
    this.#plans.set(type, plan);
    return plan;
  }

  #isWhole(type: string, message: Message): boolean {
    const { required, inner } = this.#plan(type);
    for (const name of required) if (message[name] === undefined) return false;
    for (const field of inner) {
      const value = message[field.name];
      if (value === undefined) continue;
      for (const one of elements(field, value))
        if (!this.#isWhole(field.type.name, one as Message)) return false;
    }
    return true;
  }

  #name(type: string, message: Message, prefix: string): string[] {
    const { required, inner } = this.#plan(type);
    const missing = required
      .filter((name) => message[name] === undefined)
      .map((name) => prefix + name);
    for (const field of inner) {
      const value = message[field.name];
      if (value === undefined) continue;
      for (const [index, one] of elements(field, value).entries()) {
        const place = field.label === 'repeated' || field.label === 'map' ? `[${index}]` : '';
        const entry = field.label === 'map' ? '.value' : '';
        const path = `${prefix}${field.name}${place}${entry}.`;
        missing.push(...this.#name(field.type.name, one as Message, path));
      }
    }
    return missing;
  }
}

interface Plan {
  readonly required: readonly string[];
  readonly inner: readonly FieldSchema[];
}

function elements(field: FieldSchema, value: unknown): readonly unknown[] {
  if (field.label === 'repeated') return value as readonly unknown[];
  if (field.label === 'map') return Object.values(value as Message);
  return [value];
}
