import { credentialsFor, type Credentials } from './credentials.ts';
import { fieldsOf, parseJson, textOf } from './documents.ts';
import { Http, TransferError, type Answer } from './http.ts';
import { dockerHub, type Reference } from './reference.ts';

/** A registry answered, and the answer is no. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const tokenBytesMax = 1024 * 1024;
const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

export interface Endpoint {
  /** "https://registry.example/v2/library/nginx" */
  readonly base: string;
  readonly host: string;
  /** Not the registry that the name means: it gets credentials of its own only. */
  readonly mirror: boolean;
}

/** Where to look for an image: its mirrors, then its registry; loopback by http after https. */
export function endpointsOf(
  reference: Reference,
  options: {
    readonly mirrors?: Readonly<Record<string, readonly string[]>>;
    readonly insecure?: readonly string[];
  },
): readonly Endpoint[] {
  const { registry, repository } = reference;
  const mirrors = options.mirrors?.[registry] ?? options.mirrors?.['*'] ?? [];
  const host = registry === dockerHub ? 'registry-1.docker.io' : registry;
  const open = isLoopback(host) || (options.insecure ?? []).some((one) => one === host);
  const own = open ? [`http://${host}`, `https://${host}`] : [`https://${host}`];
  return [...mirrors, ...own].map((url, index) => {
    const parsed = new URL(url.includes('://') ? url : `https://${url}`);
    const path = parsed.pathname.replace(/\/+$/, '').replace(/\/v2$/, '');
    return {
      base: `${parsed.origin}${path}/v2/${repository}`,
      host: parsed.host,
      mirror: index < mirrors.length,
    };
  });
}

export function isLoopback(host: string): boolean {
  const name = host.startsWith('[') ? host.slice(1, host.indexOf(']')) : host.replace(/:\d+$/, '');
  return name === 'localhost' || name === '::1' || /^127(?:\.\d{1,3}){3}$/.test(name);
}

/** One image's conversation with one endpoint; remembers how it got in. */
export class Session {
  readonly #http: Http;
  readonly #endpoint: Endpoint;
  readonly #repository: string;
  readonly #credentials: readonly Credentials[];
  #authorization: string | undefined;

  constructor(
    http: Http,
    endpoint: Endpoint,
    options: {
      readonly reference: Reference;
      readonly secrets: readonly unknown[];
    },
  ) {
    this.#http = http;
    this.#endpoint = endpoint;
    this.#repository = options.reference.repository;
    const { reference, secrets } = options;
    const meant = endpoint.mirror ? { ...reference, registry: endpoint.host } : reference;
    this.#credentials = credentialsFor(meant, secrets);
  }

  get host(): string {
    return this.#endpoint.host;
  }
  get http(): Http {
    return this.#http;
  }

  manifest(version: string, signal: AbortSignal): Promise<Answer> {
    return this.#get(`manifests/${version}`, { accept: manifestTypes }, signal);
  }
  blob(digest: string, fromByte: number, signal: AbortSignal): Promise<Answer> {
    const range: Record<string, string> = fromByte > 0 ? { range: `bytes=${fromByte}-` } : {};
    return this.#get(`blobs/${digest}`, { 'accept-encoding': 'identity', ...range }, signal);
  }

