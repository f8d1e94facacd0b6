import type { PayloadFile } from '#io';
import type { Pod } from '#kube/kinds';
import { fieldValue, resourceValue } from './field-ref.ts';
import type { NodeFacts } from './field-ref.ts';
import type { Payload } from './references.ts';

type Volume = NonNullable<Pod['spec']['volumes']>[number];

export interface Token {
  readonly token: string;
  readonly expiresAtMs: number;
}
export interface PayloadSources {
  configMap(name: string): Promise<Payload | undefined>;
  secret(name: string): Promise<Payload | undefined>;
  requestToken(options: { audience: string; expirationSeconds: number }): Promise<Token>;
  readonly podIp: string;
  readonly node: NodeFacts;
  readonly nowMs: number;
}
/** By audience and lifetime: a token is asked for anew when four fifths of its life (or a day) are over. */
export type TokenCache = Map<string, { readonly token: string; readonly renewAtMs: number }>;

interface Context {
  readonly sources: PayloadSources;
  readonly tokens: TokenCache;
}
type Files = Map<string, PayloadFile>;
type Items = readonly {
  readonly key: string;
  readonly path: string;
  readonly mode?: number | undefined;
}[];

/** The files of a volume that comes from the API. Throws `Error` with the reference's texts. */
export async function payloadOf(pod: Pod, volume: Volume, context: Context): Promise<Files> {
  const files: Files = new Map();
  if (volume.configMap !== undefined) {
    const { name = '', items, optional, defaultMode } = volume.configMap;
    await addSource(
      files,
      { kind: 'configmap', name, items, optional, pod, mode: defaultMode ?? 0o644 },
      context,
    );
  } else if (volume.secret !== undefined) {
    const { secretName = '', items, optional, defaultMode } = volume.secret;
    await addSource(
      files,
      { kind: 'secret', name: secretName, items, optional, pod, mode: defaultMode ?? 0o644 },
      context,
    );
  } else if (volume.downwardAPI !== undefined) {
    addDownward(
      files,
      { pod, items: volume.downwardAPI.items ?? [], mode: volume.downwardAPI.defaultMode ?? 0o644 },
      context,
    );
  } else {
    await addProjected(files, { pod, source: volume.projected }, context);
  }
  // With a group of its own the files must be readable for it (k8s volume/util SetVolumeOwnership).
  if (pod.spec.securityContext?.fsGroup === undefined) return files;
  return new Map([...files].map(([path, file]) => [path, { ...file, mode: file.mode | 0o440 }]));
}

async function addProjected(
  files: Files,
  target: { readonly pod: Pod; readonly source: Volume['projected'] },
  context: Context,
): Promise<void> {
  const { pod } = target;
  const mode = target.source?.defaultMode ?? 0o644;
  for (const source of target.source?.sources ?? []) {
    if (source.configMap !== undefined) {
      const { name = '', items, optional } = source.configMap;
      await addSource(files, { kind: 'configmap', name, items, optional, pod, mode }, context);
    } else if (source.secret !== undefined) {
      const { name = '', items, optional } = source.secret;
      await addSource(files, { kind: 'secret', name, items, optional, pod, mode }, context);
    } else if (source.downwardAPI !== undefined) {
      addDownward(files, { pod, items: source.downwardAPI.items ?? [], mode }, context);
    } else if (source.serviceAccountToken !== undefined) {
      const { audience = '', expirationSeconds = 3600, path } = source.serviceAccountToken;
      const token = await tokenFor({ audience, expirationSeconds }, context);
      files.set(path, tokenFile(pod, token, mode));
    } else {
      const kind = Object.keys(source)[0] ?? 'unknown';
      throw new Error(
        `this node does not support projected sources of type ${JSON.stringify(kind)}`,
      );
    }
  }
}

/** A token is for its Pod's user alone, when all containers run as the same one. */
function tokenFile(pod: Pod, token: string, mode: number): PayloadFile {
  const users = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(
    ({ securityContext }) => securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser,
  );
  const same = users.every((user) => user === users[0]) ? users[0] : undefined;
  const data = Buffer.from(token);
  if (pod.spec.securityContext?.fsGroup !== undefined) return { data, mode: 0o600 };
  return same === undefined ? { data, mode } : { data, mode: 0o600, uid: same };
}

async function tokenFor(
  wanted: { readonly audience: string; readonly expirationSeconds: number },
  { sources, tokens }: Context,
): Promise<string> {
  const key = `${wanted.audience} ${wanted.expirationSeconds}`;
  const known = tokens.get(key);
  if (known !== undefined && sources.nowMs < known.renewAtMs) return known.token;
  const { token, expiresAtMs } = await sources.requestToken(wanted);
  const lifeMs = Math.min((expiresAtMs - sources.nowMs) * 0.8, 24 * 3_600_000);
  tokens.set(key, { token, renewAtMs: sources.nowMs + lifeMs });
  return token;
}

interface SourceTarget {
  readonly kind: 'configmap' | 'secret';
  readonly name: string;
  readonly items: Items | null | undefined;
  readonly optional: boolean | undefined;
  readonly pod: Pod;
  readonly mode: number;
}

async function addSource(files: Files, target: SourceTarget, context: Context): Promise<void> {
  const { kind, name, mode } = target;
  const { sources } = context;
  const found = await (kind === 'secret' ? sources.secret(name) : sources.configMap(name));
  if (found === undefined) {
    if (target.optional === true) return;
    throw new Error(`${kind} ${JSON.stringify(name)} not found`);
  }
  const items = target.items ?? [];
  if (items.length === 0) {
    for (const [key, data] of found.data) files.set(key, { data, mode });
    return;
  }
  for (const item of items) {
    const data = found.data.get(item.key);
    if (data !== undefined) files.set(safePath(item.path), { data, mode: item.mode ?? mode });
    else if (target.optional !== true)
      throw new Error(
        kind === 'secret'
          ? `references non-existent secret key: ${item.key}`
          : `configmap references non-existent config key: ${item.key}`,
      );
  }
}

type DownwardItems = NonNullable<NonNullable<Volume['downwardAPI']>['items']>;

function addDownward(
  files: Files,
  target: { readonly pod: Pod; readonly items: DownwardItems; readonly mode: number },
  { sources }: Context,
): void {
  const { pod, mode } = target;
  const first = pod.spec.containers[0];
  for (const item of target.items) {
    let text = '';
    if (item.fieldRef !== undefined)
      text = fieldValue(pod, item.fieldRef.fieldPath, {
        podIp: sources.podIp,
        nodeIp: sources.node.nodeIp,
      });
    else if (item.resourceFieldRef !== undefined && first !== undefined)
      text = resourceValue(pod, first, { selector: item.resourceFieldRef, node: sources.node });
    files.set(safePath(item.path), { data: Buffer.from(text), mode: item.mode ?? mode });
  }
}

/** The server validated it; a file system does not forgive a second opinion. */
function safePath(path: string): string {
  const parts = path.split('/');
  if (
    path.startsWith('/') ||
    parts.some((part) => part === '..') ||
    path.startsWith('..') ||
    path === ''
  )
    throw new Error(`path ${JSON.stringify(path)} must stay inside the volume`);
  return path;
}
