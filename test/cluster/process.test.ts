/** Plain processes: Pods without an image on the host's own file system (`runtimeClassName: process`). */
import assert from 'node:assert/strict';
import { readFileSync, readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { processPod, processesWith, startCluster, until, waitForever } from './cluster.ts';
import type { Cluster, Json } from './cluster.ts';
import { fetchPage } from './new-connections.ts';

const pods = '/api/v1/namespaces/default/pods';
const podsOf = (namespace: string): string => `/api/v1/namespaces/${namespace}/pods`;

interface Wanted {
  readonly script: string;
  readonly container?: object;
  readonly spec?: object;
}
function pod(name: string, { script, container, spec }: Wanted): object {
  const main = { name: 'main', command: ['/bin/sh', '-c', script], ...container };
  return processPod(name, '', { containers: [main], ...spec });
}

function mainStatus(object: Json): Json | undefined {
  return object['status']!['containerStatuses']?.[0];
}
function terminated(object: Json): Json | undefined {
  return mainStatus(object)?.['state']!['terminated'];
}
/** Runs to its end and gives what it wrote. */
async function outputOf(cluster: Cluster, name: string, wanted: Wanted): Promise<string> {
  const spec = { restartPolicy: 'Never', ...wanted.spec };
  await cluster.call('POST', pods, pod(name, { ...wanted, spec }));
  await cluster.podThat(name, (now) => terminated(now) !== undefined);
  const { text } = await cluster.api('GET', `${pods}/${name}/log`);
  return text;
}

test('A plain process has what a container has', async (t) => {
  await using cluster = await startCluster();

  await t.test('its own PID and mount namespace, its own cgroup, no more of the host', async () => {
    const text = await outputOf(cluster, 'namespaces', {
      script:
        'echo "$$$$"; readlink /proc/self/ns/pid /proc/self/ns/mnt; cat /proc/self/cgroup; ls -d /proc/[0-9]* | wc -l',
    });
    const [pid, pidNamespace, mountNamespace, ...rest] = text.trim().split('\n');
    assert.equal(pid, '1');
    assert.notEqual(pidNamespace, readlinkSync('/proc/self/ns/pid'));
    assert.notEqual(mountNamespace, readlinkSync('/proc/self/ns/mnt'));
    assert.ok(
      rest.some((line) => line.includes(`tandem-${cluster.name}/`)),
      text,
    );
    assert.ok(Number(rest.at(-1)) < 6, 'only its own processes are in /proc');
  });

  await t.test('the user that the Pod names, and nobody when it names none', async () => {
    const named = await outputOf(cluster, 'named', {
      script:
        'id -u; id -g; id -G; touch /root/x; ls -l /proc/self/exe; su -c id root </dev/null; true',
      spec: { securityContext: { runAsUser: 4711, runAsGroup: 4712, supplementalGroups: [4713] } },
    });
    const [user, group, groups] = named.split('\n');
    assert.deepEqual([user, group, groups], ['4711', '4712', '4712 4713']);
    assert.match(named, /Permission denied/);
    assert.doesNotMatch(named, /uid=0/);
    assert.match(await outputOf(cluster, 'nobody', { script: 'id -u' }), /^65534\n$/);
  });

  await t.test('a memory limit that ends it: OOMKilled', async () => {
    await cluster.call(
      'POST',
      pods,
      pod('hungry', {
        script: 'tail /dev/zero',
        container: { resources: { limits: { memory: '32Mi' } } },
        spec: { restartPolicy: 'Never' },
      }),
    );
    const dead = await cluster.podThat('hungry', (now) => terminated(now) !== undefined);
    assert.equal(String(terminated(dead)!['reason']), 'OOMKilled');
    assert.equal(Number(terminated(dead)!['exitCode']), 137);
    assert.equal(String(dead['status']!['phase']), 'Failed');
  });

  await t.test('a CPU limit that slows it down', async () => {
    const text = await outputOf(cluster, 'busy', {
      script: "timeout 2 sh -c 'while :; do :; done'; times",
      container: { resources: { limits: { cpu: '100m' } } },
    });
    // The last line of `times` is of the children: user and system, "0m0.210000s 0m0.000000s".
    const used = [...(text.trim().split('\n').at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/g)];
    const seconds = used.reduce((sum, [, m, s]) => sum + Number(m) * 60 + Number(s), 0);
    assert.ok(seconds > 0.1 && seconds < 0.5, `${seconds} s of CPU in 2 s: ${text}`);
  });

  await t.test('a bound on its processes', async () => {
    const name = 'forks';
    await cluster.call('POST', pods, pod(name, { script: waitForever }));
    await cluster.running(name);
    const limit = await until('a pids.max', () => pidsMaxOf(cluster, name));
    assert.equal(limit, '4096');
  });

  await t.test('logs and exec, as the same user in the same namespaces', async () => {
    await cluster.call(
      'POST',
      pods,
      pod('talks', { script: `echo out; echo err >&2; ${waitForever}` }),
    );
    await cluster.running('talks');
    assert.equal((await cluster.kubectl('logs', 'talks')).out, 'out\nerr\n');
    const inside = await cluster.kubectl(
      'exec',
      'talks',
      '--',
      'sh',
      '-c',
      'id -u; cat /proc/1/cmdline',
    );
    assert.match(inside.out, /^65534\n\/bin\/sh/);
    assert.equal((await cluster.kubectl('exec', 'talks', '--', 'sh', '-c', 'exit 7')).code, 7);
  });

  await t.test('probes: not ready until they pass, restarted when they fail', async () => {
    const file = `/tmp/${cluster.name}-ready`;
    await cluster.call(
      'POST',
      pods,
      pod('probed', {
        script: `rm -f ${file}; sleep 1.5; touch ${file}; ${waitForever}`,
        container: {
          readinessProbe: { exec: { command: ['test', '-e', file] }, periodSeconds: 1 },
          livenessProbe: {
            exec: { command: ['test', '!', '-e', `${file}-sick`] },
            periodSeconds: 1,
            failureThreshold: 1,
          },
        },
      }),
    );
    const early = await cluster.podThat(
      'probed',
      (now) =>
        mainStatus(now)?.['started'] !== undefined && String(now['status']!['phase']) === 'Running',
    );
    assert.equal(Boolean(mainStatus(early)!['ready']), false);
    await cluster.podThat('probed', (now) => Boolean(mainStatus(now)?.['ready']));
    await cluster.kubectl('exec', 'probed', '--', 'touch', `${file}-sick`);
    await cluster.podThat('probed', (now) => Number(mainStatus(now)?.['restartCount']) === 1);
    await cluster.kubectl('exec', 'probed', '--', 'rm', '-f', `${file}-sick`, file);
    await cluster.kubectl('delete', 'pod', 'probed', '--now');
  });

  await t.test(
    'a place behind a Service, with an address of its own or the host network',
    async () => {
      for (const [index, hostNetwork] of [false, true].entries()) {
        const name = hostNetwork ? 'served-host' : 'served';
        const port = 20_000 + (cluster.offset % 1000) * 10 + index;
        await cluster.call(
          'POST',
          pods,
          pod(name, {
            script: `perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalPort => ${port}, Listen => 9, ReuseAddr => 1) or die $!; while ($c = $s->accept) { <$c>; print $c "HTTP/1.0 200 OK\\r\\n\\r\\n${name}\\n"; close $c }'`,
            container: { ports: [{ containerPort: port }] },
            spec: { hostNetwork },
          }),
        );
        await cluster.call('POST', '/api/v1/namespaces/default/services', {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name },
          spec: { selector: { app: name }, ports: [{ port: 80, targetPort: port }] },
        });
        const running = await cluster.running(name);
        const { podIP, hostIP } = running['status']! as unknown as {
          podIP: string;
          hostIP: string;
        };
        assert.equal(podIP === hostIP, hostNetwork);
        const service = await cluster.call('GET', `/api/v1/namespaces/default/services/${name}`);
        const host = String(service['spec']!['clusterIP']);
        assert.equal(await until('a page', () => fetchPage({ host, port: 80 })), name);
      }
    },
  );

  await t.test('an end of its whole tree, daemons that left it too', async () => {
    const mark = `${cluster.name}-daemon`;
    const daemon = `setsid sh -c '(trap "" TERM HUP; : ${mark}; while :; do sleep 0.1; done) & exit 0' &`;
    for (const [name, script] of [
      ['forked', `${daemon} ${waitForever}`],
      ['ended', `${daemon} sleep 0.3`],
    ] as const) {
      await cluster.call('POST', pods, pod(name, { script, spec: { restartPolicy: 'Never' } }));
      if (name === 'forked') {
        await cluster.running(name);
        await until(
          'a daemon',
          () => processesWith((line) => line.includes(`: ${mark}`)).length > 1,
        );
        assert.equal((await cluster.kubectl('delete', 'pod', name)).code, 0);
      } else await cluster.podThat(name, (now) => terminated(now) !== undefined);
      await until(
        'nothing left',
        () => processesWith((line) => line.includes(mark)).length === 0,
        5,
      );
    }
  });
});

