import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configMap } from './harness.ts';
import type { Kit } from './harness.ts';

/** get, describe, explain, wait, events. */
export function verbsThatRead(kit: () => Kit): void {
  outputs(kit);
  selectors(kit);
  watches(kit);
  describes(kit);
  explains(kit);
  waits(kit);
}

function outputs(kit: () => Kit): void {
  test('get prints a Pod in every form', async () => {
    const k = kit();
    await k.pod('r1', '--env=A=B', '--port=8080');
    const get = (...more: readonly string[]): Promise<string> => k.ok('get', 'pod', 'r1', ...more);
    assert.match(await get(), /^NAME +READY +STATUS +RESTARTS +AGE\nr1 +1\/1 +Running +0 +\d+s\n$/);
    assert.match(await get('-o', 'wide'), /IP +NODE +NOMINATED NODE +READINESS GATES\nr1 .* 10\./);
    assert.equal(await get('-o', 'name'), 'pod/r1\n');
    assert.match(await get('-o', 'yaml'), /^apiVersion: v1\nkind: Pod\nmetadata:/);
    assert.match(await get('-o', 'json'), /"qosClass": "BestEffort"/);
    assert.doesNotMatch(await get('-o', 'json'), /managedFields/);
    assert.match(await get('-o', 'json', '--show-managed-fields'), /managedFields/);
    assert.equal(await get('-o', 'jsonpath={.spec.containers[0].env[0].value}'), 'B');
    assert.equal(await get('-o', 'go-template={{.metadata.name}}'), 'r1');
    assert.match(await get('-o', 'jsonpath-as-json={.metadata.name}'), /"r1"/);
    assert.match(
      await get('-o', 'custom-columns=N:.metadata.name,P:.status.phase'),
      /^N +P\nr1 +Running\n$/,
    );
    assert.match(await get('--show-labels'), /LABELS\n.* app=r1\n/);
    assert.match(await get('-L', 'app'), /APP\nr1 .* r1\n/);
    assert.match(await get('--no-headers'), /^r1 /);
    assert.match(await get('--server-print=false'), /^NAME +AGE\nr1 /);
    assert.match(await get('--subresource=status'), /r1 +1\/1/);
  });

  test('get prints several kinds, all of them, and what is not there', async () => {
    const k = kit();
    assert.match(
      await k.ok('get', 'pods,serviceaccounts'),
      /pod\/r1 .*\n\nNAME .*\nserviceaccount\/default/s,
    );
    assert.match(await k.ok('get', 'all'), /pod\/r1/);
    assert.match(await k.ok('get', 'pods', '-A'), new RegExp(`${k.namespace} +r1`));
    assert.match(
      await k.ok('get', 'namespaces', 'default', k.namespace, '-o', 'name'),
      /namespace\/default\nnamespace\/v/,
    );
    assert.equal(
      await k.fails('get', 'pods', 'nope'),
      'Error from server (NotFound): pods "nope" not found\n',
    );
    assert.equal(
      await k.fails('get', 'nopes'),
      `error: the server doesn't have a resource type "nopes"\n`,
    );
    assert.equal(await k.ok('get', 'pods', 'nope', '--ignore-not-found'), '');
    const empty = await k.run(['get', 'statefulsets']);
    assert.equal(empty.err, `No resources found in ${k.namespace} namespace.\n`);
    assert.match(
      await k.ok('get', 'nodes', '-o', 'wide'),
      /Ready .* v1\.36\.\d+\+tandem.* INTERNAL-IP|Ready/,
    );
    assert.match(await k.ok('get', '--raw', '/readyz?verbose'), /\[\+\]ping ok\n/);
  });

  test('every kind that can be listed has a table', async () => {
    const k = kit();
    const names = await k.ok('api-resources', '--verbs=list', '-o', 'name');
    const ended = await k.run([
      'get',
      names.trim().split('\n').join(','),
      '-A',
      '--ignore-not-found',
    ]);
    assert.equal(ended.code, 0, ended.err);
    assert.match(ended.out, /clusterrole\.rbac\.authorization\.k8s\.io\/cluster-admin/);
  });

  test('scale is a table of its own', async () => {
    const k = kit();
    await k.ok('create', 'deployment', 'sc', '--image=kit:1', '--replicas=0');
    const table = await k.ok('get', 'deployment', 'sc', '--subresource=scale');
    assert.match(table, /^NAME +DESIRED +AVAILABLE +AGE\nsc +0 +0 +\d+s\n$/);
    await k.ok('delete', 'deployment', 'sc');
  });
}

