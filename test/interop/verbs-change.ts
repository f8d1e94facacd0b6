import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap, deployment } from './harness.ts';
import type { Kit } from './harness.ts';

/** patch, edit, replace, label, annotate, delete. */
export function verbsThatChange(kit: () => Kit): void {
  patches(kit);
  edits(kit);
  labels(kit);
  deletes(kit);
}

function patches(kit: () => Kit): void {
  test('patch knows its three types, subresources and files', async () => {
    const k = kit();
    await k.given(deployment('pa', 0), 'create', '-f', '-');
    const patch = (...args: readonly string[]): Promise<string> =>
      k.ok('patch', 'deployment', 'pa', ...args);
    const container = (fields: object): string =>
      JSON.stringify({ spec: { template: { spec: { containers: [fields] } } } });
    assert.match(
      await patch('-p', container({ name: 'main', image: 'kit:2' })),
      /deployment\.apps\/pa patched/,
    );
    assert.match(
      await patch('-p', container({ name: 'main', image: 'kit:2' })),
      /patched \(no change\)/,
    );
    await patch('-p', container({ name: 'side', image: 'kit:1' }));
    const images = '-o=jsonpath={.spec.template.spec.containers[*].image}';
    assert.equal(
      (await k.ok('get', 'deploy', 'pa', images)).split(' ').toSorted().join(),
      'kit:1,kit:2',
    );
    await patch('--type=json', '-p', '[{"op":"remove","path":"/spec/template/spec/containers/0"}]');
    await patch('--type=merge', '-p', container({ name: 'only', image: 'kit:1' }));
    assert.equal(await k.ok('get', 'deploy', 'pa', images), 'kit:1');
    await patch('--patch-file', k.file('metadata:\n  labels: {by: file}\n'));
    assert.match(await k.ok('get', 'deploy', 'pa', '--show-labels'), /by=file/);
    await patch('--subresource=scale', '--type=merge', '-p', '{"spec":{"replicas":1}}');
    assert.equal(await k.ok('get', 'deploy', 'pa', '-o', 'jsonpath={.spec.replicas}'), '1');
    assert.match(
      await k.fails('patch', 'deploy', 'pa', '-p', '{"spec":{"replicas":"x"}}'),
      /cannot be handled as a Deployment|json: cannot unmarshal|Invalid value/,
    );
    assert.match(
      await k.fails(
        'patch',
        'deploy',
        'pa',
        '--type=json',
        '-p',
        '[{"op":"test","path":"/kind","value":"X"}]',
      ),
      /testing value \/kind failed|test failed/,
    );
    assert.match(
      await k.fails('patch', 'deploy', 'pa', '-p', '{"spec":{"replicas":-1}}'),
      /The Deployment "pa" is invalid: spec\.replicas: Invalid value: -1: must be greater than or equal to 0/,
    );
    assert.match(
      await k.fails(
        'patch',
        'deploy',
        'pa',
        '-p',
        '{"spec":{"selector":{"matchLabels":{"a":"b"}}}}',
      ),
      /field is immutable/,
    );
    await k.ok('delete', 'deploy', 'pa');
  });
}

function edits(kit: () => Kit): void {
  test('edit changes what the editor changes, and keeps what it refuses', async () => {
    const k = kit();
    await k.given(configMap('ed', { a: 'old' }), 'create', '-f', '-');
    const edit = (script: string, ...more: readonly string[]) =>
      k.run(['edit', 'configmap', 'ed', ...more], {
        env: { EDITOR: k.file(`#!/bin/sh\n${script}\n`, 'sh') },
      });
    assert.match((await edit('sed -i s/old/new/ "$1"')).out, /configmap\/ed edited/);
    assert.equal(await k.ok('get', 'cm', 'ed', '-o', 'jsonpath={.data.a}'), 'new');
    assert.match((await edit('true')).err, /Edit cancelled, no changes made/);
    const refused = await edit(
      'grep -q "^# .*is invalid\\|^# configmaps" "$1" && exit 0; sed -i "s/name: ed/name: other/" "$1"',
    );
    assert.notEqual(refused.code, 0);
    await k.given(deployment('ed', 0), 'create', '-f', '-');
    const env = {
      KUBE_EDITOR: k.file('#!/bin/sh\nsed -i "s/replicas: 0/replicas: 1/" "$1"\n', 'sh'),
    };
    assert.match(
      (await k.run(['edit', 'deployment/ed', '-o', 'yaml'], { env })).out,
      /edited|replicas: 1/,
    );
    await k.ok('delete', 'deployment', 'ed');
  });

  test('replace replaces, also by force', async () => {
    const k = kit();
    await k.given(configMap('re', { a: '1', b: '1' }), 'create', '-f', '-');
    assert.match(await k.given(configMap('re', { a: '2' }), 'replace', '-f', '-'), /replaced/);
    assert.equal(await k.ok('get', 'cm', 're', '-o', 'jsonpath={.data}'), '{"a":"2"}');
    const stale = JSON.stringify({
      ...(JSON.parse(configMap('re', {})) as object),
      metadata: { name: 're', resourceVersion: '1' },
    });
    const conflict = await k.run(['replace', '-f', '-'], { input: stale });
    assert.match(
      conflict.err,
      /Error from server \(Conflict\): error when replacing "STDIN": Operation cannot be fulfilled on configmaps "re": the object has been modified; please apply your changes to the latest version and try again/,
    );
    const uid = await k.ok('get', 'cm', 're', '-o', 'jsonpath={.metadata.uid}');
    assert.match(
      await k.given(configMap('re', { a: '3' }), 'replace', '--force', '-f', '-'),
      /deleted[^]*replaced/,
    );
    assert.notEqual(await k.ok('get', 'cm', 're', '-o', 'jsonpath={.metadata.uid}'), uid);
    const missing = await k.run(['replace', '-f', '-'], { input: configMap('nope', {}) });
    assert.match(
      missing.err,
      /Error from server \(NotFound\): error when replacing "STDIN": configmaps "nope" not found/,
    );
  });
}

