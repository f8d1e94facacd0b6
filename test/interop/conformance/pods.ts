/** Pods: their life, their processes, what they know of themselves. */
import assert from 'node:assert/strict';
import {
  condition,
  eventually,
  forever,
  image,
  list,
  names,
  podOf,
  type Case,
  type Json,
  type World,
} from './kit.ts';

const node = '[sig-node] ';
const runtime = `${node}Container Runtime blackbox test `;
const main = (pod: Json | undefined, at = 0): Json | undefined =>
  list(pod?.status?.containerStatuses)[at];
const restarts = (pod: Json | undefined): number => Number(main(pod)?.restartCount ?? 0);
const fieldEnv = (name: string, fieldPath: string): object => ({
  name,
  valueFrom: { fieldRef: { fieldPath } },
});
const resourceEnv = (name: string, resource: string): object => ({
  name,
  valueFrom: { resourceFieldRef: { resource } },
});

export const podCases: readonly Case[] = [
  {
    name: 'A Pod is listed, watched, gets an address, is changed, and ends gracefully',
    covers: [
      `${node}Pods should be submitted and removed`,
      `${node}Pods should be updated`,
      `${node}Pods should get a host IP`,
    ],
    run: async (world) => {
      const space = await world.namespace('life');
      const pod = await space.stays('p', forever, { metadata: { labels: { time: 'a' } } });
      assert.match(String(pod.status?.hostIP), /^\d+\.\d+\.\d+\.\d+$/);
      await world.patch(space.pod('p'), { metadata: { labels: { time: 'b' } } });
      const byLabel = await world.items(`${space.core}/pods?labelSelector=time=b`);
      assert.deepEqual(names(byLabel), ['p']);
      const revision = String((await world.get(`${space.core}/pods`)).metadata?.resourceVersion);
      const events = world.events(
        `${space.core}/pods?resourceVersion=${revision}`,
        1,
        ({ type }) => type === 'DELETED',
      );
      const deleted = await world.delete(space.pod('p'), { gracePeriodSeconds: 30 });
      assert.ok(deleted.metadata?.deletionTimestamp);
      const [last] = await events;
      assert.ok(last?.object.metadata?.deletionTimestamp);
      assert.equal((await world.send('GET', space.pod('p'))).status, 404);
    },
  },
  {
    name: 'A Pod goes through create, patch, status patch and status update, and deletion',
    covers: [
      `${node}Pods should run through the lifecycle of Pods and PodStatus`,
      `${node}Pods should patch a pod status`,
    ],
    run: async (world) => {
      const space = await world.namespace('status');
      await space.stays('p', forever);
      const patched = await world.patch(
        space.pod('p'),
        {
          metadata: { labels: { 'test-pod': 'patched' } },
          spec: {
            terminationGracePeriodSeconds: 1,
            containers: [{ name: 'main', image: 'conformance/busybox:2' }],
          },
        },
        'strategic',
      );
      assert.equal(patched.spec?.containers?.[0]?.image, 'conformance/busybox:2');
      await world.when(
        space.pod('p'),
        (it) => restarts(it) === 1 && main(it)?.ready === (true as unknown),
      );
      const status = await world.patch(`${space.pod('p')}/status`, {
        status: {
          conditions: [
            ...list((await world.get(space.pod('p'))).status?.conditions),
            { type: 'E2E', status: 'True', reason: 'Set' },
          ],
        },
      });
      assert.equal(condition(status, 'E2E')?.reason, 'Set');
      const read = await world.get(`${space.pod('p')}/status`);
      assert.equal(read.kind, 'Pod');
      await world.delete(`${space.core}/pods`);
      await world.gone(space.pod('p'));
    },
  },
  {
    name: 'All Pods of a label are deleted at once',
    covers: [`${node}Pods should delete a collection of pods`],
    run: async (world) => {
      const space = await world.namespace('collection');
      await Promise.all(
        ['a', 'b', 'c'].map((name) =>
          space.stays(name, forever, { metadata: { labels: { type: 't' } } }),
        ),
      );
      await world.delete(`${space.core}/pods?labelSelector=type=t`, { gracePeriodSeconds: 0 });
      await world.whenAll(`${space.core}/pods?labelSelector=type=t`, (items) => items.length === 0);
    },
  },
  {
    name: 'A deadline that is set while a Pod runs ends it',
    covers: [`${node}Pods should allow activeDeadlineSeconds to be updated`],
    run: async (world) => {
      const space = await world.namespace('deadline');
      await space.stays('p', forever);
      await world.patch(space.pod('p'), { spec: { activeDeadlineSeconds: 2 } });
      const failed = await world.when(
        space.pod('p'),
        (it) => String(it?.status?.phase) === 'Failed',
      );
      assert.equal(failed.status?.reason, 'DeadlineExceeded');
    },
  },
  {
    name: 'Services that exist before a Pod are in its environment',
    covers: [`${node}Pods should contain environment variables for services`],
    run: async (world) => {
      const space = await world.namespace('env');
      const service = await world.post(`${space.core}/services`, {
        metadata: { name: 'fooservice' },
        spec: { ports: [{ port: 8765, targetPort: 8080 }] },
      });
      const { log } = await space.runs('p', 'env');
      const ip = String(service.spec?.clusterIP);
      for (const line of [
        `FOOSERVICE_SERVICE_HOST=${ip}`,
        'FOOSERVICE_SERVICE_PORT=8765',
        `FOOSERVICE_PORT=tcp://${ip}:8765`,
        `FOOSERVICE_PORT_8765_TCP=tcp://${ip}:8765`,
        'FOOSERVICE_PORT_8765_TCP_PROTO=tcp',
        'FOOSERVICE_PORT_8765_TCP_PORT=8765',
        `FOOSERVICE_PORT_8765_TCP_ADDR=${ip}`,
      ])
        assert.ok(log.includes(line), line);
    },
  },
  {
    name: 'The generation of a Pod counts changes of its spec, and its status follows',
    covers: [
      `${node}Pods Extended (pod generation) Pod Generation pod generation should start at 1 and increment per update [MinimumKubeletVersion:1.34]`,
      `${node}Pods Extended (pod generation) Pod Generation custom-set generation on new pods and graceful delete`,
      `${node}Pods Extended (pod generation) Pod Generation issue 500 podspec updates and verify generation and observedGeneration eventually converge [MinimumKubeletVersion:1.34]`,
    ],
    run: countsGenerations,
  },
  {
    name: 'Containers that end have the exit code, phase, count and message that their policy asks for',
    covers: [`${runtime}when starting a container that exits should run with the expected status`],
    run: endsByPolicy,
  },
  {
    name: 'A termination message comes from its file, from the log when asked, as any user',
    covers: [
      `${runtime}on terminated container should report termination message as empty when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set`,
      `${runtime}on terminated container should report termination message from file when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set`,
      `${runtime}on terminated container should report termination message from log output if TerminationMessagePolicy FallbackToLogsOnError is set`,
      `${runtime}on terminated container should report termination message if TerminationMessagePath is set as non-root user and at a non-default path`,
    ],
    run: async (world) => {
      const space = await world.namespace('message');
      const policy = { terminationMessagePolicy: 'FallbackToLogsOnError' };
      const [empty, file, log, own] = await Promise.all([
        space.runs('empty', 'echo DONE', { container: policy }),
        space.runs('file', 'echo -n OK > /dev/termination-log', { container: policy }),
        space.runs('log', 'echo -n DONE; exit 1', { container: policy }),
        space.runs('own', 'echo -n DONE > /dev/termination-custom-log', {
          container: {
            terminationMessagePath: '/dev/termination-custom-log',
            securityContext: { runAsUser: 1000 },
          },
        }),
      ]);
      const message = (outcome: typeof empty): unknown =>
        main(outcome.pod)?.state?.terminated?.message;
      assert.equal(message(empty) ?? '', '');
      assert.equal(message(file), 'OK');
      assert.equal(message(log), 'DONE');
      assert.equal(message(own), 'DONE');
    },
  },
  {
    name: "A container's command and arguments stand in for the image's",
    covers: [
      `${node}Containers should use the image defaults if command and args are blank`,
      `${node}Containers should be able to override the image's default arguments (container cmd)`,
      `${node}Containers should be able to override the image's default command (container entrypoint)`,
      `${node}Containers should be able to override the image's default command and arguments`,
    ],
    run: async (world) => {
      const space = await world.namespace('command');
      const entry = (container: object): object => ({
        container: { image: 'conformance/entry:1', command: undefined, ...container },
      });
      const [none, args, command, both] = await Promise.all([
        space.runs('none', '', entry({})),
        space.runs('args', '', entry({ args: ['own', 'two'] })),
        space.runs('command', '', entry({ command: ['/bin/entry-2'] })),
        space.runs('both', '', entry({ command: ['/bin/entry-2'], args: ['own'] })),
      ]);
      assert.equal(none.log, 'entry default arguments\n');
      assert.equal(args.log, 'entry default own two\n');
      assert.equal(command.log, 'other \n');
      assert.equal(both.log, 'other own\n');
    },
  },
  {
    name: 'Variables are composed, and substituted in commands and arguments',
    covers: [
      `${node}Variable Expansion should allow composing env vars into new env vars`,
      `${node}Variable Expansion should allow substituting values in a container's command`,
      `${node}Variable Expansion should allow substituting values in a container's args`,
    ],
    run: async (world) => {
      const space = await world.namespace('expansion');
      const { log } = await space.runs('p', '', {
        container: {
          command: ['/bin/sh', '-c', 'echo "$FOOBAR|$(FOO)|$0" \'$$(FOO)|$(NONE_SUCH)\''],
          args: ['$(BAR)-arg'],
          env: [
            { name: 'FOO', value: 'foo-value' },
            { name: 'BAR', value: 'bar-value' },
            { name: 'FOOBAR', value: '$(FOO);;$(BAR)' },
          ],
        },
      });
      assert.equal(log, 'foo-value;;bar-value|foo-value|bar-value-arg $(FOO)|$(NONE_SUCH)\n');
    },
  },
  {
    name: 'A Pod knows its name, namespace, addresses, identity and resources from its environment',
    covers: [
      `${node}Downward API should provide pod name, namespace and IP address as env vars`,
      `${node}Downward API should provide host IP as an env var`,
      `${node}Downward API should provide hostIPs as an env var`,
      `${node}Downward API should provide pod UID as env vars`,
      `${node}Downward API should provide container's limits.cpu/memory and requests.cpu/memory as env vars`,
      `${node}Downward API should provide default limits.cpu/memory from node allocatable`,
    ],
    run: async (world) => {
      const space = await world.namespace('downward');
      const resources = [
        resourceEnv('CPU_LIMIT', 'limits.cpu'),
        resourceEnv('MEMORY_LIMIT', 'limits.memory'),
        resourceEnv('CPU_REQUEST', 'requests.cpu'),
        resourceEnv('MEMORY_REQUEST', 'requests.memory'),
      ];
      const [told, open] = await Promise.all([
        space.runs('told', 'env', {
          container: {
            resources: {
              requests: { cpu: '250m', memory: '32Mi' },
              limits: { cpu: '1250m', memory: '64Mi' },
            },
            env: [
              fieldEnv('POD_NAME', 'metadata.name'),
              fieldEnv('POD_NAMESPACE', 'metadata.namespace'),
              fieldEnv('POD_UID', 'metadata.uid'),
              fieldEnv('POD_IP', 'status.podIP'),
              fieldEnv('HOST_IP', 'status.hostIP'),
              fieldEnv('HOST_IPS', 'status.hostIPs'),
              ...resources,
            ],
          },
        }),
        space.runs('open', 'env', { container: { env: resources } }),
      ]);
      const { pod, log } = told;
      for (const line of [
        'POD_NAME=told',
        `POD_NAMESPACE=${space.name}`,
        `POD_UID=${pod.metadata?.uid}`,
        `POD_IP=${pod.status?.podIP}`,
        `HOST_IP=${pod.status?.hostIP}`,
        `HOST_IPS=${pod.status?.hostIP}`,
        'CPU_LIMIT=2',
        'MEMORY_LIMIT=67108864',
        'CPU_REQUEST=1',
        'MEMORY_REQUEST=33554432',
      ])
        assert.ok(log.split('\n').includes(line), `${line} in ${log}`);
      const on = await world.get(`/api/v1/nodes/${open.pod.spec?.nodeName}`);
      assert.ok(open.log.includes(`CPU_LIMIT=${on.status?.allocatable?.cpu}\n`), open.log);
      const memory = Number(String(on.status?.allocatable?.memory).replace('Ki', '')) * 1024;
      assert.ok(open.log.includes(`MEMORY_LIMIT=${memory}\n`), open.log);
    },
  },
  {
    name: 'ConfigMaps and Secrets come into the environment by key, whole, and with prefixes',
    covers: [
      `${node}ConfigMap should be consumable via environment variable`,
      `${node}ConfigMap should be consumable via the environment`,
      `${node}ConfigMap should be consumable as environment variable names with various prefixes`,
      `${node}Secrets should be consumable from pods in env vars`,
      `${node}Secrets should be consumable via the environment`,
      `${node}Secrets should be consumable as environment variable names variable names with various prefixes`,
    ],
    run: async (world) => {
      const space = await world.namespace('sources');
      const data = { data_1: 'value-1', data_2: 'value-2' };
      await world.post(`${space.core}/configmaps`, { metadata: { name: 'map' }, data });
      await world.post(`${space.core}/secrets`, { metadata: { name: 'secret' }, stringData: data });
      const { log } = await space.runs('p', '', {
        container: {
          // A shell would drop names that are not its own.
          command: ['/bin/env'],
          env: [
            { name: 'MAP_ONE', valueFrom: { configMapKeyRef: { name: 'map', key: 'data_1' } } },
            { name: 'SECRET_ONE', valueFrom: { secretKeyRef: { name: 'secret', key: 'data_1' } } },
          ],
          envFrom: [
            { configMapRef: { name: 'map' } },
            { prefix: 'p-', configMapRef: { name: 'map' } },
            { prefix: 's_', secretRef: { name: 'secret' } },
            { secretRef: { name: 'absent', optional: true } },
          ],
        },
      });
      for (const line of [
        'MAP_ONE=value-1',
        'SECRET_ONE=value-1',
        'data_1=value-1',
        'data_2=value-2',
        'p-data_1=value-1',
        's_data_2=value-2',
      ])
        assert.ok(log.split('\n').includes(line), `${line} in ${log}`);
    },
  },
  {
    name: 'Init containers run one after the other before the others, and decide whether these start',
    covers: [
      `${node}InitContainer should invoke init containers on a RestartNever pod`,
      `${node}InitContainer should invoke init containers on a RestartAlways pod`,
      `${node}InitContainer should not start app containers and fail the pod if init containers fail on a RestartNever pod`,
      `${node}InitContainer should not start app containers if init containers fail on a RestartAlways pod`,
    ],
    run: initialises,
  },
  {
    name: 'Hooks run after the start and before the end, as commands and as requests',
    covers: [
      `${node}Container Lifecycle Hook when create a pod with lifecycle hook should execute poststart exec hook properly`,
      `${node}Container Lifecycle Hook when create a pod with lifecycle hook should execute poststart http hook properly`,
      `${node}Container Lifecycle Hook when create a pod with lifecycle hook should execute prestop exec hook properly`,
      `${node}Container Lifecycle Hook when create a pod with lifecycle hook should execute prestop http hook properly`,
      `${node}PreStop should call prestop when killing a pod`,
    ],
    run: hooks,
  },
  {
    name: 'An ephemeral container joins a running Pod and can be spoken to',
    covers: [
      `${node}Ephemeral Containers will start an ephemeral container in an existing pod`,
      `${node}Ephemeral Containers should update the ephemeral containers in an existing pod`,
    ],
    run: async (world) => {
      const space = await world.namespace('ephemeral');
      await space.stays('p', forever);
      const add = (name: string): object => ({
        name,
        image,
        imagePullPolicy: 'IfNotPresent',
        command: ['/bin/sh', '-c', `echo polo ${name}; ${forever}`],
      });
      const path = `${space.pod('p')}/ephemeralcontainers`;
      await world.patch(path, { spec: { ephemeralContainers: [add('one')] } }, 'strategic');
      const runs = (pod: Json | undefined, at: number): boolean =>
        list(pod?.status?.ephemeralContainerStatuses)[at]?.state?.running !== undefined;
      await world.when(space.pod('p'), (it) => runs(it, 0));
      const read = await world.get(path);
      const more = [...list(read.spec?.ephemeralContainers), add('two')];
      const updated = await world.put(path, {
        ...read,
        spec: { ...read.spec, ephemeralContainers: more },
      });
      assert.equal(list(updated.spec?.ephemeralContainers).length, 2);
      await world.when(space.pod('p'), (it) => runs(it, 1));
      assert.equal(await space.log('p', '?container=two'), 'polo two\n');
      const out = await world.ctl(
        '-n',
        space.name,
        'exec',
        'p',
        '-c',
        'one',
        '--',
        'echo',
        'marco',
      );
      assert.equal(out, 'marco\n');
    },
  },
  {
    name: 'The output of a container is its log, a failing one has a reason and can be deleted',
    covers: [
      `${node}Kubelet when scheduling a busybox command in a pod should print the output to logs`,
      `${node}Kubelet when scheduling a busybox command that always fails in a pod should have an terminated reason`,
      `${node}Kubelet when scheduling a busybox command that always fails in a pod should be possible to delete`,
    ],
    run: async (world) => {
      const space = await world.namespace('kubelet');
      const [said, failed] = await Promise.all([
        space.runs('said', 'echo Hello World'),
        space.runs('failed', 'false'),
      ]);
      assert.equal(said.log, 'Hello World\n');
      assert.equal(main(failed.pod)?.state?.terminated?.reason, 'Error');
      await world.delete(space.pod('failed'));
      await world.gone(space.pod('failed'));
    },
  },
  {
    name: 'A read-only root stays as it is; a writable one takes files; the user is who was asked for',
    covers: [
      `${node}Kubelet when scheduling a read only busybox container should not write to root filesystem [LinuxOnly]`,
      `${node}Security Context When creating a pod with readOnlyRootFilesystem should run the container with writable rootfs when readOnlyRootFilesystem=false`,
      `${node}Security Context When creating a container with runAsUser should run the container with uid 65534 [LinuxOnly]`,
      `${node}Security Context should support container.SecurityContext.RunAsUser And container.SecurityContext.RunAsGroup [LinuxOnly]`,
      `${node}Security Context should support pod.Spec.SecurityContext.RunAsUser And pod.Spec.SecurityContext.RunAsGroup [LinuxOnly]`,
      `${node}Security Context When creating a pod with privileged should run the container as unprivileged when false [LinuxOnly]`,
      `${node}Security Context when creating containers with AllowPrivilegeEscalation should not allow privilege escalation when false [LinuxOnly]`,
    ],
    run: secures,
  },
  {
    name: 'Aliases, the Pod itself and the cluster are in the hosts file that the kubelet writes',
    covers: [
      `${node}Kubelet when scheduling an agnhost Pod with hostAliases should write entries to /etc/hosts`,
      `${node}KubeletManagedEtcHosts should test kubelet managed /etc/hosts file`,
      '[sig-network] DNS should provide /etc/hosts entries for the cluster',
    ],
    run: async (world) => {
      const space = await world.namespace('hosts');
      const hostAliases = [{ ip: '123.45.67.89', hostnames: ['foo', 'bar'] }];
      const host = { name: 'h', hostPath: { path: '/etc/hosts' } };
      const [managed, mounted, onHost] = await Promise.all([
        space.runs('managed', 'cat /etc/hosts', { spec: { hostAliases, hostname: 'own-name' } }),
        space.runs('mounted', 'cat /etc/hosts', {
          spec: { volumes: [host] },
          container: { volumeMounts: [{ name: 'h', mountPath: '/etc/hosts' }] },
        }),
        space.runs('on-host', 'cat /etc/hosts', { spec: { hostNetwork: true } }),
      ]);
      assert.match(managed.log, /Kubernetes-managed hosts file/);
      assert.match(managed.log, /123\.45\.67\.89\tfoo\tbar/);
      assert.match(managed.log, new RegExp(`${managed.pod.status?.podIP}\\s+own-name`));
      assert.doesNotMatch(mounted.log, /Kubernetes-managed/);
      assert.match(onHost.log, /localhost/);
    },
  },
  {
    name: 'Sysctls that are safe are set in the Pod',
    covers: [`${node}Sysctls [LinuxOnly] should support sysctls [Environment:NotInUserNS]`],
    run: async (world) => {
      const space = await world.namespace('sysctls');
      const sysctls = [{ name: 'kernel.shm_rmid_forced', value: '1' }];
      const { log } = await space.runs('p', 'cat /proc/sys/kernel/shm_rmid_forced', {
        spec: { securityContext: { sysctls } },
      });
      assert.equal(log, '1\n');
    },
  },
  {
    name: 'Logs are cut by lines, bytes and time, and carry times',
    covers: ['[sig-cli] Kubectl logs logs should be able to retrieve and filter logs'],
    run: async (world) => {
      const space = await world.namespace('logs');
      await space.runs('p', 'seq 1 100');
      const logs = (...args: readonly string[]): Promise<string> =>
        world.ctl('-n', space.name, 'logs', 'p', 'main', ...args);
      assert.equal((await logs()).split('\n').length, 101);
      assert.equal(await logs('--tail=1'), '100\n');
      assert.equal(await logs('--limit-bytes=1'), '1');
      const [stamp = ''] = (await logs('--tail=1', '--timestamps')).split(' ');
      assert.match(stamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
      assert.equal((await logs('--since=24h')).split('\n').length, 101);
      await eventually(
        'lines are older than a second',
        async () => (await logs('--since=1s')) === '',
        5,
      );
    },
  },
  {
    name: 'Commands and logs go over WebSockets',
    covers: [
      `${node}Pods should support remote command execution over websockets`,
      `${node}Pods should support retrieving logs from the container over websockets`,
    ],
    run: async (world) => {
      const space = await world.namespace('sockets');
      await space.stays('p', `echo container is alive; ${forever}`);
      const command = ['echo', 'remote execution test'].map(
        (it) => `command=${encodeURIComponent(it)}`,
      );
      const query = ['stdout=1', 'stderr=1', 'container=main', ...command].join('&');
      const frames = await socketFrames(
        world,
        `${space.pod('p')}/exec?${query}`,
        'v4.channel.k8s.io',
      );
      const out = frames.filter((it) => it[0] === 1 && it.length > 1);
      assert.equal(
        Buffer.concat(out.map((it) => it.subarray(1))).toString(),
        'remote execution test\n',
      );
      const lines = await socketFrames(
        world,
        `${space.pod('p')}/log?container=main`,
        'binary.k8s.io',
      );
      assert.equal(Buffer.concat([...lines]).toString(), 'container is alive\n');
    },
  },
];

/** What comes over a WebSocket until the other side closes it. */
async function socketFrames(
  world: World,
  path: string,
  protocol: string,
): Promise<readonly Buffer[]> {
  const { default: WebSocket } = await import('ws');
  const socket = new WebSocket(`${world.server.replace('https', 'wss')}${path}`, [protocol], {
    ca: world.pki('ca.crt'),
    cert: world.pki('admin.crt'),
    key: world.pki('admin.key'),
  });
  const frames: Buffer[] = [];
  socket.on('message', (data: Buffer) => frames.push(data));
  await new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', resolve);
  });
  return frames;
}

