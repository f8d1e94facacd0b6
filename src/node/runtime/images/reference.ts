import { ImageError } from '../runtime.ts';

/** "docker.io/library/nginx:1.27" taken apart. */
export interface Reference {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

const referenceBytesMax = 4096;
const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^sha256:[a-f0-9]{64}$/;
const hostPattern =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;
export const dockerHub = 'docker.io';

/** As every container engine reads names: no registry means docker.io, no tag means latest. */
export function parseReference(text: string): Reference {
  const refuse = (why: string): never => {
    throw new ImageError(
      'InvalidImageName',
      `Failed to apply default image tag "${text.slice(0, 256)}": couldn't parse image name: ${why}`,
    );
  };
  if (text === '' || text.length > referenceBytesMax) refuse('invalid reference format');
  const [name = '', digest, ...more] = text.split('@');
  if (more.length > 0 || (digest !== undefined && !digestPattern.test(digest)))
    refuse('invalid reference format');
  const colon = name.lastIndexOf(':');
  const hasTag = colon > name.lastIndexOf('/');
  const path = hasTag ? name.slice(0, colon) : name;
  const tag = hasTag ? name.slice(colon + 1) : undefined;
  if (tag !== undefined && !tagPattern.test(tag)) refuse('invalid reference format');
  const slash = path.indexOf('/');
  const first = slash < 0 ? '' : path.slice(0, slash);
  const isHost = first.includes('.') || first.includes(':') || first === 'localhost';
  const registry = isHost ? first : dockerHub;
  const rest = isHost ? path.slice(slash + 1) : path;
  if (/[A-Z]/.test(rest)) refuse('invalid reference format: repository name must be lowercase');
  if (!hostPattern.test(registry) || !repositoryPattern.test(rest) || rest.length > 255)
    refuse('invalid reference format');
  const official = registry === dockerHub || registry === 'index.docker.io';
  return {
    registry: official ? dockerHub : registry,
    repository: official && !rest.includes('/') ? `library/${rest}` : rest,
    tag: tag ?? (digest === undefined ? 'latest' : undefined),
    digest,
  };
}

/** The full name: what the store files the image under. A digest makes the tag meaningless. */
export function nameOf(reference: Reference): string {
  const { registry, repository, tag, digest } = reference;
  const suffix = digest === undefined ? `:${tag ?? 'latest'}` : `@${digest}`;
  return `${registry}/${repository}${suffix}`;
}

export function isDigest(text: string): boolean {
  return digestPattern.test(text);
}
