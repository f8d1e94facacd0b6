import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  currentContext,
  KubeconfigError,
  loadKubeconfig,
  mergeKubeconfig,
  removeFromKubeconfig,
} from './kubeconfig.ts';

const entry = { name: 'tandem', server: 'https://127.0.0.1:6443', ca: 'CA', cert: 'C', key: 'K' };
const readFile = async (path: string): Promise<string> => `<${path}>`;
const other = `apiVersion: v1
kind: Config
current-context: work
clusters: [{name: work, cluster: {server: "https://work", certificate-authority: /ca.pem}}]
users: [{name: me, user: {token: secret}}]
contexts: [{name: work, context: {cluster: work, user: me, namespace: team}}]
`;

test('mergeKubeconfig() into nothing gives a kubeconfig that loads', async () => {
  const merged = await mergeKubeconfig(undefined, entry);
  assert.partialDeepStrictEqual(await loadKubeconfig(merged, { readFile }), {
    context: 'tandem',
    server: 'https://127.0.0.1:6443',
    ca: 'CA',
    cert: 'C',
    key: 'K',
    namespace: 'default',
  });
});

test('mergeKubeconfig() keeps what was there, and removing gives the old context back', async () => {
  const once = await mergeKubeconfig(other, entry);
  const twice = await mergeKubeconfig(once, { ...entry, server: 'https://127.0.0.1:7443' });
  assert.equal(await currentContext(twice), 'tandem');
  const work = await loadKubeconfig(twice, { context: 'work', readFile });
  assert.partialDeepStrictEqual(work, {
    server: 'https://work',
    token: 'secret',
    ca: '</ca.pem>',
    namespace: 'team',
  });
  const left = await removeFromKubeconfig(twice, 'tandem', 'work');
  assert.equal(await currentContext(left), 'work');
  assert(!left?.includes('tandem'));
  const own = await mergeKubeconfig(undefined, entry);
  assert.equal(await removeFromKubeconfig(own, 'tandem', undefined), undefined);
});

test('mergeKubeconfig() refuses what it cannot parse', async () => {
  for (const text of ['a: [', '- a\n- b\n', 'kind: Pod\n', 'clusters: 3\n'])
    await assert.rejects(mergeKubeconfig(text, entry), KubeconfigError);
});
