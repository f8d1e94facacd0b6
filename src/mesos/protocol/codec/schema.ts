/** A message of the table, with its field types resolved. */
export interface MessageSchema {
  readonly name: string;
  /** In the order of the .proto, which is the order of the JSON form. */
  readonly fields: readonly FieldSchema[];
}
export interface FieldSchema {
  readonly name: string;
  readonly number: number;
  readonly label: 'required' | 'optional' | 'repeated' | 'map';
  readonly type: FieldType;
  readonly default: string | number | boolean | undefined;
  readonly deprecated: boolean;
  readonly oneof: string | undefined;
}
export type ScalarName =
  | 'string'
  | 'bytes'
  | 'bool'
  | 'double'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64';
export type FieldType =
  | { readonly kind: 'scalar'; readonly name: ScalarName }
  | { readonly kind: 'enum'; readonly name: string; readonly values: ReadonlyMap<string, number> }
  | { readonly kind: 'message'; readonly name: string };

/** `facts/messages.json`, as it is read. */
export interface MessageFacts {
  readonly messages: Readonly<Record<string, readonly FieldFact[]>>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
}
interface FieldFact {
  readonly name: string;
  readonly number: number;
  readonly type: string;
  readonly label: string;
  readonly default?: string | number | boolean;
  readonly deprecated?: boolean;
  readonly oneof?: string;
  readonly key?: string;
}

/** Messages by name, each resolved when it is first asked for. */
export class Schemas {
  readonly #facts: MessageFacts;
  readonly #messages = new Map<string, MessageSchema>();
  readonly #enums = new Map<string, ReadonlyMap<string, number>>();

  constructor(facts: MessageFacts) {
    this.#facts = facts;
  }
  get names(): readonly string[] {
    return Object.keys(this.#facts.messages);
  }
  message(name: string): MessageSchema {
    const known = this.#messages.get(name);
    if (known !== undefined) return known;
    const facts = Object.hasOwn(this.#facts.messages, name)
      ? this.#facts.messages[name]
      : undefined;
    if (facts === undefined)
      throw new Error(`Cannot find message "${name}": it is not in the table`);
    const schema = { name, fields: facts.map((fact) => this.#field(fact)) };
    this.#messages.set(name, schema);
    return schema;
  }
  #field(fact: FieldFact): FieldSchema {
    return {
      name: fact.name,
      number: fact.number,
      label: fact.label as FieldSchema['label'],
      type: this.#type(fact.type),
      default: fact.default,
      deprecated: fact.deprecated === true,
      oneof: fact.oneof,
    };
  }
  #type(name: string): FieldType {
    if (Object.hasOwn(this.#facts.messages, name)) return { kind: 'message', name };
    const values = this.#enums.get(name) ?? enumOf(this.#facts.enums[name]);
    if (values === undefined) return { kind: 'scalar', name: name as ScalarName };
    this.#enums.set(name, values);
    return { kind: 'enum', name, values };
  }
}

function enumOf(
  values: Readonly<Record<string, number>> | undefined,
): ReadonlyMap<string, number> | undefined {
  return values === undefined ? undefined : new Map(Object.entries(values));
}