async function countsGenerations(world: World): Promise<void> {
  const space = await world.namespace('generation');
  const made = await space.create(podOf('p', forever, { metadata: { generation: 100 } }));
  assert.equal(made.metadata?.generation, 1);
  await space.ready('p');
  const labelled = await world.patch(space.pod('p'), { metadata: { labels: { a: 'b' } } });
  assert.equal(labelled.metadata?.generation, 1);
  const tolerations = [...list(labelled.spec?.tolerations), { key: 'some', operator: 'Exists' }];
  const tolerating = await world.patch(space.pod('p'), { spec: { tolerations } });
  assert.equal(tolerating.metadata?.generation, 2);
  await world.patch(
    space.pod('p'),
    { spec: { containers: [{ name: 'main', image: 'conformance/busybox:2' }] } },
    'strategic',
  );
  for (let at = 0; at < 50; at++)
    await world.patch(space.pod('p'), {
      spec: {
        tolerations: [
          ...tolerations,
          ...Array.from({ length: at + 1 }, (_, n) => ({ key: `t${n}`, operator: 'Exists' })),
        ],
      },
    });
  const last = await world.get(space.pod('p'));
  assert.equal(last.metadata?.generation, 53);
  await world.when(space.pod('p'), (it) => Number(it?.status?.observedGeneration) === 53);
  await world.patch(space.pod('p'), { metadata: { finalizers: ['example.com/hold'] } });
  await world.delete(space.pod('p'), { gracePeriodSeconds: 5 });
  const held = await world.get(space.pod('p'));
  assert.equal(held.metadata?.generation, 54);
  await world.patch(space.pod('p'), { metadata: { finalizers: null } });
  await world.gone(space.pod('p'));
}