function selectors(kit: () => Kit): void {
  test('get selects by labels and fields, sorts, and pages', async () => {
    const k = kit();
    for (const [name, tier] of [
      ['s1', 'a'],
      ['s2', 'b'],
      ['s3', 'a'],
    ] as const) {
      await k.ok('create', 'configmap', name, `--from-literal=size=${9 - Number(name[1])}`);
      await k.ok('label', 'configmap', name, `tier=${tier}`, 'set=s');
    }
    const names = async (...args: readonly string[]): Promise<string> =>
      (await k.ok('get', 'configmaps', '-o', 'name', ...args))
        .replaceAll('configmap/', '')
        .trim()
        .replaceAll('\n', ' ');
    assert.equal(await names('-l', 'tier=a'), 's1 s3');
    assert.equal(await names('-l', 'set=s,tier!=a'), 's2');
    assert.equal(await names('-l', 'tier in (a,b),tier notin (b)'), 's1 s3');
    assert.equal(await names('-l', 'set=s,!nope', '--sort-by=.data.size'), 's3 s2 s1');
    assert.equal(await names('-l', 'set=s', '--chunk-size=1'), 's1 s2 s3');
    assert.equal(await names('--field-selector=metadata.name=s2'), 's2');
    assert.match(
      await k.ok('get', 'pods', '--field-selector=status.phase=Running,metadata.name!=x'),
      /r1/,
    );
    assert.match(
      await k.fails('get', 'pods', '--field-selector=spec.bad=1'),
      /field label not supported: spec\.bad/,
    );
    assert.match(
      await k.fails('get', 'pods', '-l', 'a b'),
      /unable to parse requirement: found 'b', expected/,
    );
  });
}

function watches(kit: () => Kit): void {
  test('get -w follows what happens', async () => {
    const k = kit();
    await using watch = k.start(
      'get',
      'configmaps',
      '-w',
      '--output-watch-events',
      '-l',
      'watched',
    );
    await using wide = k.start('get', 'pods', '-w', '-o', 'wide');
    await wide.says(/r1 /);
    const labelled = JSON.stringify({
      ...(JSON.parse(configMap('w', {})) as object),
      metadata: { name: 'w', labels: { watched: 'yes' } },
    });
    await k.given(labelled, 'create', '-f', '-');
    await watch.says(/ADDED +w +0/);
    await k.ok('patch', 'configmap', 'w', '-p', '{"data":{"a":"1"}}');
    await watch.says(/MODIFIED +w +1/);
    await k.ok('delete', 'configmap', 'w');
    await watch.says(/DELETED +w +1/);
  });
}

