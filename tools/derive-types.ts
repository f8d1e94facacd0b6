/**
 * Derives the TypeScript types of the built-in kinds from `src/kube/kinds/facts/api-facts.json`.
 *
 * Writes one file per package of the facts into `src/kube/kinds/types/`. Run it after the facts change:
 * `node tools/derive-types.ts`. The types describe the canonical form of a decoded object: structs are
 * always present, lists and maps that Go writes as `null` may be `null`.
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';

interface Field {
  readonly json: string | null;
  readonly inline?: boolean;
  readonly type: string;
  readonly of?: string;
  readonly ptr?: boolean;
  readonly omit?: string;
  readonly optional?: boolean;
}
interface TypeFact {
  readonly name: string;
  readonly kind?: string;
  readonly typeMeta?: boolean;
  readonly fields?: readonly Field[];
}
interface Facts {
  readonly types: readonly TypeFact[];
}

const folder = 'src/kube/kinds/types';
const metaObject = 'k8s.io.apimachinery.pkg.apis.meta.v1.ObjectMeta';
const scalars: Record<string, string> = {
  string: 'string',
  bool: 'boolean',
  int32: 'number',
  int64: 'number',
  double: 'number',
  bytes: 'string',
  any: 'unknown',
  Time: 'string',
  MicroTime: 'string',
  Duration: 'string',
  Quantity: 'string',
  IntOrString: 'number | string',
  RawExtension: 'unknown',
  FieldsV1: 'unknown',
  JSON: 'unknown',
};

const facts = JSON.parse(readFileSync('src/kube/kinds/facts/api-facts.json', 'utf8')) as Facts;
const byName = new Map(facts.types.map((type) => [type.name, type]));

/** `k8s.io.api.core.v1.Pod` lives in `core-v1.ts` as `Pod`. */
function fileOf(name: string): string {
  const segments = name.split('.');
  const version = segments.at(-2) ?? '';
  const group = segments.at(-3) ?? '';
  return `${group}-${version}`.toLowerCase();
}
function shortName(name: string): string {
  return name.split('.').at(-1) ?? name;
}

function typeText(type: string, of: string | undefined, used: Set<string>): string {
  if (type === 'ref') {
    if (of === undefined) return 'unknown';
    if (of === metaObject) return 'ObjectMeta';
    used.add(of);
    return shortName(of);
  }
  return scalars[type] ?? 'unknown';
}

function elementText(of: string | undefined, used: Set<string>): string {
  if (of === undefined) return 'unknown';
  if (scalars[of] !== undefined) return scalars[of];
  if (of === metaObject) return 'ObjectMeta';
  if (!byName.has(of)) return 'unknown';
  used.add(of);
  return shortName(of);
}

function fieldLine(owner: TypeFact, field: Field, used: Set<string>): string {
  const key = /^[A-Za-z_$][\w$]*$/.test(field.json ?? '') ? field.json : `'${field.json}'`;
  let text: string;
  if (field.type === 'list') {
    const element = elementText(field.of, used);
    text = element.includes('|') ? `readonly (${element})[]` : `readonly ${element}[]`;
  } else if (field.type === 'map') {
    text = `Readonly<Record<string, ${elementText(field.of, used)}>>`;
  } else text = typeText(field.type, field.of, used);
  if (
    text === 'ObjectMeta' &&
    /(Template|TemplateSpec)$/.test(owner.name) &&
    owner.typeMeta !== true
  )
    text = 'Partial<ObjectMeta>';
  const struct = field.type === 'ref' && field.ptr !== true && field.omit !== 'omitzero';
  const absent = !struct && (field.omit !== undefined || field.ptr === true);
  const nullable =
    !absent &&
    !struct &&
    ['list', 'map', 'Time', 'MicroTime', 'bytes'].includes(field.type) &&
    field.optional === true;
  return `  readonly ${key}${absent ? '?' : ''}: ${text}${nullable ? ' | null' : ''}${absent ? ' | undefined' : ''};`;
}

function interfaceText(type: TypeFact, used: Set<string>): string {
  const name = shortName(type.name);
  if (type.kind === 'listAlias') return `export type ${name} = readonly string[];`;
  if (type.kind === 'special') return `export type ${name} = unknown;`;
  const bases: string[] = [];
  const lines: string[] = [];
  if (type.typeMeta === true)
    lines.push('  readonly kind: string;', '  readonly apiVersion: string;');
  for (const field of type.fields ?? []) {
    if (field.json === null || field.inline === true) {
      if (field.of === undefined) continue;
      used.add(field.of);
      bases.push(shortName(field.of));
    } else lines.push(fieldLine(type, field, used));
  }
  const heritage = bases.length > 0 ? ` extends ${bases.join(', ')}` : '';
  return `export interface ${name}${heritage} {\n${lines.join('\n')}\n}`;
}

function write(): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const files = new Map<string, TypeFact[]>();
  for (const type of facts.types) {
    if (type.name === metaObject) continue;
    const file = fileOf(type.name);
    files.set(file, [...(files.get(file) ?? []), type]);
  }
  for (const [file, types] of files) {
    const used = new Set<string>();
    const bodies = types.map((type) => interfaceText(type, used));
    const imports = new Map<string, Set<string>>();
    for (const name of used) {
      const from = fileOf(name);
      if (from === file) continue;
      imports.set(from, (imports.get(from) ?? new Set()).add(shortName(name)));
    }
    const head = [
      '// Derived by tools/derive-types.ts from facts/api-facts.json. Edit those, not this.',
      ...(bodies.some((body) => body.includes('ObjectMeta'))
        ? ["import type { ObjectMeta } from '#machinery';"]
        : []),
      ...[...imports]
        .toSorted(([a], [b]) => a.localeCompare(b))
        .map(
          ([from, names]) =>
            `import type { ${[...names].toSorted().join(', ')} } from './${from}.ts';`,
        ),
    ];
    writeFileSync(`${folder}/${file}.ts`, `${head.join('\n')}\n\n${bodies.join('\n\n')}\n`);
  }
  console.log(`${readdirSync(folder).length} files in ${folder}`);
}

write();
