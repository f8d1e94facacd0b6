import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Kit } from './harness.ts';

/** scale, rollout, expose, set, autoscale, jobs. */
export function verbsOfWorkloads(kit: () => Kit): void {
  rollouts(kit);
  settings(kit);
  exposed(kit);
}

function rollouts(kit: () => Kit): void {
  test('rollout tells status and history, undoes, pauses, resumes and restarts', async () => {
    const k = kit();
    await k.deployment('ro', 2);
    const rollout = (...args: readonly string[]): Promise<string> => k.ok('rollout', ...args);
    const done = (): Promise<string> => rollout('status', 'deployment/ro', '--timeout=40s');
    assert.match(await done(), /deployment "ro" successfully rolled out/);
    await k.ok('annotate', 'deployment', 'ro', 'kubernetes.io/change-cause=first');
    await k.ok('set', 'image', 'deployment/ro', 'main=kit:2');
    await k.ok('annotate', 'deployment', 'ro', 'kubernetes.io/change-cause=second', '--overwrite');
    assert.match(
      await done(),
      /Waiting for deployment "ro" rollout to finish[^]*successfully rolled out/,
    );
    assert.match(
      await rollout('history', 'deployment/ro'),
      /REVISION +CHANGE-CAUSE\n1 +first\n2 +second/,
    );
    assert.match(
      await rollout('history', 'deployment/ro', '--revision=1'),
      /with revision #1[^]*Image:\tkit:1/,
    );
    assert.match(await rollout('undo', 'deployment/ro', '--dry-run=server'), /server dry run/);
    assert.match(await rollout('undo', 'deployment/ro'), /deployment\.apps\/ro rolled back/);
    await done();
    assert.match(await rollout('history', 'deployment/ro'), /\n2 +second\n3 +first/);
    assert.match(await rollout('undo', 'deployment/ro', '--to-revision=2'), /rolled back/);
    await done();
    assert.equal(await k.ok('get', 'deploy', 'ro', '-o', 'jsonpath={..image}'), 'kit:2');
    assert.match(
      await k.fails('rollout', 'undo', 'deployment/ro', '--to-revision=9'),
      /unable to find specified revision 9 in history/,
    );
    assert.match(await rollout('pause', 'deployment/ro'), /paused/);
    assert.match(await k.fails('rollout', 'pause', 'deployment/ro'), /is already paused/);
    assert.match(
      await k.fails('rollout', 'restart', 'deployment/ro'),
      /can't restart paused deployment/,
    );
    assert.match(await rollout('resume', 'deployment/ro'), /resumed/);
    assert.match(await rollout('restart', 'deployment/ro'), /restarted/);
    await done();
    assert.match(
      await k.fails('rollout', 'status', 'deployment/nope'),
      /deployments\.apps "nope" not found/,
    );
  });

  test('a rollout that cannot finish is told when its deadline is over', async () => {
    const k = kit();
    await k.ok('patch', 'deployment', 'ro', '-p', '{"spec":{"progressDeadlineSeconds":1}}');
    await k.ok('set', 'image', 'deployment/ro', 'main=127.0.0.1:1/nope:1');
    const said = await k.fails('rollout', 'status', 'deployment/ro', '--timeout=30s');
    assert.match(said, /error: deployment "ro" exceeded its progress deadline/);
    assert.match(
      await k.ok('get', 'pods', '-l', 'app=ro'),
      /ErrImagePull|ImagePullBackOff|RegistryUnavailable/,
    );
    const waiting = await k.ok(
      'get',
      'pods',
      '-l',
      'app=ro',
      '-o',
      'jsonpath={..state.waiting.message}',
    );
    assert.match(waiting, /127\.0\.0\.1:1\/nope:1/);
    await k.ok('rollout', 'undo', 'deployment/ro');
    await k.ok('rollout', 'status', 'deployment/ro', '--timeout=40s');
  });

  test('scale scales, on condition and several at once', async () => {
    const k = kit();
    assert.match(
      await k.ok('scale', 'deployment/ro', '--replicas=3', '--timeout=20s'),
      /deployment\.apps\/ro scaled/,
    );
    assert.match(
      await k.fails('scale', 'deployment/ro', '--current-replicas=9', '--replicas=1'),
      /Expected replicas to be 9, was 3/,
    );
    await k.ok('create', 'deployment', 'ro2', '--image=kit:1', '--replicas=0');
    assert.match(
      await k.ok('scale', 'deployments', 'ro', 'ro2', '--replicas=1'),
      /ro scaled\n.*ro2 scaled/,
    );
    assert.match(
      await k.fails('scale', 'deployment/nope', '--replicas=1'),
      /not found|no objects passed/,
    );
    await k.ok('rollout', 'status', 'deployment/ro2', '--timeout=20s');
    await k.ok('delete', 'deployment', 'ro', 'ro2');
  });
}

