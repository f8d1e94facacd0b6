import type { Clock, Face, FaceReply } from '#base';
import { appGroups, namespaceOf } from '#mesos/kinds';
import type { Engine } from './engine/engine.ts';
import type { Marathon, MarathonOptions } from './engine/options.ts';

/**
 * Marathon over the store and a link to the master. Nothing of it is loaded, and no framework is
 * registered, before there is something to run or somebody asks.
 */
export function createMarathon(options: MarathonOptions): Marathon {
  const asked = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  let engine: Engine | undefined;
  let face: Face | undefined;
  let running = false;
  const live = async (signal: AbortSignal): Promise<void> => {
    const [{ openEngine }, { createFace }] = await Promise.all([
      import('./engine/engine.ts'),
      import('./face/face.ts'),
    ]);
    const own = await openEngine(options);
    engine = own;
    face = createFace(own);
    opened.resolve();
    const scope = new AbortController();
    try {
      await own.run(AbortSignal.any([signal, scope.signal]));
    } finally {
      scope.abort();
    }
  };
  const current = (): Face | undefined => face;
  return {
    async face(request) {
      const ready = current();
      if (ready !== undefined) return ready(request);
      asked.resolve();
      if (running) await opened.promise;
      return current()?.(request) ?? notYet;
    },
    async run(signal) {
      running = true;
      const stop = (): void => {
        asked.resolve();
        opened.resolve();
      };
      signal.addEventListener('abort', stop, { once: true });
      if (!(await hasState(options))) await asked.promise;
      if (signal.aborted) {
        running = false;
        return;
      }
      try {
        while (!signal.aborted) {
          try {
            await live(signal);
          } catch (error) {
            // What is in memory may not be what is stored: begin again from there.
            options.logger.error('Marathon failed, starting it again', { error });
            await pause(options.clock, signal);
          }
        }
      } finally {
        running = false;
        face = undefined;
      }
    },
    check: () => engine?.check(),
  };
}

const restartMs = 1_000;

async function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  await clock.sleep(restartMs, signal).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
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
