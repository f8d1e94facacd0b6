import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { configMap, deployment } from './harness.ts';
import type { Kit } from './harness.ts';

/** create with all generators, apply in all its forms. */
export function verbsThatCreate(kit: () => Kit): void {
  generators(kit);
  refusals(kit);
  clientApply(kit);
  serverApply(kit);
  pruning(kit);
}

function generators(kit: () => Kit): void {
  test('create makes every kind it has a generator for', async () => {
    const k = kit();
    const [key, cert] = [k.file('', 'key'), k.file('', 'crt')];
    const request = [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      '/CN=x',
      '-days',
      '2',
    ];
    execFileSync('openssl', [...request, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    const calls = [
      ['configmap', 'g', '--from-literal=a=b', `--from-file=k=${cert}`],
      ['secret', 'generic', 'g', '--from-literal=a=b'],
      [
        'secret',
        'docker-registry',
        'gd',
        '--docker-server=x',
        '--docker-username=u',
        '--docker-password=p',
      ],
      ['secret', 'tls', 'gt', '--cert', cert, '--key', key],
      ['role', 'g', '--verb=get,list', '--resource=pods,deployments.apps'],
      ['rolebinding', 'g', '--role=g', '--serviceaccount=default:default'],
      ['clusterrole', k.own('g'), '--verb=get', '--non-resource-url=/logs'],
      ['clusterrolebinding', k.own('g'), '--clusterrole', k.own('g'), '--user=u'],
      ['cronjob', 'g', '--image=kit:1', '--schedule=0 0 1 1 *', '--', 'true'],
      ['job', 'g', '--image=kit:1', '--', 'true'],
      ['job', 'gc', '--from=cronjob/g'],
      ['ingress', 'g', '--rule=a.example/x*=g:80,tls=gt'],
      ['poddisruptionbudget', 'g', '--selector=a=b', '--min-available=50%'],
      ['priorityclass', k.own('g'), '--value=10', '--description=words'],
      ['quota', 'g', '--hard=services=100'],
      ['service', 'clusterip', 'g', '--tcp=80:8080'],
      ['service', 'clusterip', 'gh', '--clusterip=None'],
      ['service', 'nodeport', 'gn', '--tcp=80:8080'],
      ['service', 'loadbalancer', 'gl', '--tcp=80:8080'],
      ['service', 'externalname', 'ge', '--external-name=example.org'],
      ['serviceaccount', 'g'],
      ['deployment', 'g', '--image=kit:1', '--replicas=0', '--port=80'],
      ['namespace', k.own('g')],
    ];
    for (const call of calls) assert.match(await k.ok('create', ...call), / created\n$/);
    const all = await k.ok(
      'get',
      'all,cm,secret,role,rolebinding,ingress,pdb,quota,sa',
      '-o',
      'name',
    );
    for (const name of [
      'service/gl',
      'job.batch/gc',
      'role.rbac.authorization.k8s.io/g',
      'secret/gt',
    ])
      assert.match(all, new RegExp(`^${name}$`, 'm'));
    assert.match(
      await k.ok('autoscale', 'deployment', 'g', '--max=3', '--cpu-percent=50'),
      /autoscaled/,
    );
    await k.ok('delete', 'namespace', k.own('g'), '--timeout=30s');
    await k.ok('delete', 'clusterrole,clusterrolebinding,priorityclass', k.own('g'));
    await k.ok('delete', 'all,cronjob,ingress,quota', '--all', '--timeout=60s');
  });

  test('create token issues tokens that are bound and limited', async () => {
    const k = kit();
    await k.ok('create', 'serviceaccount', 'bot');
    const token = await k.ok('create', 'token', 'bot', '--duration=10m', '--audience=them');
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
      aud: unknown;
      exp: number;
      iat: number;
      sub: string;
    };
    assert.deepEqual(claims.aud, ['them']);
    assert.equal(claims.exp - claims.iat, 600);
    assert.equal(claims.sub, `system:serviceaccount:${k.namespace}:bot`);
    assert.match(await k.fails('create', 'token', 'nobody'), /serviceaccounts "nobody" not found/);
  });

  test('run and create show what they would do', async () => {
    const k = kit();
    const client = await k.ok('run', 'x', '--image=kit:1', '--dry-run=client', '-o', 'yaml');
    assert.match(client, /kind: Pod/);
    const server = await k.ok('create', 'ns', 'dry', '--dry-run=server', '-o', 'json');
    assert.match(server, /"phase": "Active"/);
    assert.match(await k.fails('get', 'ns', 'dry'), /namespaces "dry" not found/);
  });
}

function refusals(kit: () => Kit): void {
  test('what is wrong with an object is said as Kubernetes says it', async () => {
    const k = kit();
    const refused = async (object: object, ...more: readonly string[]): Promise<string> => {
      const ended = await k.run(['apply', ...more, '-f', '-'], { input: JSON.stringify(object) });
      assert.notEqual(ended.code, 0, ended.out);
      return ended.out + ended.err;
    };
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'bad' } };
    assert.match(
      await refused({ ...map, dota: {} }),
      /Error from server \(BadRequest\): error when creating "STDIN": ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dota"/,
    );
    assert.match(
      await refused({ ...map, data: { a: 1 } }),
      /json: cannot unmarshal number into Go struct field ConfigMap\.data of type string/,
    );
    assert.match(
      await refused({ ...map, metadata: { name: 'Bad_' } }),
      /The ConfigMap "Bad_" is invalid: metadata\.name: Invalid value: "Bad_": a lowercase RFC 1123 subdomain/,
    );
    assert.match(
      await refused({ ...map, kind: 'Nope' }),
      /resource mapping not found for name: "bad" namespace: "" from "STDIN": no matches for kind "Nope" in version "v1"/,
    );
    const web = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'bad' }, spec: {} };
    assert.match(
      await refused(web),
      /The Deployment "bad" is invalid: \n?\* ?spec\.selector: Required value/,
    );
    await k.ok('create', 'configmap', 'there');
    assert.match(
      await k.fails('create', 'configmap', 'there'),
      /error: failed to create configmap: configmaps "there" already exists/,
    );
    const warned = await k.run(['apply', '--validate=warn', '-f', '-'], {
      input: JSON.stringify({ ...map, dota: {} }),
    });
    assert.match(warned.err, /Warning: unknown field "dota"/);
  });
}

