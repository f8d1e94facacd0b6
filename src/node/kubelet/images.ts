import type { Clock } from '#base';
import type { Container, Pod } from '#kube/kinds';
import { ImageError } from '#node/runtime';
import type { Image, Images } from '#node/runtime';
import { Backoff } from './backoff.ts';
import { StartProblem, messageOf } from './errors.ts';
import { goDuration } from './quantity.ts';

/** Writes an event about one container of a Pod. */
export type ContainerEvent = (
  container: string,
  type: 'Normal' | 'Warning',
  about: { readonly reason: string; readonly message: string },
) => void;

const pullsMax = 4;
/** How long ErrImagePull stands before it turns into ImagePullBackOff. */
const errorShownMs = 1000;

/**
 * Gets images by pull policy, with the reference's events, texts and back-off (k8s kubelet/images).
 * Pulls of one name are shared; at most four run at once.
 */
export class ImageManager {
  readonly #images: Images;
  readonly #clock: Clock;
  readonly #backoffs = new Map<
    string,
    { readonly backoff: Backoff; failedMs: number; message: string }
  >();
  readonly #pulling = new Map<
    string,
    { readonly image: Promise<Image>; readonly signal: AbortSignal }
  >();
  readonly #lastUsedMs = new Map<string, number>();
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(images: Images, clock: Clock) {
    this.#images = images;
    this.#clock = clock;
  }

  /** The image to run; throws `StartProblem` with the waiting reason to show. */
  async ensure(
    pod: Pod,
    container: Container,
    options: {
      readonly secrets: () => Promise<readonly unknown[]>;
      readonly event: ContainerEvent;
      readonly signal: AbortSignal;
    },
  ): Promise<Image> {
    const reference = container.image ?? '';
    const quoted = JSON.stringify(reference);
    const key = `${pod.metadata.uid}_${reference}`;
    const present = await this.#resolve(container, options.event);
    const policy = container.imagePullPolicy ?? 'IfNotPresent';
    // A loaded image has no registry behind it: `Always` means the one that is here.
    if (present !== undefined && (policy !== 'Always' || present.loaded)) {
      options.event(container.name, 'Normal', {
        reason: 'Pulled',
        message: `Container image ${quoted} already present on machine and can be accessed by the pod`,
      });
      this.#lastUsedMs.set(present.id, this.#clock.nowMs());
      return present;
    }
    if (policy === 'Never') {
      const message = `Container image ${quoted} is not present with pull policy of Never`;
      options.event(container.name, 'Warning', { reason: 'ErrImageNeverPull', message });
      throw new StartProblem('ErrImageNeverPull', message);
    }
    this.#refuseWhileBackingOff(key, container, options.event);
    return await this.#pullFor(key, container, options);
  }

  forgetPod(uid: string): void {
    for (const key of this.#backoffs.keys())
      if (key.startsWith(`${uid}_`)) this.#backoffs.delete(key);
  }

  lastUsedMs(id: string): number | undefined {
    return this.#lastUsedMs.get(id);
  }

  used(id: string): void {
    this.#lastUsedMs.set(id, this.#clock.nowMs());
  }

  async #resolve(container: Container, event: ContainerEvent): Promise<Image | undefined> {
    try {
      return await this.#images.resolve(container.image ?? '');
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      const quoted = JSON.stringify(container.image ?? '');
      const message = `Failed to apply default image tag ${quoted}: couldn't parse image name ${quoted}: ${error.message}`;
      event(container.name, 'Warning', { reason: 'InspectFailed', message });
      throw new StartProblem('InvalidImageName', message, { cause: error });
    }
  }

  #refuseWhileBackingOff(key: string, container: Container, event: ContainerEvent): void {
    const entry = this.#backoffs.get(key);
    const due = entry?.backoff.until(entry.failedMs);
    if (entry === undefined || due === undefined || due.atMs <= this.#clock.nowMs()) return;
    const text = `Back-off pulling image ${JSON.stringify(container.image)}`;
    event(container.name, 'Normal', { reason: 'BackOff', message: text });
    throw new StartProblem('ImagePullBackOff', `${text}: ${entry.message}`, {
      retryAtMs: due.atMs,
    });
  }

