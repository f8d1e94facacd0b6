import type { ImageConfig } from '../runtime.ts';
import { isDigest } from './reference.ts';

/** A document that came with an image and is not what it should be. */
export class DocumentError extends Error {
  override readonly name = 'DocumentError';
}

export type Fields = ReadonlyMap<string, unknown>;
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform: Fields;
  readonly annotations: Fields;
}
export interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}
export interface ConfigDocument {
  readonly config: ImageConfig;
  readonly diffIds: readonly string[];
  readonly architecture: string;
  readonly os: string;
}

const layersMax = 512;
const own: Readonly<Partial<Record<NodeJS.Architecture, string>>> = { x64: 'amd64', ia32: '386' };

/** An object's fields, in a Map so that no key of a stranger's is special. */
export function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return new Map();
  return new Map(Object.entries(value));
}
export function parseJson(content: Uint8Array, what: string): Fields {
  try {
    return fieldsOf(JSON.parse(Buffer.from(content).toString('utf8')));
  } catch (cause) {
    throw new DocumentError(`${what} is not JSON`, { cause });
  }
}
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
export function textsOf(value: unknown): readonly string[] {
  return listOf(value).filter((item) => typeof item === 'string');
}
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function descriptorOf(value: unknown): Descriptor {
  const fields = fieldsOf(value);
  const digest = textOf(fields.get('digest'));
  const size = fields.get('size');
  if (!isDigest(digest)) throw new DocumentError(`image manifest holds a bad digest "${digest}"`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw new DocumentError(`image manifest holds a bad size for ${digest}`);
  return {
    mediaType: textOf(fields.get('mediaType')),
    digest,
    size,
    platform: fieldsOf(fields.get('platform')),
    annotations: fieldsOf(fields.get('annotations')),
  };
}

export function manifestOf(fields: Fields): Manifest {
  const layers = listOf(fields.get('layers')).map(descriptorOf);
  if (!fields.has('config'))
    throw new DocumentError('image manifest has no config (schema version 1 is not supported)');
  if (layers.length > layersMax)
    throw new DocumentError(`image manifest holds ${layers.length} layers`);
  return { config: descriptorOf(fields.get('config')), layers };
}

export function isIndex(fields: Fields): boolean {
  return Array.isArray(fields.get('manifests'));
}

/** The one for this machine out of an index; the plain amd64 or arm64 before special variants. */
export function chooseManifest(fields: Fields): Descriptor {
  const all = listOf(fields.get('manifests')).map(descriptorOf);
  const architecture = own[process.arch] ?? process.arch;
  const fitting = all.filter(
    ({ platform }) =>
      platform.get('os') === 'linux' && platform.get('architecture') === architecture,
  );
  const variant = (descriptor: Descriptor): number =>
    ['', 'v8', 'v1'].includes(textOf(descriptor.platform.get('variant'))) ? 0 : 1;
  const best = fitting.toSorted((a, b) => variant(a) - variant(b))[0];
  const only = all.length === 1 && all[0]?.platform.size === 0 ? all[0] : undefined;
  const chosen = best ?? only;
  if (chosen !== undefined) return chosen;
  const offered = all.map(
    ({ platform }) => `${platform.get('os')}/${platform.get('architecture')}`,
  );
  throw new DocumentError(
    `no match for platform linux/${architecture} in manifest: it offers ${offered.join(', ')}`,
  );
}

export function configOf(content: Uint8Array): ConfigDocument {
  const fields = parseJson(content, 'image configuration');
  const config = fieldsOf(fields.get('config'));
  const diffIds = textsOf(fieldsOf(fields.get('rootfs')).get('diff_ids'));
  if (!diffIds.every(isDigest)) throw new DocumentError('image configuration holds a bad diff id');
  const stopSignal = textOf(config.get('StopSignal'));
  return {
    diffIds,
    architecture: textOf(fields.get('architecture')),
    os: textOf(fields.get('os')),
    config: {
      user: textOf(config.get('User')),
      env: textsOf(config.get('Env')),
      entrypoint: textsOf(config.get('Entrypoint')),
      cmd: textsOf(config.get('Cmd')),
      workingDir: textOf(config.get('WorkingDir')),
      stopSignal: stopSignal === '' ? undefined : stopSignal,
      volumes: [...fieldsOf(config.get('Volumes')).keys()],
    },
  };
}
