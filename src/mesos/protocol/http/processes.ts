import { jsonReply } from './replies.ts';
import type { Routes } from './router.ts';

/** With `/__processes__`, which lists them; none of them has a queue of events here. */
export function withProcessList(
  processes: Readonly<Record<string, Routes>>,
): Readonly<Record<string, Routes>> {
  const text = JSON.stringify(Object.keys(processes).map((id) => ({ id, events: [] })));
  const list: Routes = { '': { handle: async ({ query }) => jsonReply(text, query.get('jsonp')) } };
  return { ...processes, __processes__: list };
}
