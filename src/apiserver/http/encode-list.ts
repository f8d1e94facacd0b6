import { apiVersionOf, notAcceptable } from '#machinery';
import type { KindDeclaration, KubeObject } from '#machinery';
import { encodeCanonicalJson, protobufList } from '#wire';
import type { StoredObject } from '../cache/stored-object.ts';
import { type Core, viewOf } from '../core.ts';
import { type ListMeta, type View, metaTypes, partialOf } from './encode.ts';
import { columnDefinitionsOf, rowOf } from './table.ts';

/** Others have their turn after this much of a long list. */
const sliceMs = 4;

interface ListParts {
  readonly objects: readonly StoredObject[];
  readonly meta: ListMeta;
}
/** A document whose only long part is one list. */
interface Sliceable {
  readonly head: Readonly<Record<string, unknown>>;
  readonly key: 'items' | 'rows';
  readonly type: string;
  readonly itemType: string;
  itemOf(object: StoredObject): object;
}

/** A list: for plain JSON slices of the very bytes the cache holds, else made piece by piece. */
export async function encodeList(
  core: Core,
  view: View,
  parts: ListParts,
): Promise<readonly Uint8Array[]> {
  const { kind, accepted, pretty } = view;
  if (accepted.as === 'PartialObjectMetadata')
    throw notAcceptable([
      'you requested PartialObjectMetadata, but the requested object is a list',
    ]);
  const plain = accepted.as === '' && accepted.format === 'json' && !pretty;
  if (plain && kind.storedAs === undefined) return slicedList(kind, parts);
  const document = documentOf(core, view, parts.meta);
  if (accepted.format === 'protobuf') return await asProtobuf(core, document, parts.objects);
  if (accepted.format === 'yaml') return await asYaml(core, document, parts.objects);
  return await (pretty ? asPrettyJson : asJson)(core, document, parts.objects);
}

function documentOf(core: Core, view: View, meta: ListMeta): Sliceable {
  const { kind, accepted } = view;
  const shaped = (object: StoredObject): KubeObject => viewOf(kind, object);
  const metaVersion = `meta.k8s.io/${accepted.metaVersion}`;
  if (accepted.as === 'Table') {
    const nowMs = core.clock.nowMs();
    const columnDefinitions = columnDefinitionsOf(kind);
    return {
      head: { kind: 'Table', apiVersion: metaVersion, metadata: meta, columnDefinitions },
      key: 'rows',
      type: '',
      itemType: '',
      itemOf: (object) => rowOf(view, shaped(object), nowMs),
    };
  }
  const partial = { type: `${metaTypes}PartialObjectMetadata`, isPartial: true };
  if (accepted.as === 'PartialObjectMetadataList')
    return {
      head: { kind: 'PartialObjectMetadataList', apiVersion: metaVersion, metadata: meta },
      key: 'items',
      type: `${metaTypes}PartialObjectMetadataList`,
      itemType: partial.type,
      itemOf: (object) => ordered(core, view, { ...partial, object: shaped(object) }),
    };
  const apiVersion = apiVersionOf(kind.group, kind.version);
  return {
    head: { kind: kind.listKind, apiVersion, metadata: meta },
    key: 'items',
    type: kind.listType,
    itemType: kind.type,
    itemOf: (object) =>
      ordered(core, view, { type: kind.type, isPartial: false, object: shaped(object) }),
  };
}

/** An item with its keys in their order, which only texts show. Typed lists leave out its kind. */
function ordered(
  core: Core,
  { accepted }: View,
  item: { readonly type: string; readonly isPartial: boolean; readonly object: KubeObject },
): object {
  const { type, isPartial, object } = item;
  const shown = isPartial ? partialOf(object, accepted) : object;
  if (accepted.format === 'protobuf') return shown;
  const { value } = core.codec.canonical(type, shown);
  if (isPartial) return value;
  const { kind: _kind, apiVersion: _version, ...rest } = value;
  return rest;
}

function slicedList(kind: KindDeclaration, { objects, meta }: ListParts): readonly Uint8Array[] {
  const apiVersion = apiVersionOf(kind.group, kind.version);
  const head = JSON.stringify({ kind: kind.listKind, apiVersion, metadata: meta });
  const slices: Uint8Array[] = [Buffer.from(`${head.slice(0, -1)},"items":[`)];
  // The cached bytes begin with kind and version, which are cut off.
  const skip = JSON.stringify({ kind: kind.kind, apiVersion }).length;
  for (const { bytes } of objects) {
    slices.push(slices.length === 1 ? firstItem : nextItem);
    slices.push(bytes.subarray(skip));
  }
  slices.push(listEnd);
  return slices;
}
const firstItem = Buffer.from('{');
const nextItem = Buffer.from(',{');
const comma = Buffer.from(',');
const listEnd = Buffer.from(']}\n');

/** Gives others their turn every few milliseconds. */
async function forEach(
  core: Core,
  objects: readonly StoredObject[],
  work: (object: StoredObject, index: number) => void,
): Promise<void> {
  const { clock } = core;
  let untilMs = clock.monotonicMs() + sliceMs;
  for (const [index, object] of objects.entries()) {
    work(object, index);
    // Looking at the clock costs about as much as a small object.
    if (index % 8 !== 7 || clock.monotonicMs() < untilMs) continue;
    await clock.sleep(0);
    untilMs = clock.monotonicMs() + sliceMs;
  }
}

type Encode = (
  core: Core,
  document: Sliceable,
  objects: readonly StoredObject[],
) => Promise<readonly Uint8Array[]>;

const asJson: Encode = async (core, { head, key, itemOf }, objects) => {
  const begin = encodeCanonicalJson(head).toString('utf8').slice(0, -1);
  const slices: Uint8Array[] = [Buffer.from(`${begin},"${key}":[`)];
  await forEach(core, objects, (object, index) => {
    if (index > 0) slices.push(comma);
    slices.push(encodeCanonicalJson(itemOf(object)));
  });
  slices.push(listEnd);
  return slices;
};

const asPrettyJson: Encode = async (core, { head, key, itemOf }, objects) => {
  const begin = JSON.stringify(head, undefined, 2).slice(0, -2);
  const slices: Uint8Array[] = [Buffer.from(`${begin},\n  "${key}": [`)];
  await forEach(core, objects, (object, index) => {
    const text = JSON.stringify(itemOf(object), undefined, 2).replaceAll('\n', '\n    ');
    slices.push(Buffer.from(`${index > 0 ? ',' : ''}\n    ${text}`));
  });
  slices.push(Buffer.from(objects.length > 0 ? '\n  ]\n}\n' : ']\n}\n'));
  return slices;
};

/** The library is loaded when somebody first asks for YAML. */
const asYaml: Encode = async (core, { head, key, itemOf }, objects) => {
  const { dump } = await import('js-yaml');
  const options = { noRefs: true, lineWidth: -1, skipInvalid: true } as const;
  const slices: Uint8Array[] = [Buffer.from(dump(head, options))];
  slices.push(Buffer.from(objects.length > 0 ? `${key}:\n` : `${key}: []\n`));
  await forEach(core, objects, (object) => {
    slices.push(Buffer.from(dump([itemOf(object)], options)));
  });
  return slices;
};

const asProtobuf: Encode = async (core, { head, type, itemType, itemOf }, objects) => {
  const items: Uint8Array[] = [];
  await forEach(core, objects, (object) => {
    items.push(core.codec.encodeProtobuf(itemType, itemOf(object)));
  });
  return protobufList(core.codec.encodeProtobuf(type, head), items);
};
