import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../cluster/cluster.ts';
import { configMap, deployment } from './harness.ts';
import type { Kit } from './harness.ts';

/** What everybody does every day, with each version. */
export function everyday(kit: () => Kit): void {
  test('a Deployment is applied, seen, scaled, updated, rolled back and deleted', async () => {
    const k = kit();
    await k.given(deployment('day', 2), 'apply', '-f', '-');
    await k.ok('rollout', 'status', 'deployment/day', '--timeout=30s');
    assert.match(
      await k.ok('get', 'deployments'),
      /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nday +2\/2 +2 +2 +/,
    );
    assert.match(
      await k.ok('get', 'pods', '-l', 'app=day', '-o', 'wide'),
      /1\/1 +Running +0 .*NODE|10\./s,
    );
    await k.ok('scale', 'deployment/day', '--replicas=1');
    await k.ok('wait', '--for=jsonpath={.status.replicas}=1', 'deployment/day', '--timeout=30s');
    await k.ok('set', 'image', 'deployment/day', 'main=kit:2');
    await k.ok('rollout', 'status', 'deployment/day', '--timeout=30s');
    // A Pod of before may still be listed, and gone when it is asked.
    await until('the new log', async () => {
      const { out } = await k.run(['logs', '-l', 'app=day', '--tail=1']);
      return out.includes('started 2') ? out : undefined;
    });
    assert.match(await k.ok('rollout', 'undo', 'deployment/day'), /rolled back/);
    await k.ok('rollout', 'status', 'deployment/day', '--timeout=30s');
    assert.match(await k.ok('describe', 'deployment', 'day'), /NewReplicaSet: +day-\w+ \(1\/1/);
    await k.ok('delete', 'deployment', 'day', '--timeout=30s');
  });

  test('a Pod is run, looked into, copied to and from, and deleted', async () => {
    const k = kit();
    await k.pod('one');
    assert.equal(await k.ok('logs', 'one'), 'started 1\n');
    assert.equal(await k.ok('exec', 'one', '--', 'cat', '/tmp/www/index.html'), 'version 1\n');
    assert.equal(await k.given('words', 'exec', '-i', 'one', '--', 'cat'), 'words');
    const failed = await k.run(['exec', 'one', '--', 'sh', '-c', 'exit 7']);
    assert.equal(failed.code, 7);
    const file = k.file('to and fro', 'txt');
    await k.ok('cp', file, 'one:/tmp/there');
    await k.ok('cp', 'one:/tmp/there', `${file}.back`);
    assert.equal(await k.ok('exec', 'one', '--', 'cat', '/tmp/there'), 'to and fro');
    await using forward = k.start('port-forward', 'pod/one', ':8080');
    const [, port] = await forward.says(/127\.0\.0\.1:(\d+) -> 8080/);
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/index.html`)).text(), 'version 1\n');
    assert.match(await k.ok('describe', 'pod', 'one'), /Started +\d+s +kubelet/);
    await k.ok('delete', 'pod', 'one', '--grace-period=1', '--timeout=30s');
  });

  test('a ConfigMap is created, patched, labelled, diffed, applied by the server and deleted', async () => {
    const k = kit();
    await k.ok('create', 'configmap', 'c', '--from-literal=a=1');
    await k.ok('patch', 'configmap', 'c', '-p', '{"data":{"b":"2"}}');
    await k.ok('label', 'configmap', 'c', 'x=y');
    await k.ok('annotate', 'configmap', 'c', 'n=1');
    assert.equal(await k.ok('get', 'configmap', 'c', '-o', 'jsonpath={.data.a}{.data.b}'), '12');
    const wanted = k.file(configMap('d', { a: '1' }));
    const differs = await k.run(['diff', '-f', wanted]);
    assert.equal(differs.code, 1);
    assert.match(await k.ok('apply', '--server-side', '-f', wanted), /serverside-applied/);
    assert.equal((await k.run(['diff', '-f', wanted])).code, 0);
    assert.match(await k.ok('delete', 'configmap', 'c', 'd'), /"c" deleted.*"d" deleted/s);
  });

  test('resources, kinds and rights are told', async () => {
    const k = kit();
    assert.match(await k.ok('api-resources'), /deployments +deploy +apps\/v1 +true +Deployment/);
    assert.match(await k.ok('explain', 'deployment.spec.replicas'), /FIELD: replicas <integer>/);
    assert.equal(await k.ok('auth', 'can-i', 'create', 'pods'), 'yes\n');
    assert.match(await k.ok('version'), /Server Version: .*v1\.36/);
  });
}
