import type { HttpApiOptions } from './http-api.ts';

/** A kubeconfig that cannot be used, in words a person can act on. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
}

/** What `mergeKubeconfig` writes: one cluster, one user, one context of the same name. */
export interface KubeconfigEntry {
  readonly name: string;
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly token?: string | undefined;
  readonly namespace?: string | undefined;
}

export type KubeconfigConnection = Pick<
  HttpApiOptions,
  'server' | 'ca' | 'cert' | 'key' | 'token' | 'insecureSkipVerify' | 'serverName'
> & { readonly context: string; readonly namespace: string };

export interface LoadKubeconfigOptions {
  readonly context?: string | undefined;
  /** Reads a file that the kubeconfig names; relative names are against the kubeconfig's folder. */
  readonly readFile: (path: string) => Promise<string>;
}

type Fields = Record<string, unknown>;

/** How to reach the server that a kubeconfig's (current) context names. */
export async function loadKubeconfig(
  text: string,
  options: LoadKubeconfigOptions,
): Promise<KubeconfigConnection> {
  const config = await parse(text);
  const contextName = options.context ?? stringOf(config['current-context']);
  if (contextName === undefined || contextName === '')
    throw new KubeconfigError('Cannot use kubeconfig: it has no current-context');
  const context = fieldsOf(named(config, 'contexts', contextName), 'context');
  const cluster = fieldsOf(named(config, 'clusters', stringOf(context['cluster'])), 'cluster');
  const user = fieldsOf(named(config, 'users', stringOf(context['user'])), 'user');
  if (user['exec'] !== undefined || user['auth-provider'] !== undefined)
    throw new KubeconfigError(
      `Cannot use kubeconfig: user "${stringOf(context['user'])}" gets its credentials from a plugin, which is not supported`,
    );
  const server = stringOf(cluster['server']);
  if (server === undefined)
    throw new KubeconfigError(`Cannot use kubeconfig: context "${contextName}" names no server`);
  const data = async (from: Fields, field: string): Promise<string | undefined> => {
    const inline = stringOf(from[`${field}-data`]);
    if (inline !== undefined && inline !== '')
      return Buffer.from(inline, 'base64').toString('utf8');
    const path = stringOf(from[field]);
    return path === undefined || path === '' ? undefined : options.readFile(path);
  };
  const tokenPath = stringOf(user['tokenFile']);
  return {
    context: contextName,
    namespace: stringOf(context['namespace']) ?? 'default',
    server,
    ca: await data(cluster, 'certificate-authority'),
    cert: await data(user, 'client-certificate'),
    key: await data(user, 'client-key'),
    token:
      stringOf(user['token']) ??
      (tokenPath === undefined ? undefined : (await options.readFile(tokenPath)).trim()),
    insecureSkipVerify: cluster['insecure-skip-tls-verify'] === true,
    serverName: stringOf(cluster['tls-server-name']),
  };
}

/**
 * The kubeconfig `existing` with `entry` in it and as its current context. Everything else stays as
 * it is; an entry of the same name is replaced. Throws `KubeconfigError` when `existing` cannot be
 * parsed: then the file must be left alone.
 */
export async function mergeKubeconfig(
  existing: string | undefined,
  entry: KubeconfigEntry,
): Promise<string> {
  const config = await parse(existing ?? '');
  const { name, server, ca, cert, key, token, namespace } = entry;
  put(config, 'clusters', { name, cluster: { server, 'certificate-authority-data': base64(ca) } });
  put(config, 'users', {
    name,
    user: {
      ...(cert === undefined ? {} : { 'client-certificate-data': base64(cert) }),
      ...(key === undefined ? {} : { 'client-key-data': base64(key) }),
      ...(token === undefined ? {} : { token }),
    },
  });
  put(config, 'contexts', {
    name,
    context: { cluster: name, ...(namespace === undefined ? {} : { namespace }), user: name },
  });
  config['current-context'] = name;
  return dump(config);
}

/** The current-context of a kubeconfig; undefined when there is none. For `destroy` to give back. */
export async function currentContext(existing: string | undefined): Promise<string | undefined> {
  return stringOf((await parse(existing ?? ''))['current-context']) || undefined;
}

/**
 * The kubeconfig without what `mergeKubeconfig` put there. The current context goes back to
 * `previous` when it was ours and `previous` still exists; undefined when nothing is left at all.
 */
export async function removeFromKubeconfig(
  existing: string,
  name: string,
  previous: string | undefined,
): Promise<string | undefined> {
  const config = await parse(existing);
  for (const list of ['clusters', 'users', 'contexts'])
    config[list] = listOf(config, list).filter((item) => item['name'] !== name);
  if (config['current-context'] === name) {
    const back = listOf(config, 'contexts').some((item) => item['name'] === previous);
    config['current-context'] = back ? previous : '';
  }
  const left = ['clusters', 'users', 'contexts'].some((list) => listOf(config, list).length > 0);
  return left ? dump(config) : undefined;
}

async function parse(text: string): Promise<Fields> {
  if (text.trim() === '') return empty();
  const yaml = await import('js-yaml');
  let value: unknown;
  try {
    value = yaml.load(text);
  } catch (cause) {
    const line = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new KubeconfigError(`Cannot parse kubeconfig: ${line}`, { cause });
  }
  if (value === null || value === undefined) return empty();
  if (!isFields(value)) throw new KubeconfigError('Cannot parse kubeconfig: it is not a mapping');
  if (value['kind'] !== undefined && value['kind'] !== 'Config')
    throw new KubeconfigError(
      `Cannot parse kubeconfig: its kind is "${String(value['kind'])}", not "Config"`,
    );
  for (const list of ['clusters', 'users', 'contexts']) {
    const items = value[list];
    if (items !== undefined && items !== null && !(Array.isArray(items) && items.every(isFields)))
      throw new KubeconfigError(`Cannot parse kubeconfig: "${list}" is not a list of mappings`);
  }
  return value;
}

function empty(): Fields {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [],
    contexts: [],
    'current-context': '',
    preferences: {},
    users: [],
  };
}

async function dump(config: Fields): Promise<string> {
  const yaml = await import('js-yaml');
  return yaml.dump(config, { lineWidth: -1, noRefs: true });
}

function put(config: Fields, list: string, item: Fields): void {
  const items = listOf(config, list);
  const at = items.findIndex((one) => one['name'] === item['name']);
  config[list] = at < 0 ? [...items, item] : items.with(at, item);
}

function listOf(config: Fields, list: string): Fields[] {
  const items = config[list];
  return Array.isArray(items) ? items.filter(isFields) : [];
}

function named(config: Fields, list: string, name: string | undefined): Fields {
  const item = listOf(config, list).find((one) => one['name'] === name);
  if (item === undefined)
    throw new KubeconfigError(`Cannot use kubeconfig: "${list}" has no "${name ?? ''}"`);
  return item;
}

function fieldsOf(item: Fields, field: string): Fields {
  const value = item[field];
  return isFields(value) ? value : {};
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
