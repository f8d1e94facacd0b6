import type { KindDeclaration, KubeObject } from '#machinery';
import { badRequest, notAcceptable } from '#machinery';
import { encodeCanonicalJson } from '#wire';
import type { StoredObject } from '../cache/stored-object.ts';
import type { TopicEvent } from '../cache/topics.ts';
import { type Core, viewOf } from '../core.ts';
import { type Accepted, mediaTypes } from './negotiate.ts';
import { tableOf } from './table.ts';
import { yamlOf } from './yaml.ts';

const newline = Buffer.from('\n');
export const metaTypes = 'k8s.io.apimachinery.pkg.apis.meta.v1.';

export interface View {
  readonly kind: KindDeclaration;
  readonly accepted: Accepted;
  readonly pretty: boolean;
  /** Table rows: `None`, `Metadata` or `Object`. */
  readonly includeObject: string;
}
export interface ListMeta {
  readonly resourceVersion: string;
  readonly continue?: string | undefined;
  readonly remainingItemCount?: number | undefined;
}
export type Bytes = Uint8Array | readonly Uint8Array[];

export function includeObjectOf(query: URLSearchParams): string {
  const asked = query.get('includeObject') ?? '';
  if (asked === '') return 'Metadata';
  if (asked === 'None' || asked === 'Metadata' || asked === 'Object') return asked;
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(asked)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

/** One object as the client asked for it. `stored` bytes are used as they are where they fit. */
export async function encodeObject(
  core: Core,
  view: View,
  one: { readonly object: () => KubeObject; readonly stored: StoredObject | undefined },
): Promise<Bytes> {
  const { kind, accepted } = view;
  if (accepted.as === 'PartialObjectMetadataList')
    throw notAcceptable([
      'you requested PartialObjectMetadataList, but the requested object is not a list',
    ]);
  if (accepted.as === '' && accepted.format === 'json' && !view.pretty && one.stored !== undefined)
    return Buffer.concat([one.stored.bytes, newline]);
  const object = one.object();
  if (accepted.as === 'Table') {
    const { resourceVersion } = object.metadata;
    const table = tableOf(view, [object], { nowMs: core.clock.nowMs(), meta: { resourceVersion } });
    return await encodeValue(table, view);
  }
  if (accepted.as === 'PartialObjectMetadata')
    return await encodeTyped(core, view, {
      type: `${metaTypes}PartialObjectMetadata`,
      object: partialOf(object, accepted),
    });
  return await encodeTyped(core, view, { type: kind.type, object });
}

export function partialOf(object: KubeObject, accepted: Pick<Accepted, 'metaVersion'>): KubeObject {
  return {
    kind: 'PartialObjectMetadata',
    apiVersion: `meta.k8s.io/${accepted.metaVersion}`,
    metadata: object.metadata,
  };
}

/** Any object of the field tables, in the format asked for. */
export function encodeTyped(
  core: Core,
  view: Pick<View, 'accepted' | 'pretty'>,
  { type, object }: { readonly type: string; readonly object: object },
): Uint8Array | Promise<Uint8Array> {
  if (view.accepted.format === 'protobuf') return core.codec.encodeProtobuf(type, object);
  const json = core.codec.encodeJson(type, object);
  if (view.accepted.format === 'yaml') return yamlOf(parsed(json));
  if (view.pretty) return prettyJson(parsed(json));
  return Buffer.concat([json, newline]);
}

/** A value without field tables: Table, discovery documents. */
export async function encodeValue(
  value: unknown,
  view: Pick<View, 'accepted' | 'pretty'>,
): Promise<Uint8Array> {
  if (view.accepted.format === 'yaml') return await yamlOf(value);
  if (view.pretty) return prettyJson(value);
  return Buffer.concat([encodeCanonicalJson(value), newline]);
}

function parsed(json: Uint8Array): unknown {
  return JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString('utf8'));
}
function prettyJson(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Everything about how one watcher is written to. */
export interface WatchForm {
  readonly id: string;
  readonly contentType: string;
  events(events: readonly TopicEvent[]): Uint8Array;
  value(type: string, object: object): Uint8Array;
}

export function watchFormOf(core: Core, view: View): WatchForm {
  const { kind, accepted } = view;
  const id = `${kind.group}/${kind.version} ${accepted.format} ${accepted.as} ${accepted.metaVersion} ${view.includeObject}`;
  const frame = accepted.format === 'protobuf' ? protobufFrame(core, view) : jsonFrame();
  const plain = accepted.as === '' && accepted.format === 'json' && kind.storedAs === undefined;
  const contentType =
    accepted.format === 'json' ? mediaTypes.json : `${mediaTypes[accepted.format]};stream=watch`;
  // Only the first Table of a watch says what its columns are.
  let columnsSent = false;
  const shaped = (object: KubeObject): object => {
    if (accepted.as === 'Table') {
      const { resourceVersion } = object.metadata;
      const withColumns = !columnsSent;
      columnsSent = true;
      return tableOf(view, [object], {
        nowMs: core.clock.nowMs(),
        meta: { resourceVersion },
        withColumns,
      });
    }
    return accepted.as === '' ? object : partialOf(object, accepted);
  };
  return {
    // Tables differ between watchers in their first event, so they are not shared.
    id: accepted.as === 'Table' ? '' : id,
    contentType,
    events: plain
      ? plainEvents
      : (events) =>
          Buffer.concat(
            events.map(({ type, object }) => frame(type, shaped(viewOf(kind, object)))),
          ),
    value: (type, object) => frame(type, object),
  };
}

const eventHeads = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
} as const;
const eventEnd = Buffer.from('}\n');

function plainEvents(events: readonly TopicEvent[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { type, object } of events) parts.push(eventHeads[type], object.bytes, eventEnd);
  return Buffer.concat(parts);
}

type Frame = (type: string, object: object) => Uint8Array;

function jsonFrame(): Frame {
  return (type, object) => {
    const json = encodeCanonicalJson(object);
    return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), json, eventEnd]);
  };
}

/** Four bytes of length, then a bare WatchEvent {1 type, 2 object {1 raw}} whose raw is an envelope. */
function protobufFrame(core: Core, view: View): Frame {
  return (type, object) => {
    const { apiVersion, kind } = object as KubeObject;
    const typeName = core.scheme.typeOf(apiVersion, kind) ?? partialType(kind) ?? view.kind.type;
    const raw = core.codec.encodeProtobuf(typeName, object);
    const name = Buffer.from(type);
    const inner = Buffer.concat([Buffer.from([0x0a]), varint(raw.length), raw]);
    const event = Buffer.concat([
      Buffer.from([0x0a]),
      varint(name.length),
      name,
      Buffer.from([0x12]),
      varint(inner.length),
      inner,
    ]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(event.length);
    return Buffer.concat([length, event]);
  };
}
function partialType(kind: string): string | undefined {
  return kind === 'PartialObjectMetadata' ? `${metaTypes}PartialObjectMetadata` : undefined;
}
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}