  async #get(
    path: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Answer> {
    const url = new URL(`${this.#endpoint.base}/${path}`);
    const asking = async (): Promise<Answer> => {
      const { authorization } = { authorization: this.#authorization };
      const own: Record<string, string> = authorization === undefined ? {} : { authorization };
      return this.#http.ask(url, { headers: { ...headers, ...own }, signal });
    };
    let answer = await asking();
    const challenge = answer.headers['www-authenticate'];
    if (answer.status === 401 && challenge !== undefined) {
      answer.body.resume();
      // Without credentials first: a public image needs none, and a wrong password must not hide it.
      for (const credentials of [...this.#credentials, undefined]) {
        this.#authorization = await this.#answerTo(challenge, credentials, signal);
        if (this.#authorization === undefined) continue;
        answer = await asking();
        if (answer.status !== 401) break;
        answer.body.resume();
      }
    }
    if (answer.status < 400) return answer;
    throw await this.#refusal(answer, path);
  }

  async #refusal(answer: Answer, path: string): Promise<RegistryError> {
    const content = answer.body.destroyed
      ? Buffer.alloc(0)
      : await this.#http.read(answer, tokenBytesMax).catch(() => Buffer.alloc(0));
    let said = '';
    try {
      const [first] = Array.from(parseJson(content, 'answer').get('errors') as Iterable<unknown>);
      const fields = fieldsOf(first);
      said = [textOf(fields.get('code')).toLowerCase(), textOf(fields.get('message'))]
        .filter(Boolean)
        .join(': ');
    } catch (cause) {
      said = cause instanceof Error ? '' : String(cause);
    }
    const detail = said === '' ? '' : ` (${said.slice(0, 300)})`;
    return new RegistryError(
      answer.status,
      `${this.host} answered ${answer.status} for ${this.#repository}/${path}${detail}`,
    );
  }

  /** The Authorization header that a challenge asks for, or undefined when it cannot be had. */
  async #answerTo(
    challenge: string,
    credentials: Credentials | undefined,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { scheme, fields } = parseChallenge(challenge);
    if (scheme === 'basic') return credentials === undefined ? undefined : basic(credentials);
    if (scheme !== 'bearer') return undefined;
    if (credentials !== undefined && credentials.registryToken !== '')
      return `Bearer ${credentials.registryToken}`;
    const realm = fields.get('realm');
    if (realm === undefined || !URL.canParse(realm)) return undefined;
    const token = await this.#token(new URL(realm), { fields, credentials, signal });
    return token === '' ? undefined : `Bearer ${token}`;
  }

  async #token(
    realm: URL,
    how: {
      readonly fields: ReadonlyMap<string, string>;
      readonly credentials: Credentials | undefined;
      readonly signal: AbortSignal;
    },
  ): Promise<string> {
    const { fields, credentials, signal } = how;
    const service = fields.get('service') ?? '';
    const scope = fields.get('scope') ?? `repository:${this.#repository}:pull`;
    const answer =
      credentials !== undefined && credentials.identityToken !== ''
        ? await this.#http.ask(realm, {
            method: 'POST',
            headers: { 'content-type': 'application/x-www-form-urlencoded' },
            body: new URLSearchParams({
              grant_type: 'refresh_token',
              client_id: 'tandem',
              service,
              scope,
              refresh_token: credentials.identityToken,
            }).toString(),
            signal,
          })
        : await this.#http.ask(withQuery(realm, { service, scope }), {
            headers: credentials === undefined ? {} : { authorization: basic(credentials) },
            signal,
          });
    const content = await this.#http.read(answer, tokenBytesMax);
    if (answer.status >= 400) return '';
    const said = parseJson(content, `answer of ${realm.host}`);
    return textOf(said.get('token')) || textOf(said.get('access_token'));
  }
}

function withQuery(url: URL, query: Readonly<Record<string, string>>): URL {
  const whole = new URL(url);
  for (const [name, value] of Object.entries(query))
    if (value !== '') whole.searchParams.set(name, value);
  return whole;
}
function basic({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** `Bearer realm="https://...",service="...",scope="..."` */
export function parseChallenge(text: string): {
  readonly scheme: string;
  readonly fields: ReadonlyMap<string, string>;
} {
  const at = text.indexOf(' ');
  const scheme = (at < 0 ? text : text.slice(0, at)).toLowerCase();
  const fields = new Map<string, string>();
  for (const match of text.slice(scheme.length).matchAll(/([a-zA-Z]+)=(?:"([^"]*)"|([^,\s]+))/g))
    fields.set((match[1] ?? '').toLowerCase(), match[2] ?? match[3] ?? '');
  return { scheme, fields };
}

export function isUnreachable(cause: unknown): boolean {
  return cause instanceof TransferError;
}