function describes(kit: () => Kit): void {
  test('describe knows every everyday kind', async () => {
    const k = kit();
    await k.deployment('de');
    await k.ok('expose', 'deployment', 'de', '--port=80', '--target-port=8080');
    const told = async (what: string, ...sections: readonly RegExp[]): Promise<void> => {
      const text = await k.ok('describe', ...what.split(' '));
      for (const section of sections) assert.match(text, section, `describe ${what}:\n${text}`);
    };
    await told(
      'pod -l app=de',
      /^Status: +Running/m,
      /Controlled By: +ReplicaSet\/de-/,
      /Container ID: +\w+:\/\//,
      /^QoS Class: +BestEffort/m,
      /Normal +Scheduled +.*default-scheduler +Successfully assigned/,
      /Normal +Started .*kubelet/,
    );
    await told(
      'deployment de',
      /Replicas: +1 desired \| 1 updated \| 1 total \| 1 available \| 0 unavailable/,
      /Available +True +MinimumReplicasAvailable/,
      /OldReplicaSets: +<none>/,
      /NewReplicaSet: +de-\w+ \(1\/1 replicas created\)/,
      /ScalingReplicaSet .*deployment-controller +Scaled up replica set de-\w+ from 0 to 1/,
    );
    await told(
      'replicaset -l app=de',
      /Replicas: +1 current \/ 1 desired/,
      /SuccessfulCreate .*replicaset-controller/,
    );
    await told(
      'service de',
      /Type: +ClusterIP/,
      /Endpoints: +10\.\S+:8080/,
      /Session Affinity: +None/,
    );
    await told(
      'node',
      /^Conditions:/m,
      /Ready +True .*KubeletReady/,
      /^Allocatable:/m,
      /Non-terminated Pods: +\(\d+ in total\)/,
      /^Allocated resources:/m,
      /Kubelet Version: +v1\.36/,
    );
    await told(`namespace ${k.namespace}`, /^Status: +Active/m);
    await told('configmap kube-root-ca.crt', /BEGIN CERTIFICATE/);
    await told('serviceaccount default', /^Name: +default/m);
    await told(
      'endpointslices -l kubernetes.io/service-name=de',
      /AddressType: +IPv4/,
      /Ready: +true/,
    );
    await told('endpoints de', /Addresses: +10\./);
    await told('clusterrole view', /Resources +Non-Resource URLs +Resource Names +Verbs/);
    await told('clusterrolebinding cluster-admin', /system:masters/);
    await told('priorityclass system-node-critical', /Value: +2000001000/);
    await told('lease -n kube-node-lease', /Holder Identity: +\S+/);
    assert.match(await k.fails('describe', 'pod', 'nope'), /pods "nope" not found/);
  });

  test('describe tells the rest of the kinds too', async () => {
    const k = kit();
    const made = [
      'secret generic',
      'role --verb=get --resource=pods',
      'rolebinding --role=dx --user=u',
      'cronjob --image=kit:1 --schedule=1_1_1_1_1',
      'job --image=kit:1',
      'ingress --rule=a/b=c:1',
      'pdb --selector=a=b --min-available=1',
      'quota --hard=secrets=10',
    ];
    for (const line of made) {
      const [kind = '', ...flags] = line.split(' ');
      const inner = kind === 'secret' ? [flags.shift() ?? ''] : [];
      await k.ok('create', kind, ...inner, 'dx', ...flags.map((flag) => flag.replaceAll('_', ' ')));
      assert.match(await k.ok('describe', kind, 'dx'), /^Name: +dx/m);
    }
    await k.ok('autoscale', 'deployment', 'de', '--name=dx', '--max=2');
    assert.match(await k.ok('describe', 'hpa', 'dx'), /Reference: +Deployment\/de/);
    for (const kind of [
      'networkpolicy',
      'limitrange',
      'persistentvolumeclaim',
      'statefulset',
      'daemonset',
      'storageclass',
    ])
      assert.equal((await k.run(['describe', kind])).code, 0, kind);
    await k.ok('delete', 'secret,role,rolebinding,cronjob,job,ingress,pdb,quota,hpa', 'dx');
  });

  test('events tells what happened, also by kubectl events', async () => {
    const k = kit();
    assert.match(
      await k.ok('get', 'events', '--field-selector=involvedObject.name=r1'),
      /LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n.*pod\/r1/,
    );
    assert.match(await k.ok('events', '--for', 'pod/r1'), /Started +Pod\/r1/);
    assert.match(await k.ok('events', '--types=Normal'), /Scheduled/);
  });
}

function explains(kit: () => Kit): void {
  test('explain tells fields, nested and whole', async () => {
    const k = kit();
    assert.match(
      await k.ok('explain', 'pods'),
      /KIND: +Pod\nVERSION: +v1\n[^]*FIELDS:\n[^]*spec\t<PodSpec>/,
    );
    assert.match(
      await k.ok('explain', 'pod.spec.containers.livenessProbe.httpGet'),
      /FIELD: httpGet <HTTPGetAction>[^]*port\t<IntOrString>/,
    );
    assert.match(
      await k.ok('explain', 'deployments', '--recursive'),
      /matchLabels\t<map\[string\]string>/,
    );
    assert.match(
      await k.ok('explain', 'ingress', '--api-version=networking.k8s.io/v1'),
      /GROUP: +networking\.k8s\.io/,
    );
    assert.match(
      await k.ok('explain', 'deploy.spec', '--output=plaintext-openapiv2'),
      /RESOURCE: spec <Object>/,
    );
    assert.match(await k.fails('explain', 'pod.spec.nope'), /field "nope" does not exist/);
  });
}

function waits(kit: () => Kit): void {
  test('wait waits for conditions, values, deletion and creation', async () => {
    const k = kit();
    assert.match(
      await k.ok('wait', '--for=condition=Available', 'deployment/de', '--timeout=20s'),
      /condition met/,
    );
    assert.match(
      await k.ok('wait', '--for=condition=Ready=true', 'pod', '-l', 'app=de'),
      /condition met/,
    );
    assert.match(
      await k.ok('wait', '--for=jsonpath={.status.phase}=Running', 'pod/r1'),
      /condition met/,
    );
    assert.match(
      await k.fails('wait', '--for=condition=Nope', 'deployment/de', '--timeout=1s'),
      /timed out waiting for the condition/,
    );
    await using deletion = k.start('wait', '--for=delete', 'pod/r1', '--timeout=30s');
    await k.ok('delete', 'pod', 'r1', '--now', '--wait=false');
    await deletion.says(/pod\/r1 condition met/);
    if (k.minor >= 31) {
      await using creation = k.start('wait', '--for=create', 'configmap/born', '--timeout=30s');
      await k.ok('create', 'configmap', 'born');
      await creation.says(/configmap\/born condition met/);
    }
    await k.ok('delete', 'deployment,service', 'de');
  });
}
