import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metadataProblems, metadataUpdateProblems, problemText } from '#machinery';
import type { Draft, KindDeclaration, KubeObject, MetadataRules, Problem } from '#machinery';
import { createCodec } from '#wire';
import { typeTables } from './tables.ts';

/** One codec for all tests of kinds: objects are written as a client writes them. */
const codec = createCodec(typeTables);
export const nowMs = Date.UTC(2026, 0, 2);

export type Json = Readonly<Record<string, unknown>>;

/** Decodes, defaults and prepares as the server does before it validates. */
export function created<T extends KubeObject>(kind: KindDeclaration<T>, object: Json): T {
  const draft = decoded(kind, object);
  draft.metadata.uid ??= 'u1';
  draft.metadata.creationTimestamp ??= '2026-01-01T00:00:00Z';
  kind.prepareForCreate?.(draft, context(draft, ''));
  return frozen(draft);
}
export function decoded<T extends KubeObject>(kind: KindDeclaration<T>, object: Json): Draft<T> {
  const { apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}` } =
    object;
  const metadata = { name: 'a', ...(kind.namespaced && { namespace: 'default' }) };
  const whole = { metadata, ...object, apiVersion, kind: kind.kind };
  const { value, strictProblems } = codec.canonical(kind.type, whole);
  assert.deepEqual(strictProblems, [], 'The test names a field that does not exist');
  // What the codec made of the kind's own type is an object of that kind.
  const draft = value as unknown as Draft<T>;
  kind.defaults?.(draft);
  return draft;
}
function context(draft: Draft<KubeObject>, subresource: string) {
  return { nowMs, namespace: draft.metadata.namespace ?? '', subresource };
}
/** Validation must not write into what it judges. */
function frozen<T>(draft: Draft<T>): T {
  const freeze = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return;
    Object.freeze(value);
    for (const one of Object.values(value)) freeze(one);
  };
  freeze(draft);
  return draft as unknown as T;
}

/** Texts of the server's own check of metadata and of the kind's. */
export function createProblems<T extends KubeObject>(
  kind: KindDeclaration<T>,
  object: Json,
): string[] {
  const made = created(kind, object);
  const found = [...metadata(kind, made), ...(kind.validateCreate?.(made) ?? [])];
  return found.map(problemText);
}
function metadata(kind: KindDeclaration, object: KubeObject): readonly Problem[] {
  return metadataProblems(object.metadata, rulesOf(kind));
}
function rulesOf(kind: KindDeclaration): MetadataRules {
  const { namespaced } = kind;
  const nameProblems = (name: string, prefix: boolean) => kind.nameProblems?.(name, prefix) ?? [];
  return kind.nameProblems === undefined ? { namespaced } : { namespaced, nameProblems };
}

export interface Change {
  readonly from: Json;
  readonly to: Json;
  /** Replaces the stored object's status before the change. */
  readonly stored?: Json;
  readonly through?: string;
}
/** The object after an update, as it would be stored, and what is wrong with it. */
export function updated<T extends KubeObject>(
  kind: KindDeclaration<T>,
  { from, to, stored, through = '' }: Change,
): { readonly object: T; readonly problems: string[] } {
  const old = frozen({
    ...structuredClone(created(kind, from)),
    ...(stored !== undefined && decodedParts(kind, from, stored)),
  } as unknown as Draft<T>);
  const draft = decoded(kind, to);
  const { uid, creationTimestamp, generation, deletionTimestamp } = old.metadata;
  Object.assign(draft.metadata, { uid, creationTimestamp, resourceVersion: '7' });
  if (generation !== undefined) draft.metadata.generation = generation;
  if (deletionTimestamp !== undefined) draft.metadata.deletionTimestamp = deletionTimestamp;
  const facts = context(draft, through);
  const part = kind.partialUpdates?.[through];
  if (through === 'status') kind.prepareForStatusUpdate?.(draft, old, facts);
  else if (part !== undefined) part.prepare(draft, old, facts);
  else kind.prepareForUpdate?.(draft, old, facts);
  const object = frozen(draft);
  const own =
    through === 'status'
      ? kind.validateStatusUpdate?.(object, old)
      : part === undefined
        ? kind.validateUpdate?.(object, old)
        : part.validate(object, old);
  const found = [
    ...metadataUpdateProblems(object.metadata, old.metadata, rulesOf(kind)),
    ...(own ?? []),
  ];
  return { object, problems: found.map(problemText) };
}
function decodedParts(kind: KindDeclaration, from: Json, stored: Json): object {
  const draft = decoded(kind, { ...from, ...stored }) as unknown as Record<string, unknown>;
  return Object.fromEntries(Object.keys(stored).map((name) => [name, draft[name]]));
}

/** A rule: what is written, and the one text (or texts) that it gets. */
export type Case = readonly [object: Json, ...texts: string[]];

/** Each case breaks one rule: every text is there, and nothing else is said. */
export function testRules(kind: KindDeclaration, cases: readonly Case[]): void {
  for (const [index, [object, ...texts]] of cases.entries())
    test(`${kind.kind} rule ${index}: ${texts[0] ?? 'in order'}`.slice(0, 160), () => {
      assert.deepEqual(createProblems(kind, object), texts);
    });
}
export type ChangeCase = readonly [change: Change, ...texts: string[]];
export function testChanges(kind: KindDeclaration, cases: readonly ChangeCase[]): void {
  for (const [index, [change, ...texts]] of cases.entries())
    test(
      `${kind.kind} ${change.through ?? 'update'} ${index}: ${texts[0] ?? 'in order'}`.slice(
        0,
        160,
      ),
      () => {
        assert.deepEqual(updated(kind, change).problems, texts);
      },
    );
}

/** The cells of `kubectl get`, by column. */
export function cells<T extends KubeObject>(kind: KindDeclaration<T>, object: Json): object {
  const value = frozen(decoded(kind, object));
  const columns = kind.table?.columns ?? [];
  return Object.fromEntries(columns.map(({ name, cell }) => [name, cell(value, nowMs)]));
}
