/**
 * Derives the TypeScript types of the Mesos v1 messages from `src/mesos/protocol/facts/messages.json`.
 *
 * Writes `src/mesos/protocol/types.ts`. Run it after the facts change: `node tools/derive-mesos-types.ts`.
 * The types describe a message as values: only set fields are there, names are those of the .proto,
 * enums are their names, bytes are base64 text, 64-bit integers are numbers.
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface Field {
  readonly name: string;
  readonly type: string;
  readonly label: 'required' | 'optional' | 'repeated' | 'map';
}
interface Facts {
  readonly messages: Readonly<Record<string, readonly Field[]>>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

const scalars: Readonly<Record<string, string>> = {
  string: 'string',
  bytes: 'string',
  bool: 'boolean',
  double: 'number',
  float: 'number',
  int32: 'number',
  uint32: 'number',
  int64: 'number',
  uint64: 'number',
};

/** `scheduler.Call.Accept` is `SchedulerCallAccept`, `google.protobuf.Duration` `GoogleProtobufDuration`. */
function nameOf(type: string): string {
  const words = type.split(/[._]/);
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function fieldLine({ name, type, label }: Field): string {
  const one = scalars[type] ?? nameOf(type);
  if (label === 'required') return `  readonly ${name}: ${one};`;
  if (label === 'repeated') return `  readonly ${name}?: readonly ${one}[] | undefined;`;
  if (label === 'map') return `  readonly ${name}?: Readonly<Record<string, ${one}>> | undefined;`;
  return `  readonly ${name}?: ${one} | undefined;`;
}

const facts = JSON.parse(readFileSync('src/mesos/protocol/facts/messages.json', 'utf8')) as Facts;
const lines = [
  '// Derived by tools/derive-mesos-types.ts from facts/messages.json. Edit those, not this.',
];
for (const [type, fields] of Object.entries(facts.messages)) {
  const name = nameOf(type);
  if (fields.length === 0) lines.push('', `export type ${name} = Readonly<Record<string, never>>;`);
  else lines.push('', `export interface ${name} {`, ...fields.map(fieldLine), '}');
}
for (const [type, values] of Object.entries(facts.enums)) {
  const names = Object.keys(values).map((value) => `  | '${value}'`);
  lines.push('', `export type ${nameOf(type)} =`, `${names.join('\n')};`);
}
lines.push(
  '',
  '/** Every message by its name in the .proto files. */',
  'export interface Messages {',
);
for (const type of Object.keys(facts.messages)) {
  const key = /^\w+$/.test(type) ? type : `'${type}'`;
  lines.push(`  readonly ${key}: ${nameOf(type)};`);
}
lines.push('}');
writeFileSync('src/mesos/protocol/types.ts', `${lines.join('\n')}\n`);
