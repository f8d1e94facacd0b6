import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import type { Clock } from '#base';
import type { RegistryOptions } from '../options.ts';
import { ImageError, type PullOptions } from '../runtime.ts';
import { isMissing, messageOf } from '../oci/namespace.ts';
import { chooseManifest, isIndex, manifestOf, parseJson } from './documents.ts';
import type { Descriptor, Fields } from './documents.ts';
import { Http, TransferError } from './http.ts';
import { withLock } from './lock.ts';
import { nameOf, type Reference } from './reference.ts';
import { endpointsOf, isUnreachable, RegistryError, Session } from './registry.ts';
import { digestOf, type Store } from './store.ts';

export interface PulledImage {
  /** Of what the name pointed to: the index, if it was one. */
  readonly digest: string;
  readonly config: Uint8Array;
  readonly layers: readonly PulledLayer[];
}
export interface PulledLayer {
  readonly bytes: number;
  /** The verified blob as a file. */
  fetch(): Promise<string>;
  discard(): Promise<void>;
}

const manifestBytesMax = 4 * 1024 * 1024;
const configBytesMax = 8 * 1024 * 1024;
const blobBytesMax = 64 * 1024 ** 3;
const triesMax = 6;
const backoffMs = 500;

/** Brings images from registries. What was transferred of a blob stays and is resumed. */
export class Puller {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #registries: () => RegistryOptions;
  /** One for each reading of the settings: pulls under way keep theirs. */
  readonly #connections = new Map<RegistryOptions, Http>();

  constructor(options: { store: Store; clock: Clock; registries: () => RegistryOptions }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#registries = options.registries;
  }

  async close(): Promise<void> {
    for (const http of this.#connections.values()) http.close();
  }

  #connect(options: RegistryOptions): Http {
    const http = this.#connections.get(options) ?? new Http(options, this.#clock);
    this.#connections.set(options, http);
    return http;
  }

  async pull(reference: Reference, options: PullOptions): Promise<PulledImage> {
    const failures: unknown[] = [];
    const settings = this.#registries();
    const http = this.#connect(settings);
    const secrets = [...options.secrets, ...(settings.credentials ?? [])];
    for (const endpoint of endpointsOf(reference, settings)) {
      const session = new Session(http, endpoint, { reference, secrets });
      try {
        return await this.#from(session, reference, options);
      } catch (cause) {
        options.signal.throwIfAborted();
        failures.push(cause);
      }
    }
    throw refusal(reference, failures);
  }

