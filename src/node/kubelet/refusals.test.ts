import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '#kube/kinds';
import { pods } from './resources.ts';
import { createPod, read, world } from './world.test.ts';
import type { Spec } from './world.test.ts';

type SecurityContext = NonNullable<Pod['spec']['securityContext']>;
const securely = (securityContext: SecurityContext): Spec => ({ securityContext });
const rmem = { name: 'net.ipv4.tcp_rmem', value: '1 2 3' };

const refused: readonly { name: string; spec: Spec; reason: string; message: string }[] = [
  {
    name: 'an unsafe sysctl',
    spec: securely({ sysctls: [{ name: 'kernel.msgmax', value: '1' }] }),
    reason: 'SysctlForbidden',
    message: 'forbidden sysctl: "kernel.msgmax" not allowlisted',
  },
  {
    name: "a sysctl of the host's own network",
    spec: { ...securely({ sysctls: [rmem] }), hostNetwork: true },
    reason: 'SysctlForbidden',
    message: 'forbidden sysctl: "net.ipv4.tcp_rmem" not allowed with host net enabled',
  },
  {
    name: "a sysctl of the host's own IPC",
    spec: {
      ...securely({ sysctls: [{ name: 'kernel.shm_rmid_forced', value: '1' }] }),
      hostIPC: true,
    },
    reason: 'SysctlForbidden',
    message: 'forbidden sysctl: "kernel.shm_rmid_forced" not allowed with host ipc enabled',
  },
  {
    name: 'an AppArmor profile where there is no AppArmor',
    spec: securely({ appArmorProfile: { type: 'RuntimeDefault' } }),
    reason: 'AppArmor',
    message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host',
  },
];
for (const { name, spec, reason, message } of refused)
  test(`A Pod with ${name} fails at once`, async () => {
    const { api, clock, runtime, events, stop } = await world();
    await createPod(api, 'a', spec);
    await clock.advance(100);
    const { status } = await read(api, 'a');
    assert.deepEqual([status.phase, status.reason, status.message], ['Failed', reason, message]);
    assert(events.includes(`${reason}: ${message}`));
    assert.deepEqual(runtime.sandboxes(), []);
    await stop();
  });

test('Safe sysctls reach the sandbox, also with slashes', async () => {
  const { api, clock, runtime, stop } = await world();
  const sysctls = [rmem, { name: 'net/ipv4/tcp_syncookies', value: '0' }];
  await createPod(api, 'a', securely({ sysctls }));
  await clock.advance(100);
  assert.deepEqual(runtime.sandboxes()[0]?.spec.sysctls, {
    'net.ipv4.tcp_rmem': '1 2 3',
    'net.ipv4.tcp_syncookies': '0',
  });
  await stop();
});

test('A user namespace is refused in words while the Pod waits', async () => {
  const { api, clock, runtime, events, stop } = await world();
  await createPod(api, 'a', { hostUsers: false });
  await clock.advance(100);
  assert.equal((await read(api, 'a')).status.phase, 'Pending');
  assert(events.some((text) => /FailedCreatePodSandBox.*user namespaces/.test(text)));
  assert.deepEqual(runtime.sandboxes(), []);
  await stop();
});

/** The waiting reason and message of container "c" of a Pod so made. */
async function waitingOf(spec: Spec, facts: { apparmorProfiles?: readonly string[] } = {}) {
  const { api, clock, runtime, events, restart, stop } = await world();
  runtime.facts = facts;
  await restart();
  await createPod(api, 'a', spec);
  await clock.advance(200);
  const { status } = await read(api, 'a');
  const [made] = runtime.containers();
  await stop();
  return { waiting: status.containerStatuses?.[0]?.state.waiting, made, events };
}
const withContainer = (more: object): Spec => ({
  containers: [{ name: 'c', image: 'app', resources: {}, ...more }],
});

test('AppArmor profiles that are loaded are given, others named', async () => {
  const facts = { apparmorProfiles: ['docker-default', 'mine'] };
  const ask = (profile: object) =>
    waitingOf(withContainer({ securityContext: { appArmorProfile: profile } }), facts);
  const own = await ask({ type: 'Localhost', localhostProfile: 'mine' });
  assert.equal(own.made?.spec.security.apparmorProfile, 'mine');
  const usual = await ask({ type: 'RuntimeDefault' });
  assert.equal(usual.made?.spec.security.apparmorProfile, 'docker-default');
  const none = await ask({ type: 'Localhost', localhostProfile: 'theirs' });
  assert.deepEqual(none.waiting, {
    reason: 'CreateContainerConfigError',
    message: 'AppArmor profile "theirs" is not loaded on this node',
  });
});

