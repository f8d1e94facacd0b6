import type * as JsYaml from 'js-yaml';
import { DecodeError } from './codec.ts';
import { setKey } from './objects.ts';

/**
 * YAML as the Kubernetes API reads it: go-yaml v2's rules for scalars, keys made strings, aliases
 * bounded and copied. The library is loaded with the first document.
 */
export interface ParsedYaml {
  /** A JSON value. */
  readonly value: unknown;
  /** Doubled keys, in one text as the reference has it; or nothing. */
  readonly strictProblems: readonly string[];
}

const depthMax = 1_000;
/** go-yaml: up to 100 aliases are free of the ratio rule. */
const aliasesMax = 100;
/** Nodes after aliases were copied out: what an alias bomb would exceed. */
const nodesMax = 1_000_000;

let loaded: Promise<Yaml> | undefined;

export async function parseYaml(bytes: Uint8Array): Promise<ParsedYaml> {
  loaded ??= import('js-yaml').then(makeYaml);
  const yaml = await loaded;
  return yaml.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
}

/** Every document of a stream (`---` between them), empty ones left out. */
export async function parseYamlDocuments(bytes: Uint8Array): Promise<readonly unknown[]> {
  loaded ??= import('js-yaml').then(makeYaml);
  const yaml = await loaded;
  return yaml.documents(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'),
  );
}

interface Yaml {
  parse(text: string): ParsedYaml;
  documents(text: string): readonly unknown[];
}

const trues = new Set(['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON']);
const falses = new Set([
  'n',
  'N',
  'no',
  'No',
  'NO',
  'false',
  'False',
  'FALSE',
  'off',
  'Off',
  'OFF',
]);
const nulls = new Set(['', '~', 'null', 'Null', 'NULL']);

function makeYaml(library: typeof JsYaml): Yaml {
  const schema = goSchema(library);
  const options = { schema, maxDepth: depthMax, maxAliases: aliasesMax };
  const loadAll = (text: string, json: boolean): readonly unknown[] => {
    try {
      return library.loadAll(text, { ...options, json });
    } catch (cause) {
      if (cause instanceof library.YAMLException && /duplicated mapping key/.test(cause.reason))
        throw cause;
      throw yamlError(cause);
    }
  };
  const documents = (text: string, json: boolean) =>
    loadAll(text, json).map((document) => toJson(document, { nodes: 0, above: [] }));
  return {
    documents: (text) => documents(text, true).filter((document) => document !== null),
    parse: (text) => {
      try {
        return { value: documents(text, false)[0] ?? null, strictProblems: [] };
      } catch (cause) {
        if (cause instanceof DecodeError) throw cause;
        const doubled = doubledKeys(library, text);
        return {
          value: documents(text, true)[0] ?? null,
          strictProblems: [`yaml: unmarshal errors:\n${doubled.join('\n')}`],
        };
      }
    },
  };
}

function yamlError(cause: unknown): DecodeError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const { reason, mark } = cause as { reason?: string; mark?: { line?: number } };
  if (reason === undefined) return new DecodeError(`yaml: ${message}`, { cause });
  const line = mark?.line === undefined ? '' : `line ${mark.line + 1}: `;
  return new DecodeError(`yaml: ${line}${reason}`, { cause });
}

function goSchema(library: typeof JsYaml): JsYaml.Schema {
  const { defineScalarTag, NOT_RESOLVED } = library;
  const never = () => false;
  const wordChars = Array.from('yYnNtTfFoO');
  const nullTag = defineScalarTag('tag:yaml.org,2002:null', {
    implicit: true,
    implicitFirstChars: ['', '~', 'n', 'N'],
    resolve: (source) => (nulls.has(source) ? null : NOT_RESOLVED),
    identify: never,
  });
  const boolTag = defineScalarTag('tag:yaml.org,2002:bool', {
    implicit: true,
    implicitFirstChars: wordChars,
    resolve: (source) => (trues.has(source) ? true : falses.has(source) ? false : NOT_RESOLVED),
    identify: never,
  });
  const numberChars = Array.from('-+.0123456789');
  const numberTags = ['int', 'float'].map((name) =>
    defineScalarTag(`tag:yaml.org,2002:${name}`, {
      implicit: name === 'int',
      implicitFirstChars: numberChars,
      resolve: (source) => goNumber(source) ?? NOT_RESOLVED,
      identify: never,
    }),
  );
  const binaryTag = defineScalarTag('tag:yaml.org,2002:binary', {
    resolve: (source) => Buffer.from(source, 'base64').toString('utf8'),
    identify: never,
  });
  return new library.Schema([
    library.strTag,
    library.seqTag,
    library.mapTag,
    library.mergeTag,
    nullTag,
    boolTag,
    ...numberTags,
    binaryTag,
  ]);
}