/** The bound of the Pod's or container's own cgroup, v1 or v2. */
function pidsMaxOf(cluster: Cluster, name: string): string | undefined {
  const [pid] = processesWith(
    (line) => line.includes("trap 'exit 0' TERM") && line.startsWith('/bin/sh'),
  ).filter((one) =>
    readFileSync(`/proc/${one}/cgroup`, 'utf8').includes(`tandem-${cluster.name}/`),
  );
  if (pid === undefined) return undefined;
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').split('\n');
  const path = lines
    .map((line) => line.split(':'))
    .find(([, controllers]) => controllers === 'pids' || controllers === '')?.[2];
  assert.ok(path !== undefined && name !== '');
  const limits = [path, path.slice(0, path.lastIndexOf('/'))].flatMap((dir) =>
    ['/sys/fs/cgroup/pids', '/sys/fs/cgroup', '/sys/fs/cgroup/unified'].flatMap((root) => {
      try {
        return [readFileSync(`${root}${dir}/pids.max`, 'utf8').trim()];
      } catch {
        return []; // another kind of cgroup host
      }
    }),
  );
  return limits.find((limit) => limit !== 'max') ?? limits[0];
}

test('Who may run plain processes is a matter of RBAC and Pod Security', async (t) => {
  await using cluster = await startCluster();

  await t.test('the levels baseline and restricted refuse them', async () => {
    for (const level of ['baseline', 'restricted']) {
      const name = `level-${level}`;
      await cluster.call('POST', '/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name, labels: { 'pod-security.kubernetes.io/enforce': level } },
      });
      await serviceAccountIn(cluster, name);
      const answer = await cluster.api('POST', podsOf(name), pod('p', { script: waitForever }));
      assert.equal(answer.status, 403, answer.text);
      assert.match(answer.text, new RegExp(`violates PodSecurity \\\\"${level}:latest\\\\"`));
    }
  });

  await t.test('root needs the class process-root', async () => {
    const asRoot = (runtimeClassName: string): object => ({
      runtimeClassName,
      restartPolicy: 'Never',
      securityContext: { runAsUser: 0 },
    });
    const refused = await cluster.api(
      'POST',
      pods,
      pod('root', { script: 'id -u', spec: asRoot('process') }),
    );
    assert.equal(refused.status, 403);
    assert.match(refused.text, /runAsUser 0 .*needs RuntimeClass/);
    const text = await outputOf(cluster, 'root', { script: 'id -u', spec: asRoot('process-root') });
    assert.equal(text, '0\n');
  });

  await t.test('a user needs the verb use, or a service account that has it', async () => {
    await mayEdit(cluster, 'ann');
    const create = (as: string): Promise<{ code: number; err: string }> =>
      cluster.kubectl('--as', as, 'run', 'p', '--image=none', '--overrides', overrides);
    const overrides = JSON.stringify(pod('p', { script: waitForever }));
    const refused = await create('ann');
    assert.equal(refused.code, 1);
    assert.match(
      refused.err,
      /neither user "ann" nor service account "default\/default" may "use" RuntimeClass "process"/,
    );
    await bind(cluster, { name: 'ann-uses', subject: { kind: 'User', name: 'ann' } });
    const granted = await until('ann may', async () => {
      const ended = await create('ann');
      return ended.code === 0 ? ended : undefined;
    });
    assert.equal(granted.code, 0, granted.err);
    await cluster.running('p');
  });

  await t.test('Pods of a Deployment need it for their service account', async () => {
    const template = pod('web', { script: waitForever }) as { metadata: object; spec: object };
    await cluster.call('POST', '/api/v1/namespaces/default/serviceaccounts', {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'runner' },
    });
    await cluster.call('POST', '/apis/apps/v1/namespaces/default/deployments', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { ...template.spec, serviceAccountName: 'runner' },
        },
      },
    });
    await until('the event FailedCreate', async () => {
      const { out } = await cluster.kubectl(
        'get',
        'events',
        '--field-selector',
        'reason=FailedCreate',
      );
      return /service account "default\/runner" may "use" RuntimeClass/.test(out);
    });
    const account = { kind: 'ServiceAccount', name: 'runner', namespace: 'default' };
    await bind(cluster, { name: 'runner-uses', subject: account });
    const status = await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    assert.equal(status.code, 0, status.err);
  });
});

async function serviceAccountIn(cluster: Cluster, namespace: string): Promise<void> {
  await until(`the service account of ${namespace}`, async () => {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
    return (await cluster.api('GET', path)).status === 200;
  });
}

async function mayEdit(cluster: Cluster, name: string): Promise<void> {
  const ended = await cluster.kubectl(
    'create',
    'rolebinding',
    `${name}-edits`,
    '--clusterrole=edit',
    `--user=${name}`,
  );
  assert.equal(ended.code, 0, ended.err);
}

async function bind(
  cluster: Cluster,
  { name, subject }: { readonly name: string; readonly subject: object },
): Promise<void> {
  await cluster.call('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: {
      apiGroup: 'rbac.authorization.k8s.io',
      kind: 'ClusterRole',
      name: 'tandem:process-user',
    },
    subjects: [subject],
  });
}