async function endsByPolicy(world: World): Promise<void> {
  const space = await world.namespace('policy');
  const volumes = [{ name: 'v', emptyDir: {} }];
  const volumeMounts = [{ name: 'v', mountPath: '/count' }];
  // Fails once, then stays or succeeds by what the policy allows.
  const script = `if [ -e /count/1 ]; then ${forever}; fi; touch /count/1; exit 1`;
  const pod = (name: string, restartPolicy: string, body = script): object =>
    podOf(name, body, { spec: { restartPolicy, volumes }, container: { volumeMounts } });
  await space.create(pod('always', 'Always'));
  await space.create(
    pod('on-failure', 'OnFailure', 'if [ -e /count/1 ]; then exit 0; fi; touch /count/1; exit 1'),
  );
  await space.create(pod('never', 'Never', 'exit 1'));
  const always = await world.when(
    space.pod('always'),
    (it) => restarts(it) === 1 && main(it)?.ready === (true as unknown),
    40,
  );
  assert.equal(always.status?.phase, 'Running');
  assert.ok(main(always)?.state?.running);
  const onFailure = await world.when(
    space.pod('on-failure'),
    (it) => String(it?.status?.phase) === 'Succeeded',
    40,
  );
  assert.equal(restarts(onFailure), 1);
  assert.equal(main(onFailure)?.state?.terminated?.exitCode, 0);
  const never = await space.outcome('never');
  assert.equal(never.pod.status?.phase, 'Failed');
  assert.equal(never.code, 1);
  assert.equal(restarts(never.pod), 0);
  assert.equal(main(never.pod)?.ready, false);
}

