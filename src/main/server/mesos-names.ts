import type { Door, Reader } from '#apiserver';
import type { StreamBody } from '#base';
import { systemClock } from '#io';
import { tasks } from '#mesos/kinds';
import type { Task } from '#mesos/kinds';

/**
 * GET `agents/<node>/names`: the running tasks, as far as names are made of them. The agents answer
 * for all of Mesos' names, and may see no other's tasks as they are.
 */
export class MesosNamesFeed {
  #reader: Reader | undefined;
  #feed: Promise<StreamBody> | undefined;

  readonly door: Door = {
    group: 'mesos.tandem.dev',
    resource: 'agents',
    subresource: 'names',
    handle: async () => ({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: await (this.#feed ??= this.#make()),
    }),
  };

  /** Before the first request. */
  reads(reader: Reader): void {
    this.#reader = reader;
  }

  async #make(): Promise<StreamBody> {
    const reader = this.#reader;
    if (reader === undefined) throw new Error('Names are asked for before the server serves');
    const { TaskFeed } = await (await import('#net/dns')).loadMesosDns();
    const source = {
      list: () => reader.list(tasks),
      onChange: (listener: (key: string, task: Task | undefined) => void) =>
        reader.onChange(tasks, ({ key, object }) => listener(key, object)),
    };
    return new TaskFeed(source, systemClock).body;
  }
}
