import { helpRoutes } from './help.ts';
import { jsonReply, textReply } from './replies.ts';
import type { Route, Routes } from './router.ts';

type Processes = Readonly<Record<string, Routes>>;

/**
 * With what every libprocess daemon serves besides: `/help`, `/profiler`, and `/__processes__`, which
 * lists them all; none of them has a queue of events here.
 */
export function withCommonProcesses(
  own: Processes,
  of: { readonly delegate: string; readonly realm: string },
): Processes {
  const processes: Processes = { ...own, profiler: profilerRoutes(of.realm) };
  const help = helpRoutes(processes, of.delegate);
  const ids = [...Object.keys(processes), 'help', '__processes__'];
  const text = JSON.stringify(ids.map((id) => ({ id, events: [] })));
  const list: Routes = { '': { handle: async ({ query }) => jsonReply(text, query.get('jsonp')) } };
  return { ...processes, help, __processes__: list };
}

/** As a daemon that was built without the profiler (libprocess profiler.cpp). */
function profilerRoutes(realm: string): Routes {
  const refuse: Route = { realm, handle: async () => textReply(400, withoutPerftools) };
  return { start: refuse, stop: refuse };
}

const withoutPerftools =
  'Perftools is disabled. To enable perftools, configure libprocess with --enable-perftools.\n';