async function initialises(world: World): Promise<void> {
  const space = await world.namespace('init');
  const init = (name: string, command: string): object => ({
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['/bin/sh', '-c', command],
  });
  const two = (first: string): object[] => [init('init1', first), init('init2', 'true')];
  await space.create(podOf('never', 'exit 0', { spec: { initContainers: two('true') } }));
  await space.create(
    podOf('always', forever, { spec: { restartPolicy: 'Always', initContainers: two('true') } }),
  );
  await space.create(podOf('fails', 'exit 0', { spec: { initContainers: two('false') } }));
  await space.create(
    podOf('retries', forever, { spec: { restartPolicy: 'Always', initContainers: two('false') } }),
  );
  const never = await space.outcome('never');
  assert.equal(never.pod.status?.phase, 'Succeeded');
  assert.equal(condition(never.pod, 'Initialized')?.status, 'True');
  for (const status of list(never.pod.status?.initContainerStatuses)) {
    assert.equal(status.ready, true);
    assert.equal(status.state?.terminated?.exitCode, 0);
  }
  const always = await space.ready('always');
  assert.equal(condition(always, 'Initialized')?.status, 'True');
  const fails = await world.when(
    space.pod('fails'),
    (it) => String(it?.status?.phase) === 'Failed',
  );
  assert.equal(condition(fails, 'Initialized')?.status, 'False');
  assert.equal(condition(fails, 'Initialized')?.reason, 'ContainersNotInitialized');
  assert.match(
    String(condition(fails, 'Initialized')?.message),
    /incomplete status: \[init1 init2\]/,
  );
  assert.ok(main(fails)?.state?.waiting, 'the container never ran');
  const retries = await world.when(
    space.pod('retries'),
    (it) => Number(list(it?.status?.initContainerStatuses)[0]?.restartCount) >= 2,
    60,
  );
  assert.equal(retries.status?.phase, 'Pending');
  assert.ok(list(retries.status?.initContainerStatuses)[1]?.state?.waiting);
  assert.ok(main(retries)?.state?.waiting);
}

