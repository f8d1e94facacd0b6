import { isObject } from './objects.ts';

/**
 * Swagger 2.0 documents as protobuf (gnostic-models, openapiv2/OpenAPIv2.proto), the only form in
 * which kubectl reads `/openapi/v2`. Fields that our documents never have are left out.
 */
type Encode = (value: unknown) => Buffer | undefined;
type Field = readonly [number: number, encode: Encode, many?: 'many'];
type Fields = Readonly<Record<string, Field>>;

const lengthPrefixed = 2;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** A field whose content has a length: strings and messages. */
function framed(number: number, content: Buffer): Buffer {
  return Buffer.concat([varint(number * 8 + lengthPrefixed), varint(content.length), content]);
}

const text: Encode = (value) => (typeof value === 'string' ? Buffer.from(value) : undefined);

/** Booleans are the only fields here that are no strings or messages. */
function flag(number: number): Buffer {
  return Buffer.concat([varint(number * 8), varint(1)]);
}
const yes: Encode = () => undefined;

/** An `Any` holds YAML, and JSON is YAML. */
const anything: Encode = (value) => framed(2, Buffer.from(`${JSON.stringify(value)}\n`));

function named(name: string, value: Buffer): Buffer {
  return Buffer.concat([framed(1, Buffer.from(name)), framed(2, value)]);
}

/** A message with fields by name, and what begins with `x-` in the field for extensions. */
function message(fields: () => Fields, extensions?: number): Encode {
  return (value) => {
    if (!isObject(value)) return undefined;
    const parts: Buffer[] = [];
    for (const [key, content] of Object.entries(value)) {
      const field = fields()[key];
      if (field !== undefined) parts.push(...fieldOf(field, content));
      else if (extensions !== undefined && key.startsWith('x-'))
        parts.push(framed(extensions, named(key, anything(content) ?? Buffer.alloc(0))));
    }
    return Buffer.concat(parts);
  };
}

function fieldOf([number, encode, many]: Field, content: unknown): readonly Buffer[] {
  if (encode === yes) return content === true ? [flag(number)] : [];
  const values: readonly unknown[] = many && Array.isArray(content) ? content : [content];
  return values.flatMap((value) => {
    const bytes = encode(value);
    return bytes === undefined ? [] : [framed(number, bytes)];
  });
}

/** A message that is a map: one field of pairs. */
function pairs(number: number, encode: Encode): Encode {
  return (value) =>
    isObject(value)
      ? Buffer.concat(
          Object.entries(value).map(([name, content]) =>
            framed(number, named(name, encode(content) ?? Buffer.alloc(0))),
          ),
        )
      : undefined;
}

/** A message around one field. */
function inside(number: number, encode: Encode): Encode {
  return (value) => {
    const bytes = encode(value);
    return bytes === undefined ? undefined : framed(number, bytes);
  };
}

const schema: Encode = message(() => schemaFields, 31);
const schemaFields: Fields = {
  $ref: [1, text],
  format: [2, text],
  title: [3, text],
  description: [4, text],
  default: [5, anything],
  pattern: [13, text],
  uniqueItems: [16, yes],
  required: [19, text, 'many'],
  enum: [20, anything, 'many'],
  additionalProperties: [
    21,
    (value) =>
      typeof value === 'boolean' ? (value ? flag(2) : undefined) : framed(1, schemaOf(value)),
  ],
  type: [22, inside(1, text)],
  items: [23, inside(1, schema)],
  allOf: [24, schema, 'many'],
  properties: [25, pairs(1, schema)],
};
function schemaOf(value: unknown): Buffer {
  return schema(value) ?? Buffer.alloc(0);
}

const bodyParameter = message(
  () => ({
    description: [1, text],
    name: [2, text],
    in: [3, text],
    required: [4, yes],
    schema: [5, schema],
  }),
  6,
);
const common: Fields = {
  required: [1, yes],
  in: [2, text],
  description: [3, text],
  name: [4, text],
};
const queryParameter = message(
  () => ({ ...common, type: [6, text], format: [7, text], uniqueItems: [20, yes] }),
  23,
);
const pathParameter = message(
  () => ({ ...common, type: [5, text], format: [6, text], uniqueItems: [19, yes] }),
  22,
);

/** `oneof`s inside `oneof`s: reference or parameter, of the body or not, where. */
const parameter: Encode = (value) => {
  if (!isObject(value)) return undefined;
  if ('$ref' in value) return framed(2, framed(1, Buffer.from(String(value['$ref']))));
  const places: Readonly<Record<string, Encode>> = {
    body: inside(1, bodyParameter),
    query: inside(2, inside(3, queryParameter)),
    path: inside(2, inside(4, pathParameter)),
    header: inside(2, inside(1, pathParameter)),
  };
  return inside(1, places[String(value['in'])] ?? yes)(value);
};

const response = message(() => ({ description: [1, text], schema: [2, inside(1, schema)] }), 5);
const operation = message(
  () => ({
    tags: [1, text, 'many'],
    summary: [2, text],
    description: [3, text],
    operationId: [5, text],
    produces: [6, text, 'many'],
    consumes: [7, text, 'many'],
    parameters: [8, parameter, 'many'],
    responses: [9, pairs(1, inside(1, response))],
    schemes: [10, text, 'many'],
    deprecated: [11, yes],
  }),
  13,
);
const pathItem = message(
  () => ({
    get: [2, operation],
    put: [3, operation],
    post: [4, operation],
    delete: [5, operation],
    options: [6, operation],
    head: [7, operation],
    patch: [8, operation],
    parameters: [9, parameter, 'many'],
  }),
  10,
);
const info = message(() => ({ title: [1, text], version: [2, text], description: [3, text] }), 7);
const document = message(
  () => ({
    swagger: [1, text],
    info: [2, info],
    paths: [8, pairs(2, pathItem)],
    definitions: [9, pairs(1, schema)],
  }),
  16,
);

export function encodeOpenApiV2(swagger: object): Buffer {
  return document(swagger) ?? Buffer.alloc(0);
}