  async #from(session: Session, reference: Reference, options: PullOptions): Promise<PulledImage> {
    const { signal } = options;
    const wanted = reference.digest ?? reference.tag ?? 'latest';
    const top = await this.#manifest(session, wanted, signal);
    const chosen = isIndex(top.fields)
      ? await this.#manifest(session, chooseManifest(top.fields).digest, signal)
      : top;
    const manifest = manifestOf(chosen.fields);
    const config = await this.#small(session, manifest.config, signal);
    const progress = new Progress(manifest.layers, options);
    const layers = manifest.layers.map((descriptor) => {
      const path = this.#store.path('ingest', descriptor.digest.replace(':', '-'));
      return {
        bytes: descriptor.size,
        fetch: () => this.#fetch(session, descriptor, { path, progress, signal }),
        discard: () => rm(path, { force: true }),
      };
    });
    return { digest: top.digest, config, layers };
  }

  async #manifest(
    session: Session,
    version: string,
    signal: AbortSignal,
  ): Promise<{ readonly digest: string; readonly fields: Fields }> {
    const answer = await session.manifest(version, signal);
    const content = await session.http.read(answer, manifestBytesMax);
    const digest = digestOf(content);
    if (version.startsWith('sha256:') && digest !== version)
      throw new Error(`${session.host} sent ${digest} for ${version}`);
    return { digest, fields: parseJson(content, `manifest from ${session.host}`) };
  }

  async #small(session: Session, blob: Descriptor, signal: AbortSignal): Promise<Buffer> {
    if (blob.size > configBytesMax) throw new Error('image configuration is too long');
    const content = await session.http.read(
      await session.blob(blob.digest, 0, signal),
      configBytesMax,
    );
    const digest = digestOf(content);
    if (digest !== blob.digest)
      throw new Error(`${session.host} sent ${digest} for ${blob.digest}`);
    return content;
  }

  #fetch(
    session: Session,
    blob: Descriptor,
    to: { readonly path: string; readonly progress: Progress; readonly signal: AbortSignal },
  ): Promise<string> {
    if (blob.size > blobBytesMax) throw new Error(`layer ${blob.digest} is too long`);
    const lock = this.#store.path('locks', `blob-${blob.digest.slice('sha256:'.length, 23)}`);
    return withLock(lock, { clock: this.#clock, signal: to.signal }, async () => {
      for (let turn = 0, idle = 0; ; turn++) {
        const before = await sizeOf(to.path);
        if (before === blob.size) break;
        try {
          await this.#transfer(session, blob, to);
        } catch (cause) {
          to.signal.throwIfAborted();
          const moved = (await sizeOf(to.path)) > before;
          idle = moved ? 0 : idle + 1;
          // Broken on the way: go on where it stopped. Refused or lied to: no.
          if (!(cause instanceof TransferError) || idle >= triesMax || turn >= 1_000) throw cause;
          await this.#clock.sleep(backoffMs * 2 ** idle, to.signal);
        }
      }
      await verify(to.path, blob, session.host);
      return to.path;
    });
  }

  async #transfer(
    session: Session,
    blob: Descriptor,
    to: { readonly path: string; readonly progress: Progress; readonly signal: AbortSignal },
  ): Promise<void> {
    let have = await sizeOf(to.path);
    if (have > blob.size) have = 0;
    const answer = await session.blob(blob.digest, have, to.signal);
    const resumed =
      answer.status === 206 &&
      answer.headers['content-range']?.startsWith(`bytes ${have}-`) === true;
    let at = resumed ? have : 0;
    const file = await open(to.path, resumed ? 'a' : 'w', 0o600);
    try {
      to.progress.set(blob.digest, at);
      for await (const chunk of session.http.chunks(answer)) {
        at += chunk.length;
        if (at > blob.size)
          throw new Error(
            `${session.host} sent more for ${blob.digest} than its ${blob.size} bytes`,
          );
        await file.write(chunk);
        to.progress.set(blob.digest, at);
      }
    } finally {
      await file.close();
    }
    if (at < blob.size)
      throw new TransferError(`${session.host} sent only ${at} of ${blob.size} bytes`);
  }
}

class Progress {
  readonly #done = new Map<string, number>();
  readonly #total: number;
  readonly #tell: PullOptions['onProgress'];
  constructor(layers: readonly Descriptor[], options: PullOptions) {
    this.#total = layers.reduce((sum, layer) => sum + layer.size, 0);
    this.#tell = options.onProgress;
  }
  set(digest: string, bytes: number): void {
    this.#done.set(digest, bytes);
    if (this.#tell === undefined) return;
    const doneBytes = [...this.#done.values()].reduce((sum, done) => sum + done, 0);
    this.#tell({ doneBytes, totalBytes: this.#total });
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    if (isMissing(cause)) return 0;
    throw cause;
  }
}

/** A blob that is not what its digest says is thrown away, or it would be found again. */
async function verify(path: string, blob: Descriptor, host: string): Promise<void> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }))
    hash.update(chunk);
  const digest = `sha256:${hash.digest('hex')}`;
  if (digest === blob.digest) return;
  await rm(path, { force: true });
  throw new Error(`${host} sent a layer whose digest is ${digest}, not ${blob.digest}`);
}

/** One sentence that says what went wrong and what to do about it. */
function refusal(reference: Reference, failures: readonly unknown[]): ImageError {
  const name = nameOf(reference).replace(/^docker\.io\/(library\/)?/, '');
  const why = failures.map(messageOf).join('; ');
  const cause = failures[0];
  const absent = failures.every(
    (failure) =>
      isUnreachable(failure) ||
      (failure instanceof RegistryError && [401, 403, 404].includes(failure.status)),
  );
  const hint = `load it with "tandem image load FILE" or push it`;
  if (!absent)
    return new ImageError('ErrImagePull', `failed to pull image "${name}": ${why}`, { cause });
  const reason = failures.every(isUnreachable) ? 'RegistryUnavailable' : 'ErrImagePull';
  return new ImageError(
    reason,
    `no registry has "${name}" and it was not loaded: ${hint} (${why})`,
    { cause },
  );
}