function settings(kit: () => Kit): void {
  test('set changes images, environment, resources, accounts, selectors and subjects', async () => {
    const k = kit();
    await k.ok('create', 'deployment', 'st', '--image=kit:1', '--replicas=0');
    await k.ok('create', 'configmap', 'st', '--from-literal=key=word');
    assert.match(await k.ok('set', 'image', 'deployment/st', '*=kit:2'), /image updated/);
    assert.match(await k.ok('set', 'env', 'deployment/st', 'A=1', 'B=2'), /env updated/);
    await k.ok('set', 'env', 'deployment/st', 'B-');
    await k.ok('set', 'env', '--from=configmap/st', 'deployment/st');
    assert.match(
      await k.ok('set', 'env', 'deployment/st', '--list'),
      /A=1\n# KEY from configmap st, key key/,
    );
    assert.match(await k.ok('set', 'env', 'deployment/st', '--list', '--resolve'), /KEY=word/);
    await k.ok(
      'set',
      'resources',
      'deployment/st',
      '--limits=cpu=1,memory=64Mi',
      '--requests=cpu=10m',
    );
    await k.ok('create', 'serviceaccount', 'st');
    await k.ok('set', 'serviceaccount', 'deployment/st', 'st');
    const spec =
      '-o=jsonpath={.spec.template.spec.containers[0].resources.limits.memory} {.spec.template.spec.serviceAccountName}';
    assert.equal(await k.ok('get', 'deployment', 'st', spec), '64Mi st');
    await k.ok('create', 'service', 'clusterip', 'st', '--tcp=80');
    await k.ok('set', 'selector', 'service', 'st', 'a=b');
    assert.equal(
      await k.ok('get', 'service', 'st', '-o', 'jsonpath={.spec.selector}'),
      '{"a":"b"}',
    );
    await k.ok('create', 'rolebinding', 'st', '--clusterrole=view', '--user=one');
    await k.ok(
      'set',
      'subject',
      'rolebinding',
      'st',
      '--user=two',
      `--serviceaccount=${k.namespace}:st`,
    );
    assert.match(
      await k.ok('get', 'rolebinding', 'st', '-o', 'wide'),
      new RegExp(`one, two .*${k.namespace}/st`),
    );
    await k.ok('delete', 'deployment,service,rolebinding,configmap,serviceaccount', 'st');
  });
}

function exposed(kit: () => Kit): void {
  test('expose makes Services that answer', async () => {
    const k = kit();
    await k.deployment('ex');
    for (const type of ['ClusterIP', 'NodePort', 'LoadBalancer'])
      assert.match(
        await k.ok(
          'expose',
          'deployment',
          'ex',
          `--name=ex-${type.toLowerCase()}`,
          '--port=80',
          '--target-port=8080',
          `--type=${type}`,
        ),
        /exposed/,
      );
    await k.ok('expose', 'deployment', 'ex', '--name=ex-pod', '--port=80', '--target-port=8080');
    await k.pod('client');
    const got = await k.ok(
      'exec',
      'client',
      '--',
      'wget',
      '-qO-',
      `http://ex-clusterip.${k.namespace}.svc.cluster.local/index.html`,
    );
    assert.equal(got, 'version 1\n');
    await k
      .ok(
        'wait',
        '--for=jsonpath={.status.loadBalancer.ingress[0].ip}',
        'service/ex-loadbalancer',
        '--timeout=10s',
      )
      .catch(async () => {
        // Before 1.30 a value had to be named.
        assert.match(
          await k.ok('get', 'service', 'ex-loadbalancer', '-o', 'jsonpath={..ingress[0].ip}'),
          /\d/,
        );
      });
    assert.match(
      await k.ok('get', 'services'),
      /ex-nodeport +NodePort +\S+ +<none> +80:3\d{4}\/TCP/,
    );
    assert.match(
      await k.fails('expose', 'deployment', 'ex', '--port=80', '--name=ex-pod'),
      /services "ex-pod" already exists/,
    );
    await k.ok('delete', 'all', '-l', 'app=ex', '--timeout=30s');
    await k.ok('delete', 'pod', 'client', '--now');
  });
}