test('SELinux options on a machine without it are said to do nothing', async () => {
  const { made, events } = await waitingOf(securely({ seLinuxOptions: { level: 's0:c1,c2' } }));
  assert.equal(made?.spec.security.selinuxLabel, undefined);
  assert(events.some((text) => text.startsWith('SELinuxNotEnabled: ')));
});

test('Seccomp profiles of the machine lie below its seccomp folder', async () => {
  const ask = (localhostProfile: string) =>
    waitingOf(securely({ seccompProfile: { type: 'Localhost', localhostProfile } }));
  const { made } = await ask('team/strict.json');
  assert.deepEqual(made?.spec.security.seccomp, {
    localhostProfile: '/pods/../seccomp/team/strict.json',
  });
  const { waiting } = await ask('../../etc/passwd');
  assert.equal(waiting?.reason, 'CreateContainerConfigError');
});

test('Group policy and recursive read-only mounts are handed on', async () => {
  const mount = { name: 'v', mountPath: '/v', readOnly: true };
  const { made } = await waitingOf({
    ...withContainer({
      volumeMounts: [
        { ...mount, recursiveReadOnly: 'Enabled' },
        { ...mount, mountPath: '/w', recursiveReadOnly: 'IfPossible' },
        { ...mount, mountPath: '/x' },
      ],
    }),
    ...securely({ supplementalGroupsPolicy: 'Strict' }),
    volumes: [{ name: 'v', emptyDir: {} }],
  });
  assert.equal(made?.spec.security.supplementalGroupsPolicy, 'Strict');
  assert.deepEqual(
    made?.spec.mounts.slice(0, 3).map(({ recursiveReadOnly }) => recursiveReadOnly),
    [true, true, undefined],
  );
});

test('A volume given as a device must be one', async () => {
  const { waiting } = await waitingOf({
    ...withContainer({ volumeDevices: [{ name: 'v', devicePath: '/dev/xvda' }] }),
    volumes: [{ name: 'v', hostPath: { path: '/data' } }],
  });
  assert.deepEqual(waiting, {
    reason: 'CreateContainerConfigError',
    message: 'volume "v" of container "c" is not a block device',
  });
});

test('Huge pages for an emptyDir are refused in words', async () => {
  const { events, made } = await waitingOf({
    volumes: [{ name: 'v', emptyDir: { medium: 'HugePages' } }],
  });
  assert.equal(made, undefined);
  assert(events.some((text) => /FailedMount.*emptyDir of medium "HugePages"/.test(text)));
});

test('An agent restarted in the middle of a termination grants only the rest of the grace', async () => {
  const { api, clock, runtime, restart, stop } = await world({
    program: () => ({ termMs: 3_600_000 }),
  });
  await createPod(api, 'a', { terminationGracePeriodSeconds: 30 });
  await clock.advance(100);
  await api.delete(pods, { namespace: 'default', name: 'a' });
  await clock.advance(20_000);
  await restart();
  await clock.advance(8_000);
  assert.equal(runtime.containers()[0]?.state, 'running');
  await clock.advance(4_000);
  assert.deepEqual(api.all(pods), []);
  assert.deepEqual(runtime.containers(), []);
  await stop();
});

test('A Pod deleted by force is ended within its second and forgotten', async () => {
  const { api, clock, runtime, files, stop } = await world({
    program: () => ({ termMs: 3_600_000 }),
  });
  await createPod(api, 'a');
  await createPod(api, 'b', { terminationGracePeriodSeconds: 60 });
  await clock.advance(100);
  await api.delete(pods, { namespace: 'default', name: 'a' }, { gracePeriodSeconds: 0 });
  // In the middle of a grace that began before.
  await api.delete(pods, { namespace: 'default', name: 'b' });
  await clock.advance(10_000);
  assert.equal(runtime.containers().length, 1);
  await api.delete(pods, { namespace: 'default', name: 'b' }, { gracePeriodSeconds: 0 });
  await clock.advance(2_500);
  assert.deepEqual([runtime.containers(), runtime.sandboxes()], [[], []]);
  assert.deepEqual(await files.list('/pods'), []);
  await stop();
});
