import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base';
import type { Pod, PodStatus } from '#kube/kinds';
import type { Api } from '#machinery';
import { conflict } from '#machinery';
import { createSimClock } from '#sim';
import { StatusWriter } from './status-writer.ts';

function podOf(version: string): Pod {
  const metadata = { name: 'p', namespace: 'n', uid: 'u', resourceVersion: version };
  return { metadata, spec: { containers: [] }, status: { phase: 'Running' } } as unknown as Pod;
}

test('A wish for a Pod as it is now outlives the refusal of one for the Pod as it was', async () => {
  const seen: unknown[] = [];
  const first = Promise.withResolvers<void>();
  const api: Pick<Api, 'patch'> = {
    async patch(_resource, _target, { body }) {
      const { metadata, status } = body as { metadata: Record<string, string>; status: PodStatus };
      seen.push(metadata['resourceVersion']);
      if (metadata['resourceVersion'] === '1') {
        await first.promise;
        throw conflict({ group: '', plural: 'pods' }, 'p', 'the object has been modified');
      }
      return { ...podOf('3'), status } as never;
    },
  };
  const writer = new StatusWriter(
    { api: api as Api, clock: createSimClock(), logger: silentLogger },
    new AbortController().signal,
  );
  const over: PodStatus = { phase: 'Failed' };
  writer.set(podOf('1'), over, { unchanged: true });
  writer.set(podOf('2'), over, { unchanged: true });
  first.resolve();
  await writer.flush('u');
  assert.deepEqual(seen, ['1', '2']);
  // Refused, and nothing newer was seen: it is dropped.
  writer.set(podOf('1'), { phase: 'Succeeded' }, { unchanged: true });
  await writer.flush('u');
  assert.deepEqual(seen, ['1', '2', '1']);
});