function clientApply(kit: () => Kit): void {
  test('apply creates, leaves alone, changes and remembers', async () => {
    const k = kit();
    const [one, two] = [k.file(configMap('ap', { a: '1' })), k.file(configMap('ap', { a: '2' }))];
    assert.match(await k.ok('apply', '-f', one, '--dry-run=client'), /ap created \(dry run\)/);
    assert.match(
      await k.ok('apply', '-f', one, '--dry-run=server'),
      /ap created \(server dry run\)/,
    );
    assert.match(await k.ok('apply', '-f', one), /ap created/);
    assert.match(await k.ok('apply', '-f', one), /ap unchanged/);
    assert.match(await k.ok('apply', '-f', two), /ap configured/);
    assert.match(await k.ok('apply', 'view-last-applied', 'cm/ap'), /a: "2"/);
    await k.ok('apply', 'set-last-applied', '-f', one);
    assert.match(await k.ok('apply', 'view-last-applied', 'cm/ap', '-o', 'json'), /"a": "1"/);
    const editor = k.file('#!/bin/sh\nsed -i "s/a: \\"1\\"/a: \\"3\\"/" "$1"\n', 'sh');
    const edited = await k.run(['apply', 'edit-last-applied', 'cm/ap'], {
      env: { EDITOR: editor },
    });
    assert.equal(edited.code, 0, edited.err);
    assert.match(await k.ok('apply', 'view-last-applied', 'cm/ap'), /a: "3"/);
  });

  test('apply changes a Deployment and its lists by their keys', async () => {
    const k = kit();
    await k.given(deployment('apl', 0), 'apply', '-f', '-');
    assert.match(await k.given(deployment('apl', 0), 'apply', '-f', '-'), /unchanged/);
    const sidecar = JSON.parse(deployment('apl', 0)) as {
      spec: { template: { spec: { containers: object[] } } };
    };
    sidecar.spec.template.spec.containers.push({ name: 'side', image: 'kit:2' });
    await k.given(JSON.stringify(sidecar), 'apply', '-f', '-');
    const names = '-o=jsonpath={.spec.template.spec.containers[*].name}';
    assert.equal(await k.ok('get', 'deploy', 'apl', names), 'main side');
    await k.given(deployment('apl', 0), 'apply', '-f', '-');
    assert.equal(await k.ok('get', 'deploy', 'apl', names), 'main');
    await k.ok('delete', 'deploy', 'apl');
  });
}

