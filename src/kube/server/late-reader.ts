import type { ObjectChange, Reader } from '#apiserver';
import type { KubeObject, ResourceName } from '#machinery';

/** A reader that can be handed out before the server it reads from exists. */
export interface LateReader extends Reader {
  bind(reader: Reader): void;
}

export function lateReader(): LateReader {
  let real: Reader | undefined;
  const waiting: ((reader: Reader) => void)[] = [];
  return {
    bind(reader) {
      real = reader;
      for (const subscribe of waiting.splice(0)) subscribe(reader);
    },
    get: (resource, name, namespace) => real?.get(resource, name, namespace),
    list: (resource, namespace) => real?.list(resource, namespace) ?? [],
    onChange<T extends KubeObject>(
      resource: ResourceName<T>,
      listener: (change: ObjectChange<T>) => void,
    ): Disposable {
      if (real !== undefined) return real.onChange(resource, listener);
      let watch: Disposable | undefined;
      let ended = false;
      waiting.push((reader) => {
        if (!ended) watch = reader.onChange(resource, listener);
      });
      return {
        [Symbol.dispose]() {
          ended = true;
          watch?.[Symbol.dispose]();
        },
      };
    },
  };
}