async function hooks(world: World): Promise<void> {
  const space = await world.namespace('hooks');
  const handler = await space.stays('handler', 'exec httpd -f -vv -p 8080 -h /www', {
    container: { readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 } },
  });
  const host = String(handler.status?.podIP);
  const exec = (what: string): object => ({
    exec: {
      command: ['/bin/sh', '-c', `wget -q -O - http://${host}:8080/cgi-bin/request/${what}`],
    },
  });
  const http = (what: string): object => ({
    httpGet: { host, port: 8080, path: `/cgi-bin/request/${what}` },
  });
  const hooked: Readonly<Record<string, object>> = {
    'start-exec': { postStart: exec('start-exec') },
    'start-http': { postStart: http('start-http') },
    'stop-exec': { preStop: exec('stop-exec') },
    'stop-http': { preStop: http('stop-http') },
  };
  await Promise.all(
    Object.entries(hooked).map(async ([name, lifecycle]) => {
      await space.stays(name, forever, {
        container: { lifecycle },
        spec: { terminationGracePeriodSeconds: 10 },
      });
      await world.delete(space.pod(name));
      await world.gone(space.pod(name));
      const log = await space.log('handler');
      assert.ok(log.includes(`${name}`), `${name} in ${log}`);
    }),
  );
}

async function secures(world: World): Promise<void> {
  const space = await world.namespace('secure');
  const as = (
    name: string,
    script: string,
    securityContext: object,
    podContext: object = {},
  ): ReturnType<typeof space.runs> =>
    space.runs(name, script, {
      container: { securityContext },
      spec: { securityContext: podContext },
    });
  const [fixed, writable, user, group, podUser, plain, escalation] = await Promise.all([
    as('fixed', 'touch /file', { readOnlyRootFilesystem: true }),
    as('writable', 'touch /file', { readOnlyRootFilesystem: false }),
    as('user', 'id -u', { runAsUser: 65534 }),
    as('group', 'id', { runAsUser: 1001, runAsGroup: 2002 }),
    as('pod-user', 'id', {}, { runAsUser: 1001, runAsGroup: 2002 }),
    as('plain', 'ip link add dummy0 type dummy', { privileged: false }),
    as('escalation', 'grep NoNewPrivs /proc/self/status', {
      allowPrivilegeEscalation: false,
      runAsUser: 1000,
    }),
  ]);
  assert.notEqual(fixed.code, 0);
  assert.match(fixed.log, /Read-only file system/);
  assert.equal(writable.code, 0);
  assert.equal(user.log, '65534\n');
  assert.match(group.log, /uid=1001 gid=2002/);
  assert.match(podUser.log, /uid=1001 gid=2002/);
  assert.notEqual(plain.code, 0);
  assert.match(plain.log, /Operation not permitted/);
  assert.match(escalation.log, /NoNewPrivs:\s+1/);
}
