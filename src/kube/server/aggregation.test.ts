import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterRoles } from '#kube/kinds';
import { startCluster } from './fixture.test.ts';

const path = '/apis/rbac.authorization.k8s.io/v1/clusterroles';

test('an aggregated role has the rules of those it selects, and loses them again', async () => {
  await using cluster = await startCluster();
  const { reader } = cluster.kube;
  /** What `gathers` allows, once it is `wanted`; the reader tells of every change. */
  const until = async (wanted: readonly string[]): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      const rules = reader.get(clusterRoles, 'gathers')?.rules ?? [];
      const found = rules.flatMap((rule) => rule.resources ?? []);
      if (found.toSorted((a, b) => a.localeCompare(b)).join() === wanted.join()) resolve();
    };
    using _watch = reader.onChange(clusterRoles, look);
    look();
    const late = new Promise<never>((_, reject) => {
      AbortSignal.timeout(5000).addEventListener('abort', () =>
        reject(new Error(`never ${wanted.join()}`)),
      );
    });
    await Promise.race([promise, late]);
  };
  const role = (name: string, more: object): object => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name, labels: { 'rbac.example.com/to-gathers': 'true' } },
    ...more,
  });
  const allows = (resource: string): object => ({
    rules: [{ apiGroups: [''], resources: [resource], verbs: ['get'] }],
  });
  const made = await cluster.call('POST', path, {
    body: {
      ...role('gathers', {}),
      metadata: { name: 'gathers' },
      aggregationRule: {
        clusterRoleSelectors: [{ matchLabels: { 'rbac.example.com/to-gathers': 'true' } }],
      },
    },
  });
  assert.equal(made.status, 201, made.text);
  for (const resource of ['pods', 'secrets'])
    assert.equal(
      (await cluster.call('POST', path, { body: role(resource, allows(resource)) })).status,
      201,
    );
  await until(['pods', 'secrets']);
  assert.equal((await cluster.call('DELETE', `${path}/pods`)).status, 200);
  await until(['secrets']);
});
