import type { Pod } from '#kube/kinds';
import type { PodExtension } from './extension.ts';

/** Why a container counts as ended although it never ran. */
export interface Refusal {
  readonly reason: string;
  readonly message: string;
  readonly atMs: number;
}

/** What a status says of such a container: as of one whose command could not be started. */
export const refusedExitCode = 128;

/**
 * Containers of one Pod that the node's extension refused. They are not tried again, not by a
 * restarted agent either: the Pod's status remembers them.
 */
export class NeverStarted {
  readonly #extension: PodExtension | undefined;
  readonly #nowMs: () => number;
  readonly #known = new Map<string, Refusal>();

  constructor(extension: PodExtension | undefined, nowMs: () => number) {
    this.#extension = extension;
    this.#nowMs = nowMs;
  }

  add(
    name: string,
    { reason, message }: { readonly reason: string; readonly message: string },
  ): void {
    if (!this.#known.has(name)) this.#known.set(name, { reason, message, atMs: this.#nowMs() });
  }

  /** Of a container that the runtime does not have. */
  of(pod: Pod, name: string): Refusal | undefined {
    const known = this.#known.get(name);
    if (known !== undefined || this.#extension?.handles(pod) !== true) return known;
    const forbidden = this.#extension.forbids?.(pod, name);
    if (forbidden !== undefined) this.add(name, forbidden);
    else this.#recall(pod, name);
    return this.#known.get(name);
  }

  #recall(pod: Pod, name: string): void {
    const told = pod.status?.containerStatuses?.find((status) => status.name === name);
    const end = told?.state.terminated;
    if (end?.exitCode !== refusedExitCode || (end.containerID ?? '') !== '') return;
    const { reason = '', message = '', finishedAt } = end;
    const atMs = finishedAt === undefined ? this.#nowMs() : Date.parse(finishedAt);
    this.#known.set(name, { reason, message, atMs });
  }
}
