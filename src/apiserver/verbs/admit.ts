import type { Draft, KubeObject } from '#machinery';
import type { Call, Core } from '../core.ts';
import type { AdmissionRequest, Operation } from '../seams.ts';

/** One write's way through the admission plugins. */
export class Admission {
  readonly #core: Core;
  readonly request: AdmissionRequest;
  #began = false;

  constructor(
    core: Core,
    call: Call,
    facts: {
      readonly operation: Operation;
      readonly object: Draft<KubeObject> | undefined;
      readonly old?: KubeObject | undefined;
      readonly name?: string;
    },
  ) {
    this.#core = core;
    this.request = {
      operation: facts.operation,
      kind: call.kind,
      subresource: call.subresource,
      namespace: call.namespace,
      name: facts.name ?? call.name,
      user: call.user,
      dryRun: call.dryRun,
      object: facts.object,
      old: facts.old,
      options: call.options,
      warn: (text) => call.warn(text),
    };
  }

  async mutate(): Promise<void> {
    this.#began = true;
    for (const plugin of this.#core.admission) {
      // Most answer at once; waiting for them would cost a turn of the queue each.
      const answer = plugin.mutate?.(this.request);
      if (answer !== undefined) await answer;
    }
  }

  async validate(): Promise<void> {
    this.#began = true;
    for (const plugin of this.#core.admission) {
      const answer = plugin.validate?.(this.request);
      if (answer !== undefined) await answer;
    }
  }

  settle(committed: boolean): void {
    if (!this.#began) return;
    for (const plugin of this.#core.admission) plugin.settle?.(this.request, committed);
  }
}
