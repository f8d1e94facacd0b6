import type { Caller, MessageCodec } from '#mesos/protocol';
import type { ExecutorRecord, FrameworkRecord, TaskRecord } from '../../core/records.ts';

/** What a caller may see: everything else is left out of the documents. */
export class View {
  readonly codec: MessageCodec;
  readonly #caller: Caller;

  constructor(codec: MessageCodec, caller: Caller) {
    this.codec = codec;
    this.#caller = caller;
  }

  get flags(): boolean {
    return this.#caller.allows('view_flags');
  }
  role(role: string): boolean {
    return this.#caller.allows('view_roles', { role });
  }
  framework(framework: FrameworkRecord): boolean {
    const { id, info, namespace } = framework;
    const about = { frameworkID: id, frameworkName: info.name, namespace, user: info.user };
    return this.#caller.allows('view_frameworks', about);
  }
  task(framework: FrameworkRecord, { info }: TaskRecord): boolean {
    return this.#caller.allows('view_tasks', {
      frameworkID: framework.id,
      namespace: framework.namespace,
      user: info.command?.user ?? framework.info.user,
    });
  }
  executor(framework: FrameworkRecord, { info }: ExecutorRecord): boolean {
    return this.#caller.allows('view_executors', {
      frameworkID: framework.id,
      namespace: framework.namespace,
      user: info.command?.user ?? framework.info.user,
    });
  }
}