function serverApply(kit: () => Kit): void {
  test('server-side apply owns fields, refuses others, and takes over when forced', async () => {
    const k = kit();
    const [one, two] = [k.file(configMap('ss', { a: '1' })), k.file(configMap('ss', { a: '2' }))];
    const apply = ['apply', '--server-side', '-f'];
    assert.match(
      await k.ok(...apply, one, '--dry-run=server'),
      /serverside-applied \(server dry run\)/,
    );
    assert.match(await k.ok(...apply, one), /configmap\/ss serverside-applied/);
    const refused = await k.fails(...apply, two, '--field-manager=other');
    assert.match(refused, /Apply failed with 1 conflict: conflict with "kubectl": \.data\.a/);
    assert.match(refused, /re-run the apply\s+command with the `--force-conflicts` flag/);
    await k.ok(...apply, two, '--field-manager=other', '--force-conflicts');
    assert.equal(await k.ok('get', 'cm', 'ss', '-o', 'jsonpath={.data.a}'), '2');
    const owners = await k.ok('get', 'cm', 'ss', '-o', 'yaml', '--show-managed-fields');
    assert.match(owners, /manager: other\n +operation: Apply/);
  });

  test('a client-side applied object goes over to server-side apply', async () => {
    const k = kit();
    const one = k.file(configMap('over', { a: '1', b: '1' }));
    await k.ok('apply', '-f', one);
    await k.ok('apply', '--server-side', '-f', one);
    await k.ok('apply', '--server-side', '-f', k.file(configMap('over', { a: '2' })));
    assert.equal(await k.ok('get', 'cm', 'over', '-o', 'jsonpath={.data}'), '{"a":"2"}');
  });

  test('diff shows what apply would change', async () => {
    const k = kit();
    await k.ok('apply', '-f', k.file(configMap('df', { a: '1' })));
    const two = k.file(configMap('df', { a: '2' }));
    for (const more of [[], ['--server-side', '--force-conflicts']]) {
      const differs = await k.run(['diff', '-f', two, ...more]);
      assert.equal(differs.code, 1, differs.err);
      assert.match(differs.out, /-  a: "1"\n\+  a: "2"/);
    }
    assert.equal((await k.run(['diff', '-f', k.file(configMap('df', { a: '1' }))])).code, 0);
  });
}

function pruning(kit: () => Kit): void {
  test('apply --prune deletes what is no longer in the set, by label and by ApplySet', async () => {
    const k = kit();
    const labelled = (name: string): string =>
      `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${name}","labels":{"set":"p"}}}\n`;
    const both = k.file(`${labelled('p1')}\n${labelled('p2')}`);
    const first = k.file(labelled('p1'));
    const prune = ['--prune', '-l', 'set=p', '--prune-allowlist=core/v1/ConfigMap'];
    await k.ok('apply', '-f', both, ...prune);
    assert.match(await k.ok('apply', '-f', first, ...prune), /configmap\/p2 pruned/);
    await k.ok('delete', 'cm', '-l', 'set=p');
    const env = { KUBECTL_APPLYSET: 'true' };
    const set = ['--prune', '--applyset=aset'];
    assert.equal((await k.run(['apply', '-f', both, ...set], { env })).code, 0);
    const pruned = await k.run(['apply', '-f', first, ...set], { env });
    assert.match(pruned.out, /configmap\/p2 pruned/, pruned.err);
  });

  test('kustomize builds, and apply -k applies what it builds', async () => {
    const k = kit();
    const folder = `${k.file('', 'k')}.d`;
    execFileSync('mkdir', ['-p', folder]);
    const kustomization = 'namePrefix: pre-\nconfigMapGenerator: [{name: made, literals: [a=b]}]\n';
    execFileSync('sh', ['-c', 'cat >"$0/kustomization.yaml"', folder], { input: kustomization });
    assert.match(await k.ok('kustomize', folder), /name: pre-made-/);
    assert.match(await k.ok('apply', '-k', folder), /configmap\/pre-made-\w+ created/);
    assert.match(await k.ok('delete', '-k', folder), /deleted/);
  });
}