function labels(kit: () => Kit): void {
  test('label and annotate set, refuse, overwrite, list and remove', async () => {
    const k = kit();
    await k.ok('create', 'configmap', 'la');
    for (const [verb, done] of [
      ['label', 'labeled'],
      ['annotate', 'annotated?'],
    ] as const) {
      assert.match(await k.ok(verb, 'configmap', 'la', 'a=1'), new RegExp(`configmap/la ${done}`));
      assert.match(await k.fails(verb, 'configmap', 'la', 'a=2'), /--overwrite is false/);
      await k.ok(verb, 'configmap', 'la', 'a=2', '--overwrite');
      assert.match(await k.ok(verb, 'configmap', 'la', '--list'), /a=2/);
      await k.ok(verb, 'configmap', 'la', 'a-');
      assert.doesNotMatch(await k.ok(verb, 'configmap', 'la', '--list'), /a=2/);
      await k.ok(verb, 'configmaps', '--all', 'every=one');
      assert.match(
        await k.fails(verb, 'configmap', 'la', 'x=y', '--resource-version=1', '--overwrite'),
        /modified|onflict/,
      );
    }
    assert.match(await k.fails('label', 'configmap', 'la', 'b=not valid'), /invalid label value/);
  });
}

function deletes(kit: () => Kit): void {
  test('delete waits, cascades as asked, and forces', async () => {
    const k = kit();
    await k.deployment('dl');
    await k.ok('delete', 'deployment', 'dl', '--cascade=orphan');
    assert.match(
      await k.ok('get', 'replicasets', '-l', 'app=dl', '-o', 'name'),
      /replicaset\.apps\/dl-/,
    );
    assert.match(
      await k.ok('delete', 'replicaset', '-l', 'app=dl', '--cascade=foreground', '--timeout=30s'),
      /deleted/,
    );
    assert.equal(await k.ok('get', 'pods', '-l', 'app=dl', '-o', 'name'), '');
    await k.deployment('dl');
    assert.match(
      await k.ok('delete', 'deployment', 'dl', '--dry-run=server'),
      /deleted.*\(server dry run\)/,
    );
    await k.ok('delete', 'deployment/dl', '--timeout=30s');
    await k.ok('wait', '--for=delete', 'pod', '-l', 'app=dl', '--timeout=30s');
  });

  test('delete ends Pods with grace, at once, and by force', async () => {
    const k = kit();
    await k.pod('d1');
    await k.pod('d2');
    const forced = await k.run(['delete', 'pod', 'd1', '--grace-period=0', '--force']);
    assert.match(forced.err, /Warning: Immediate deletion does not wait for confirmation/);
    assert.match(forced.out, /pod "d1" force deleted/);
    assert.match(await k.ok('delete', 'pod', 'd2', '--now', '--timeout=30s'), /pod "d2" deleted/);
    assert.match(await k.fails('delete', 'pod', 'd2'), /pods "d2" not found/);
    assert.match(await k.ok('delete', 'pod', 'd2', '--ignore-not-found'), /^$/);
    await k.ok('create', 'configmap', 'd3');
    assert.match(
      await k.ok('delete', 'configmaps', '--field-selector=metadata.name=d3'),
      /"d3" deleted/,
    );
    assert.match(await k.ok('delete', 'configmaps', '--all'), /"kube-root-ca\.crt" deleted/);
    await k
      .ok('wait', '--for=jsonpath={.kind}=ConfigMap', 'configmap/kube-root-ca.crt', '--timeout=10s')
      .catch(() => undefined);
  });
}