  async #pullFor(
    key: string,
    container: Container,
    options: {
      readonly secrets: () => Promise<readonly unknown[]>;
      readonly event: ContainerEvent;
      readonly signal: AbortSignal;
    },
  ): Promise<Image> {
    const quoted = JSON.stringify(container.image);
    options.event(container.name, 'Normal', {
      reason: 'Pulling',
      message: `Pulling image ${quoted}`,
    });
    const askedMs = this.#clock.monotonicMs();
    try {
      const timing = { startMs: askedMs };
      const image = await this.#pull(container.image ?? '', options, timing);
      const endMs = this.#clock.monotonicMs();
      const took = goDuration(Math.round(endMs - timing.startMs));
      const whole = goDuration(Math.round(endMs - askedMs));
      options.event(container.name, 'Normal', {
        reason: 'Pulled',
        message: `Successfully pulled image ${quoted} in ${took} (${whole} including waiting). Image size: ${image.bytes} bytes.`,
      });
      this.#backoffs.delete(key);
      this.#lastUsedMs.set(image.id, this.#clock.nowMs());
      return image;
    } catch (error) {
      if (options.signal.aborted) throw error;
      throw this.#failed(key, container, { error, event: options.event });
    }
  }

  #failed(
    key: string,
    container: Container,
    about: { readonly error: unknown; readonly event: ContainerEvent },
  ): StartProblem {
    const nowMs = this.#clock.nowMs();
    const reason = about.error instanceof ImageError ? about.error.reason : 'ErrImagePull';
    const detail = messageOf(about.error);
    about.event(container.name, 'Warning', {
      reason: 'Failed',
      message: `Failed to pull image ${JSON.stringify(container.image)}: ${detail}`,
    });
    const entry = this.#backoffs.get(key) ?? {
      backoff: new Backoff({ firstMs: 10_000, maxMs: 300_000 }),
      failedMs: nowMs,
      message: '',
    };
    entry.backoff.next(nowMs, nowMs);
    entry.failedMs = nowMs;
    entry.message = `${reason}: ${detail}`;
    this.#backoffs.set(key, entry);
    // Shown as it is for a moment; from the next look on it is the back-off that is waited for.
    return new StartProblem(reason, detail, { retryAtMs: nowMs + errorShownMs });
  }

  async #pull(
    reference: string,
    options: {
      readonly secrets: () => Promise<readonly unknown[]>;
      readonly signal: AbortSignal;
    },
    timing: { startMs: number },
  ): Promise<Image> {
    const secrets = await options.secrets();
    const shareable = secrets.length === 0;
    const shared = shareable ? this.#pulling.get(reference) : undefined;
    if (shared !== undefined)
      try {
        return await shared.image;
      } catch (error) {
        // Its Pod was deleted, not the image refused: pull for ourselves.
        if (!shared.signal.aborted) throw error;
      }
    const pull = this.#bounded(() => {
      timing.startMs = this.#clock.monotonicMs();
      return this.#images.pull(reference, { secrets, signal: options.signal });
    });
    if (!shareable) return await pull;
    this.#pulling.set(reference, { image: pull, signal: options.signal });
    try {
      return await pull;
    } finally {
      this.#pulling.delete(reference);
    }
  }

  async #bounded<T>(action: () => Promise<T>): Promise<T> {
    if (this.#running >= pullsMax)
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    this.#running++;
    try {
      return await action();
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }
}

/** Docker config documents in pull secrets; what cannot be read is left out. */
export function dockerConfigOf(secret: {
  readonly type: string;
  readonly data: ReadonlyMap<string, Uint8Array>;
}): unknown {
  const whole = secret.data.get('.dockerconfigjson');
  const legacy = secret.data.get('.dockercfg');
  try {
    if (whole !== undefined) return JSON.parse(Buffer.from(whole).toString());
    if (legacy !== undefined) return { auths: JSON.parse(Buffer.from(legacy).toString()) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return undefined;
}
