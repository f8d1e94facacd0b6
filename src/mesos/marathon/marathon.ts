import type { Face, FaceReply } from '#base';
import { appGroups, namespaceOf } from '#mesos/kinds';
import type { Engine } from './engine/engine.ts';
import type { Marathon, MarathonOptions } from './engine/options.ts';

/**
 * Marathon over the store and a link to the master. Nothing of it is loaded, and no framework is
 * registered, before there is something to run or somebody asks.
 */
export function createMarathon(options: MarathonOptions): Marathon {
  const asked = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<{ readonly engine: Engine; readonly face: Face }>();
  let engine: Engine | undefined;
  let face: Face | undefined;
  let running = false;
  return {
    async face(request) {
      if (face !== undefined) return face(request);
      asked.resolve();
      if (!running) return notYet;
      ({ face } = await opened.promise);
      return face(request);
    },
    async run(signal) {
      running = true;
      const stop = (): void => asked.resolve();
      signal.addEventListener('abort', stop, { once: true });
      if (!(await hasState(options))) await asked.promise;
      if (signal.aborted) {
        running = false;
        return;
      }
      const [{ openEngine }, { createFace }] = await Promise.all([
        import('./engine/engine.ts'),
        import('./face/face.ts'),
      ]);
      engine = await openEngine(options);
      opened.resolve({ engine, face: createFace(engine) });
      try {
        await engine.run(signal);
      } finally {
        running = false;
        face = undefined;
      }
    },
    check: () => engine?.check(),
  };
}

const notYet: FaceReply = {
  status: 503,
  headers: { 'Content-Type': 'application/json' },
  body: new TextEncoder().encode('{"message":"Marathon is starting"}'),
};

async function hasState({ api, settings }: MarathonOptions): Promise<boolean> {
  const namespace = namespaceOf(settings?.framework_name ?? 'marathon');
  const { items } = await api.list(appGroups, { namespace, limit: 1 });
  return items.length > 0;
}
