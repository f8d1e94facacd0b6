import type { Container, Runtime } from '#node/runtime';
import { containerLabels } from './names.ts';

/** The newest container of each name of each Pod: the runtime only lists them all. */
export class ContainerIndex {
  readonly #runtime: Runtime;
  readonly #ids = new Map<string, string>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    for (const container of runtime.containers()) this.note(container);
  }

  note(container: Container): void {
    const podUid = container.spec.labels[containerLabels.uid];
    if (podUid === undefined) return;
    const key = `${podUid}/${container.spec.name}`;
    const known = this.#at(key);
    const newer =
      known === undefined ||
      container.spec.attempt > known.spec.attempt ||
      container.createdMs >= known.createdMs;
    if (newer) this.#ids.set(key, container.id);
  }

  newest(podUid: string, name: string): Container | undefined {
    return this.#at(`${podUid}/${name}`);
  }

  forget(podUid: string): void {
    for (const key of this.#ids.keys()) if (key.startsWith(`${podUid}/`)) this.#ids.delete(key);
  }

  #at(key: string): Container | undefined {
    const id = this.#ids.get(key);
    const container = id === undefined ? undefined : this.#runtime.container(id);
    if (id !== undefined && container === undefined) this.#ids.delete(key);
    return container;
  }
}
