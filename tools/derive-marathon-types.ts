/**
 * Derives the TypeScript types of Marathon's REST API from `src/mesos/marathon/model/facts/raml.json`.
 *
 * Writes `src/mesos/marathon/model/types.ts`. Run it after the facts change:
 * `node tools/derive-marathon-types.ts`. A type describes the JSON form that is written: fields with a
 * default are always there, collections that are left out when empty are optional. `XUpdate` types have
 * every field optional, as partial updates do.
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface Field {
  readonly name: string;
  readonly type: string;
  readonly required?: boolean;
  readonly default?: unknown;
  readonly omitEmpty?: boolean;
  readonly forceOptional?: boolean;
  readonly deprecated?: boolean;
  readonly enum?: readonly string[];
}
interface Type {
  readonly fields?: readonly Field[];
  readonly inherits?: string;
  readonly map?: string;
  readonly union?: readonly string[];
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly updateType?: boolean;
  readonly asUpdate?: boolean;
  readonly discriminator?: string;
}

const builtins: Readonly<Record<string, string>> = {
  string: 'string',
  datetime: 'string',
  integer: 'number',
  number: 'number',
  boolean: 'boolean',
  object: 'Readonly<Record<string, unknown>>',
};

const file = 'src/mesos/marathon/model/facts/raml.json';
const types = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, Type>>;

/** `Error` would hide the language's own. */
function nameOf(type: string): string {
  return type === 'Error' ? 'ErrorBody' : type;
}

function typeOf(type: string): string {
  if (type.endsWith('[]')) return `readonly ${typeOf(type.slice(0, -2))}[]`;
  return builtins[type] ?? nameOf(type);
}

function isCollection({ type }: Field): boolean {
  return type.endsWith('[]') || types[type]?.map !== undefined;
}

function lineOf(field: Field, update: boolean): string {
  const type = field.enum?.map((value) => `'${value}'`).join(' | ') ?? typeOf(field.type);
  const written =
    field.required === true ||
    field.default !== undefined ||
    (isCollection(field) && field.omitEmpty !== true);
  const always = !update && field.forceOptional !== true && field.deprecated !== true && written;
  const name = /^\w+$/.test(field.name) ? field.name : `'${field.name}'`;
  return always ? `  readonly ${name}: ${type};` : `  readonly ${name}?: ${type} | undefined;`;
}

/** A type that is told apart by a field is any of those that inherit from it. */
function isTold(name: string | undefined): boolean {
  return name !== undefined && types[name]?.discriminator !== undefined && !types[name]?.inherits;
}

function declare(name: string, type: Type, update: boolean): string[] {
  if (isTold(name)) {
    const heirs = Object.entries(types).filter(([, { inherits }]) => inherits === name);
    return [`export type ${name} = ${heirs.map(([heir]) => heir).join(' | ')};`];
  }
  if (type.fields !== undefined) {
    const told = isTold(type.inherits);
    const base = type.inherits === undefined || told ? '' : ` extends ${type.inherits}`;
    const inherited = told ? (types[type.inherits ?? '']?.fields ?? []) : [];
    return [
      `export interface ${name}${base} {`,
      ...[...inherited, ...type.fields].map((field) => lineOf(field, update)),
      '}',
    ];
  }
  if (type.map !== undefined)
    return [`export type ${name} = Readonly<Record<string, ${typeOf(type.map)}>>;`];
  if (type.union !== undefined)
    return [
      `export type ${name} =`,
      `${type.union.map((one) => `  | ${typeOf(one)}`).join('\n')};`,
    ];
  if (type.enum !== undefined)
    return [`export type ${name} =`, `${type.enum.map((one) => `  | '${one}'`).join('\n')};`];
  return [`export type ${name} = ${typeOf(type.type ?? 'string')};`];
}

const lines = [
  '// Derived by tools/derive-marathon-types.ts from facts/raml.json. Edit those, not this.',
];
for (const [name, type] of Object.entries(types)) {
  lines.push('', ...declare(nameOf(name), type, type.asUpdate === true));
  if (type.updateType === true) lines.push('', ...declare(`${name}Update`, type, true));
}
const names = Object.entries(types).flatMap(([name, { updateType }]) =>
  updateType === true ? [name, `${name}Update`] : [name],
);
lines.push('', '/** The types by their RAML names, for the reader and the writer. */');
lines.push('export interface RamlTypes {');
lines.push(...names.map((name) => `  readonly ${name}: ${nameOf(name)};`), '}');
writeFileSync('src/mesos/marathon/model/types.ts', `${lines.join('\n')}\n`);