const intForm = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|0[0-7]*|[1-9][0-9]*)$/;
const floatForm = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

/** A plain scalar as go-yaml's `resolve` sees numbers; dates stay text. */
export function goNumber(source: string): number | bigint | undefined {
  if (/^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}/.test(source)) return undefined;
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(source)) return source.startsWith('-') ? -Infinity : Infinity;
  if (/^\.(?:nan|NaN|NAN)$/.test(source)) return NaN;
  const plain = source.replaceAll('_', '');
  if (intForm.test(plain)) {
    const negative = plain.startsWith('-');
    const digits = plain.replace(/^[-+]/, '');
    const octal = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
    const exact = BigInt(octal) * (negative ? -1n : 1n);
    if (exact >= -(2n ** 63n) && exact < 2n ** 64n) {
      const number = Number(exact);
      return Number.isSafeInteger(number) ? number : exact;
    }
  }
  return floatForm.test(plain) ? Number(plain) : undefined;
}

interface Copy {
  nodes: number;
  /** Objects we are inside of: meeting one again is a cycle. */
  readonly above: object[];
}

/** A plain JSON value: shared subtrees copied, cycles and floods refused. */
function toJson(value: unknown, copy: Copy): unknown {
  if (++copy.nodes > nodesMax) throw new DecodeError('yaml: document contains excessive aliasing');
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new DecodeError(`json: unsupported value: ${goFloat(value)}`);
  if (value === undefined) return null;
  if (typeof value !== 'object' || value === null) return value;
  if (copy.above.includes(value)) throw new DecodeError('yaml: anchor value contains itself');
  copy.above.push(value);
  let result: unknown;
  if (Array.isArray(value)) result = value.map((one) => toJson(one, copy));
  else {
    const object: Record<string, unknown> = {};
    for (const [key, one] of Object.entries(value)) setKey(object, key, toJson(one, copy));
    result = object;
  }
  copy.above.pop();
  return result;
}
function goFloat(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}

interface OpenNode {
  readonly keys: Set<string> | undefined;
  isKey: boolean;
}

/** Every doubled key with its line, found in the events of the parser. */
function doubledKeys(library: typeof JsYaml, text: string): readonly string[] {
  const found: string[] = [];
  const open: OpenNode[] = [];
  for (const event of library.parseEvents(text, { maxDepth: depthMax })) {
    const parent = open.at(-1);
    if (event.type === library.EVENT_ID.POP) {
      open.pop();
      continue;
    }
    const key = parent?.keys !== undefined && parent.isKey;
    if (parent?.keys !== undefined) parent.isKey = !parent.isKey;
    if (event.type === library.EVENT_ID.MAPPING) open.push({ keys: new Set(), isKey: true });
    else if (event.type === library.EVENT_ID.SEQUENCE || event.type === library.EVENT_ID.DOCUMENT)
      open.push({ keys: undefined, isKey: false });
    else if (event.type === library.EVENT_ID.SCALAR && key) {
      const name = library.getScalarValue(text, event);
      if (name === '<<') continue;
      const line = text.slice(0, event.valueStart).split('\n').length;
      if (parent.keys?.has(name) === true)
        found.push(`  line ${line}: key "${name}" already set in map`);
      parent.keys?.add(name);
    }
  }
  return found;
}

/** True for bytes that are JSON rather than YAML: most bodies that call themselves YAML are. */
export function looksLikeJson(bytes: Uint8Array): boolean {
  for (const byte of bytes) {
    if (byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)) continue;
    return byte === 0x7b;
  }
  return false;
}
