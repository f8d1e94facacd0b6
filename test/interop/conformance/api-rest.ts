/** What the API server answers, without a container. */
import assert from 'node:assert/strict';
import { podOf, list, names, condition, type Case, type Event, type World } from './kit.ts';
import { csr } from './api-operations.ts';

const machinery = '[sig-api-machinery] ';
const aggregated =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
const types = (events: readonly Event[]): readonly string[] => events.map(({ type }) => type);

export const restCases: readonly Case[] = [
  {
    name: 'Aggregated discovery lists every built-in resource in one answer',
    covers: [
      `${machinery}AggregatedDiscovery should support aggregated discovery interface`,
      `${machinery}AggregatedDiscovery should support raw aggregated discovery endpoint Accept headers`,
    ],
    run: async (world) => {
      const resources = new Set<string>();
      for (const path of ['/api', '/apis']) {
        const answer = await world.send('GET', path, { headers: { accept: aggregated } });
        assert.match(String(answer.headers['content-type']), /as=APIGroupDiscoveryList/);
        assert.equal(answer.json.kind, 'APIGroupDiscoveryList');
        for (const group of list(answer.json.items))
          for (const version of list(group.versions))
            for (const resource of list(version.resources))
              resources.add(
                `${group.metadata?.name ?? ''}/${version.version}/${resource.resource}/${resource.responseKind?.kind}`,
              );
      }
      for (const wanted of [
        '/v1/configmaps/ConfigMap',
        '/v1/pods/Pod',
        'apps/v1/deployments/Deployment',
        'admissionregistration.k8s.io/v1/validatingwebhookconfigurations/ValidatingWebhookConfiguration',
        'admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/MutatingWebhookConfiguration',
      ])
        assert.ok(resources.has(wanted), `${wanted} in ${[...resources].slice(0, 20).join(' ')}`);
    },
  },
  {
    name: 'Every group lists its preferred version among its versions, and each version has resources',
    covers: [
      `${machinery}Discovery should validate PreferredVersion for each APIGroup`,
      `${machinery}Discovery should locate the groupVersion and a resource within each APIGroup`,
      `${machinery}AdmissionWebhook [Privileged:ClusterAdmin] should include webhook resources in discovery documents`,
    ],
    run: async (world) => {
      const groups = list((await world.get('/apis')).groups);
      assert.ok(groups.length > 15);
      for (const group of groups) {
        const versions = list(group.versions).map((it) => String(it.groupVersion));
        assert.ok(versions.includes(String(group.preferredVersion?.groupVersion)));
        const again = await world.get(`/apis/${group.name}`);
        assert.deepEqual(again.preferredVersion, group.preferredVersion);
        for (const version of versions)
          assert.ok(list((await world.get(`/apis/${version}`)).resources).length > 0, version);
      }
      const admission = await world.get('/apis/admissionregistration.k8s.io/v1');
      const served = list(admission.resources).map((it) => String(it.name));
      assert.ok(served.includes('mutatingwebhookconfigurations'));
      assert.ok(served.includes('validatingwebhookconfigurations'));
    },
  },
  {
    name: 'The version of the server is two numbers',
    covers: [`${machinery}server version should find the server version`],
    run: async (world) => {
      const version = await world.get('/version');
      assert.match(String(version.major), /^[1-9]/);
      assert.match(String(version.minor), /^\d+/);
    },
  },
  {
    name: 'A kind without metadata of its own cannot be had as a table',
    covers: [
      `${machinery}Servers with support for Table transformation should return a 406 for a backend which does not implement metadata`,
    ],
    run: async (world) => {
      const answer = await world.send(
        'POST',
        '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
        {
          headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
          body: { spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } },
        },
      );
      assert.equal(answer.status, 406, answer.text);
      assert.equal(answer.json.reason, 'NotAcceptable');
    },
  },
  {
    name: 'Lists come in pages of one revision, with a count of what remains',
    covers: [
      `${machinery}Servers with support for API chunking should return chunks of results for list calls`,
    ],
    run: async (world) => {
      const space = await world.namespace('chunks');
      const path = `${space.core}/podtemplates`;
      const template = { spec: { containers: [{ name: 'c', image: 'conformance/busybox:1' }] } };
      const all = Array.from({ length: 400 }, (_, at) => `template-${String(at).padStart(4, '0')}`);
      await Promise.all(all.map((name) => world.post(path, { metadata: { name }, template })));
      const seen: string[] = [];
      let token = '';
      let revision: unknown;
      do {
        const page = await world.get(`${path}?limit=17&continue=${encodeURIComponent(token)}`);
        const got = list(page.items).map((it) => String(it.metadata?.name));
        assert.ok(got.length <= 17);
        seen.push(...got);
        revision ??= page.metadata?.resourceVersion;
        assert.equal(page.metadata?.resourceVersion, revision);
        token = String(page.metadata?.continue ?? '');
        const remaining: unknown = page.metadata?.remainingItemCount;
        assert.equal(remaining, token === '' ? undefined : 400 - seen.length);
      } while (token !== '');
      assert.deepEqual(seen, all);
      assert.equal((await world.items(`${path}?limit=500`)).length, 400);
    },
  },
  {
    name: 'Watches with selectors see what enters, changes and leaves their selection',
    covers: [
      `${machinery}Watchers should observe add, update, and delete watch notifications on configmaps`,
      `${machinery}Watchers should observe an object deletion if it stops meeting the requirements of the selector`,
      `${machinery}Watchers should be able to start watching from a specific resource version`,
      `${machinery}Watchers should be able to restart watching from the last resource version observed by the previous watch`,
    ],
    run: watchesSelectors,
  },
  {
    name: 'Watches that start at different revisions see one order',
    covers: [`${machinery}Watchers should receive events on concurrent watches in same order`],
    run: async (world) => {
      const space = await world.namespace('order');
      const path = `${space.core}/configmaps`;
      const revisions = [String((await world.get(path)).metadata?.resourceVersion)];
      for (let at = 0; at < 40; at++) {
        const name = `m-${at % 7}`;
        const exists = (await world.send('GET', `${path}/${name}`)).status === 200;
        const made = exists
          ? await world.patch(`${path}/${name}`, { data: { at: String(at) } })
          : await world.post(path, { metadata: { name } });
        revisions.push(String(made.metadata?.resourceVersion));
      }
      const orders = await Promise.all(
        Array.from({ length: 100 }, async (_, at) => {
          const start = at % 40;
          const from = `${path}?resourceVersion=${revisions[start]}`;
          const events = await world.events(from, 40 - start);
          return events.map(({ object }) => String(object.metadata?.resourceVersion));
        }),
      );
      const whole = revisions.slice(1);
      for (const [at, order] of orders.entries()) assert.deepEqual(order, whole.slice(at % 40));
    },
  },
  {
    name: 'Strict field validation names unknown and doubled fields of typed objects',
    covers: [
      `${machinery}FieldValidation should detect unknown and duplicate fields of a typed object`,
      `${machinery}FieldValidation should detect unknown metadata fields of a typed object`,
    ],
    run: async (world) => {
      const space = await world.namespace('fields');
      const create = (body: string): ReturnType<World['send']> =>
        world.send('POST', `${space.apps}/deployments?fieldValidation=Strict`, { body });
      const rest =
        '"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"n","image":"i"}]}}';
      const head = '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"';
      const first = await create(
        `${head}},"spec":{"unknownField":"foo","replicas":1,"replicas":2,${rest}}}`,
      );
      assert.equal(first.status, 400);
      assert.match(
        String(first.json.message),
        /strict decoding error: unknown field "spec\.unknownField", duplicate field "spec\.replicas"/,
      );
      const second = await create(`${head},"unknownMeta":"foo"},"spec":{${rest}}}`);
      assert.match(
        String(second.json.message),
        /strict decoding error: unknown field "metadata\.unknownMeta"/,
      );
    },
  },
  {
    name: 'A namespace can be patched, updated, given a status, and a finalizer through its door',
    covers: [
      `${machinery}Namespaces [Serial] should patch a Namespace`,
      `${machinery}Namespaces [Serial] should apply an update to a Namespace`,
      `${machinery}Namespaces [Serial] should apply changes to a namespace status`,
      `${machinery}Namespaces [Serial] should apply a finalizer to a Namespace`,
    ],
    run: changesNamespace,
  },
  {
    name: 'Services go with their namespace, and the new one of that name is empty',
    covers: [
      `${machinery}Namespaces [Serial] should ensure that all services are removed when a namespace is deleted`,
    ],
    run: async (world) => {
      const space = await world.namespace('services');
      const service = { metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } };
      await world.post(`${space.core}/services`, service);
      await world.delete(`/api/v1/namespaces/${space.name}`);
      await world.gone(`/api/v1/namespaces/${space.name}`);
      await world.post('/api/v1/namespaces', { metadata: { name: space.name } });
      assert.equal((await world.items(`${space.core}/services`)).length, 0);
    },
  },
  {
    name: 'Events of events.k8s.io keep their series and can be chosen by field and label',
    covers: [
      '[sig-instrumentation] Events API should ensure that an event can be fetched, patched, deleted, and listed',
      '[sig-instrumentation] Events API should delete a collection of events',
    ],
    run: keepsEvents,
  },
  {
    name: 'Defaults and bounds of a LimitRange hold for new Pods',
    covers: [
      '[sig-scheduling] LimitRange should create a LimitRange with defaults and ensure pod has those defaults applied.',
    ],
    run: limitsPods,
  },
  {
    name: 'A certificate request is approved, given a certificate and deleted through its doors',
    covers: [
      '[sig-auth] Certificates API [Privileged:ClusterAdmin] should support CSR API operations',
    ],
    run: async (world) => {
      const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
      const made = await world.post(path, {
        metadata: { generateName: 'conformance-' },
        spec: {
          request: csr,
          signerName: 'example.com/conformance-approved',
          expirationSeconds: 3600,
          usages: ['digital signature', 'key encipherment', 'server auth'],
        },
      });
      const one = `${path}/${made.metadata?.name}`;
      assert.equal(made.spec?.expirationSeconds, 3600);
      assert.equal(made.spec?.username, 'kubernetes-admin');
      const at = `${path}?fieldSelector=${encodeURIComponent('spec.signerName=example.com/conformance-approved')}`;
      assert.ok((await world.items(at)).length > 0);
      const approved = await world.put(`${one}/approval`, {
        ...made,
        status: { conditions: [{ type: 'Approved', status: 'True', reason: 'E2E' }] },
      });
      assert.equal(condition(approved, 'Approved')?.reason, 'E2E');
      const certificate = Buffer.from(world.pki('ca.crt')).toString('base64');
      const signed = await world.put(`${one}/status`, {
        ...approved,
        status: { ...approved.status, certificate },
      });
      assert.equal(signed.status?.certificate, certificate);
      assert.equal((await world.get(`${one}/approval`)).kind, 'CertificateSigningRequest');
      await world.delete(one);
      await world.gone(one);
    },
  },
  {
    name: 'Access reviews answer for a service account as that account is answered',
    covers: ['[sig-auth] SubjectReview should support SubjectReview API operations'],
    run: async (world) => {
      const space = await world.namespace('review');
      const user = `system:serviceaccount:${space.name}:default`;
      const spec = {
        user,
        resourceAttributes: { namespace: space.name, verb: 'list', resource: 'configmaps' },
      };
      const review = await world.post('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
        spec,
      });
      assert.equal(review.status?.allowed, false);
      const local = await world.post(
        `${space.of('authorization.k8s.io/v1')}/localsubjectaccessreviews`,
        { metadata: { namespace: space.name }, spec },
      );
      assert.equal(local.status?.allowed, false);
      const asked = await world.send('GET', `${space.core}/configmaps`, {
        headers: { 'impersonate-user': user },
      });
      assert.equal(asked.status, 403);
    },
  },
  {
    name: 'A token of a service account is authenticated by a review',
    covers: [
      '[sig-auth] ServiceAccounts should create a serviceAccountToken and ensure a successful TokenReview',
    ],
    run: async (world) => {
      const space = await world.namespace('token');
      const asked = await world.post(`${space.core}/serviceaccounts/default/token`, { spec: {} });
      const review = await world.post('/apis/authentication.k8s.io/v1/tokenreviews', {
        spec: { token: asked.status?.token },
      });
      assert.equal(review.status?.authenticated, true);
      assert.equal(review.status?.error ?? '', '');
      assert.equal(review.status?.user?.username, `system:serviceaccount:${space.name}:default`);
    },
  },
  {
    name: 'The account or the Pod may refuse the mounting of a token',
    covers: ['[sig-auth] ServiceAccounts should allow opting out of API token automount'],
    run: async (world) => {
      const space = await world.namespace('automount');
      const choices = [undefined, true, false];
      for (const account of choices) {
        const name = `account-${account}`;
        await world.post(`${space.core}/serviceaccounts`, {
          metadata: { name },
          ...(account === undefined ? {} : { automountServiceAccountToken: account }),
        });
        for (const pod of choices) {
          const made = await world.send('POST', `${space.core}/pods?dryRun=All`, {
            body: podOf(`p-${pod}`, 'true', {
              spec: {
                serviceAccountName: name,
                ...(pod === undefined ? {} : { automountServiceAccountToken: pod }),
              },
            }),
          });
          const mounts = list(list(made.json.spec?.containers)[0]?.volumeMounts);
          const mounted = mounts.some(
            (it) => String(it.mountPath) === '/var/run/secrets/kubernetes.io/serviceaccount',
          );
          assert.equal(mounted, pod ?? account ?? true, `account ${account}, pod ${pod}`);
        }
      }
    },
  },
  {
    name: 'The root certificate is put back when it is deleted or changed',
    covers: ['[sig-auth] ServiceAccounts should guarantee kube-root-ca.crt exist in any namespace'],
    run: async (world) => {
      const space = await world.namespace('root');
      const path = `${space.core}/configmaps/kube-root-ca.crt`;
      const first = await world.get(path);
      await world.delete(path);
      await world.when(path, (it) => it !== undefined && it.metadata?.uid !== first.metadata?.uid);
      await world.patch(path, { data: { 'ca.crt': 'changed' } });
      const back = await world.when(path, (it) => it?.data?.['ca.crt'] === first.data?.['ca.crt']);
      assert.match(String(back.data?.['ca.crt']), /BEGIN CERTIFICATE/);
    },
  },
  {
    name: 'Empty keys are refused, and immutable ConfigMaps and Secrets stay as they are',
    covers: [
      '[sig-node] ConfigMap should fail to create ConfigMap with empty key',
      '[sig-node] Secrets should fail to create secret due to empty secret key',
      '[sig-storage] ConfigMap should be immutable if `immutable` field is set',
      '[sig-storage] Secrets should be immutable if `immutable` field is set',
    ],
    run: async (world) => {
      const space = await world.namespace('immutable');
      for (const plural of ['configmaps', 'secrets']) {
        const path = `${space.core}/${plural}`;
        const bad = { metadata: { name: 'bad' }, data: { '': 'dmFs' } };
        assert.equal((await world.send('POST', path, { body: bad })).status, 422);
        await world.post(path, { metadata: { name: 'm' }, data: { k: 'dmFs' } });
        await world.patch(`${path}/m`, { data: { k: 'bmV3' } });
        await world.patch(`${path}/m`, { immutable: true });
        for (const body of [{ data: { k: 'dmFs' } }, { immutable: null }]) {
          const refused = await world.send('PATCH', `${path}/m`, {
            body,
            headers: { 'content-type': 'application/merge-patch+json' },
          });
          assert.equal(refused.status, 422, refused.text);
        }
        await world.patch(`${path}/m`, { metadata: { labels: { still: 'free' } } });
        await world.delete(`${path}/m`);
      }
    },
  },
  {
    name: 'A node object can be made, changed and deleted by an administrator',
    covers: ['[sig-node] Node Lifecycle should run through the lifecycle of a node'],
    run: async (world) => {
      const path = '/api/v1/nodes/conformance-fake';
      await world.post('/api/v1/nodes', {
        metadata: { name: 'conformance-fake' },
        spec: { unschedulable: true },
      });
      await world.patch(path, { metadata: { labels: { 'conformance-fake': 'patched' } } });
      const patched = await world.get(path);
      const labels = { ...patched.metadata?.labels, 'conformance-fake': 'updated' };
      await eventuallyPut(world, path, (it) => ({ ...it, metadata: { ...it.metadata, labels } }));
      const status = await world.patch(`${path}/status`, {
        status: { conditions: [{ type: 'Ready', status: 'True', reason: 'E2E', message: 'set' }] },
      });
      assert.equal(condition(status, 'Ready')?.reason, 'E2E');
      const found = await world.items('/api/v1/nodes?labelSelector=conformance-fake=updated');
      assert.equal(found.length, 1);
      await world.delete('/api/v1/nodes?labelSelector=conformance-fake=updated');
      await world.gone(path);
    },
  },
  {
    name: 'The quality of service of a Pod is in the answer to its creation',
    covers: [
      '[sig-node] Pods Extended Pods Set QOS Class should be set on Pods with matching resource requests and limits for memory and cpu',
    ],
    run: async (world) => {
      const space = await world.namespace('qos');
      const amounts = { cpu: '100m', memory: '100Mi' };
      const resources = { requests: amounts, limits: amounts };
      const made = await space.create(podOf('p', 'true', { container: { resources } }));
      assert.equal(made.status?.qosClass, 'Guaranteed');
    },
  },
  {
    name: 'A Pod that asks for a missing RuntimeClass is refused; overhead comes from the class',
    covers: [
      '[sig-node] RuntimeClass should reject a Pod requesting a non-existent RuntimeClass',
      '[sig-node] RuntimeClass should reject a Pod requesting a deleted RuntimeClass',
      '[sig-node] RuntimeClass should schedule a Pod requesting a RuntimeClass and initialize its Overhead',
      '[sig-node] RuntimeClass should schedule a Pod requesting a RuntimeClass without PodOverhead',
    ],
    run: usesRuntimeClasses,
  },
  {
    name: 'Names of sysctls are checked',
    covers: ['[sig-node] Sysctls [LinuxOnly] should reject invalid sysctls'],
    run: async (world) => {
      const space = await world.namespace('sysctl');
      const sysctls = ['foo-', 'kernel.shmmax', 'safe-and-unsafe', 'bar..'].map((name) => ({
        name,
        value: '1',
      }));
      const refused = await world.send('POST', `${space.core}/pods`, {
        body: podOf('p', 'true', { spec: { securityContext: { sysctls } } }),
      });
      assert.equal(refused.status, 422);
      assert.match(refused.text, /Invalid value: \\"foo-\\"/);
      assert.match(refused.text, /Invalid value: \\"bar\.\.\\"/);
      assert.doesNotMatch(refused.text, /safe-and-unsafe|kernel\.shmmax/);
    },
  },
  {
    name: 'The API server is a Service with an address that Endpoints and EndpointSlice share',
    covers: [
      '[sig-network] API Server should provide secure master service',
      '[sig-network] API Server should have Endpoints and EndpointSlices pointing to API Server',
    ],
    run: async (world) => {
      const service = await world.get('/api/v1/namespaces/default/services/kubernetes');
      assert.deepEqual(service.spec?.ports?.[0]?.port, 443);
      const endpoints = await world.get('/api/v1/namespaces/default/endpoints/kubernetes');
      const slices = await world.items(
        '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name=kubernetes',
      );
      const addresses = list(endpoints.subsets?.[0]?.addresses).map((it) => String(it.ip));
      assert.ok(addresses.length > 0);
      assert.deepEqual(
        slices.flatMap((slice) =>
          list(slice.endpoints).flatMap((it) => list(it.addresses).map(String)),
        ),
        addresses,
      );
      assert.equal(slices[0]?.ports?.[0]?.port, endpoints.subsets?.[0]?.ports?.[0]?.port);
    },
  },
  {
    name: 'Services have a status door, are deleted by label, and are found in all namespaces',
    covers: [
      '[sig-network] Services should complete a service status lifecycle',
      '[sig-network] Services should delete a collection of services',
      '[sig-network] Services should find a service from listing all namespaces',
    ],
    run: async (world) => {
      const space = await world.namespace('svc');
      const path = `${space.core}/services`;
      const labels = { 'conformance-service': space.name };
      for (const name of ['a', 'b', 'c'])
        await world.post(path, {
          metadata: { name, labels: name === 'c' ? {} : labels },
          spec: {
            type: name === 'a' ? 'LoadBalancer' : 'ClusterIP',
            loadBalancerClass: name === 'a' ? 'example.com/none' : undefined,
            ports: [{ name: 'http', port: 80 }],
          },
        });
      const patched = await world.patch(`${path}/a/status`, {
        metadata: { annotations: { patchedstatus: 'true' } },
        status: { loadBalancer: { ingress: [{ ip: '203.0.113.1' }] } },
      });
      assert.equal(patched.metadata?.annotations?.patchedstatus, 'true');
      assert.equal(patched.status?.loadBalancer?.ingress?.[0]?.ip, '203.0.113.1');
      const conditions = [
        {
          type: 'StatusUpdate',
          status: 'True',
          reason: 'E2E',
          message: 'Set from a case',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ];
      const updated = await world.put(`${path}/a/status`, {
        ...patched,
        status: { ...patched.status, conditions },
      });
      assert.equal(condition(updated, 'StatusUpdate')?.reason, 'E2E');
      const everywhere = await world.items('/api/v1/services');
      assert.ok(names(everywhere).includes('kubernetes'));
      await world.delete(`${path}?labelSelector=conformance-service=${space.name}`);
      assert.deepEqual(names(await world.items(path)), ['c']);
    },
  },
  {
    name: 'The value of a priority class is fixed, its description is not',
    covers: [
      '[sig-scheduling] SchedulerPreemption [Serial] PriorityClass endpoints verify PriorityClass endpoints can be operated with different HTTP methods',
    ],
    run: async (world) => {
      const space = await world.namespace('priority');
      const path = '/apis/scheduling.k8s.io/v1/priorityclasses';
      const made = await world.post(path, { metadata: { name: space.name }, value: 7 });
      const changed = await world.send('PUT', `${path}/${space.name}`, {
        body: { ...made, value: 8 },
      });
      assert.equal(changed.status, 422, changed.text);
      const described = await world.patch(`${path}/${space.name}`, { description: 'free' });
      assert.equal(described.description, 'free');
      await world.delete(`${path}/${space.name}`);
    },
  },
  {
    name: 'A Pod keeps the inline volume of a driver as it was given',
    covers: ['[sig-storage] CSIInlineVolumes should support CSIVolumeSource in Pod API'],
    run: async (world) => {
      const space = await world.namespace('csi');
      const csi = { driver: 'e2e.example.com', readOnly: false, volumeAttributes: { a: 'b' } };
      await space.create(
        podOf('p', 'true', {
          spec: { nodeSelector: { none: 'here' }, volumes: [{ name: 'v', csi }] },
        }),
      );
      const volumes = list((await world.get(space.pod('p'))).spec?.volumes);
      assert.deepEqual(volumes.find((it) => String(it.name) === 'v')?.csi, csi);
      await world.delete(`${space.core}/pods`);
      await world.gone(space.pod('p'));
    },
  },
  {
    name: 'Two nodes take Pods without being tolerated',
    covers: ['[sig-architecture] Conformance Tests should have at least two untainted nodes'],
    run: async (world) => {
      const nodes = await world.items('/api/v1/nodes');
      const free = nodes.filter(
        (it) =>
          list(it.spec?.taints).length === 0 &&
          condition(it, 'Ready')?.status === ('True' as unknown),
      );
      assert.ok(free.length >= 2);
    },
  },
];

async function eventuallyPut(
  world: World,
  path: string,
  change: (object: Awaited<ReturnType<World['get']>>) => object,
): Promise<void> {
  for (let left = 5; ; left--) {
    const answer = await world.send('PUT', path, { body: change(await world.get(path)) });
    if (answer.status === 200) return;
    assert.ok(left > 0 && answer.status === 409, answer.text);
  }
}

async function watchesSelectors(world: World): Promise<void> {
  const space = await world.namespace('watch');
  const path = `${space.core}/configmaps`;
  const from = String((await world.get(path)).metadata?.resourceVersion);
  const select = (selector: string, revision = from): string =>
    `${path}?labelSelector=${encodeURIComponent(selector)}&resourceVersion=${revision}`;
  const a = world.events(select('watch=a'), 5);
  const b = world.events(select('watch=b'), 2);
  const both = world.events(select('watch in (a,b)'), 7);
  await world.post(path, { metadata: { name: 'a', labels: { watch: 'a' } } });
  const second = await world.patch(`${path}/a`, { data: { mutation: '1' } });
  await world.post(path, { metadata: { name: 'b', labels: { watch: 'b' } } });
  await world.patch(`${path}/a`, { metadata: { labels: { watch: 'neither' } } });
  await world.patch(`${path}/a`, { data: { mutation: '2' } });
  await world.patch(`${path}/a`, { metadata: { labels: { watch: 'a' } } });
  await world.delete(`${path}/b`);
  await world.delete(`${path}/a`);
  const seenByA = await a;
  assert.deepEqual(types(seenByA), ['ADDED', 'MODIFIED', 'DELETED', 'ADDED', 'DELETED']);
  assert.equal(seenByA[3]?.object.data?.mutation, '2');
  assert.deepEqual(types(await b), ['ADDED', 'DELETED']);
  assert.deepEqual(types(await both), [
    'ADDED',
    'MODIFIED',
    'ADDED',
    'DELETED',
    'ADDED',
    'DELETED',
    'DELETED',
  ]);
  const later = await world.events(select('watch=a', String(second.metadata?.resourceVersion)), 3);
  assert.deepEqual(types(later), ['DELETED', 'ADDED', 'DELETED']);
}

async function changesNamespace(world: World): Promise<void> {
  const space = await world.namespace('ns');
  const path = `/api/v1/namespaces/${space.name}`;
  const patched = await world.patch(
    path,
    { metadata: { labels: { testLabel: 'testValue' } } },
    'strategic',
  );
  assert.equal(patched.metadata?.labels?.testLabel, 'testValue');
  await eventuallyPut(world, path, (it) => ({
    ...it,
    metadata: { ...it.metadata, labels: { ...it.metadata?.labels, updated: 'yes' } },
  }));
  const conditions = [
    { type: 'StatusPatch', status: 'True', reason: 'E2E', message: 'Patched by an e2e test' },
  ];
  const status = await world.patch(`${path}/status`, {
    metadata: { annotations: { e2e: 'patched' } },
    status: { conditions },
  });
  assert.equal(condition(status, 'StatusPatch')?.message, 'Patched by an e2e test');
  assert.equal(status.metadata?.annotations?.e2e, 'patched');
  assert.equal(status.status?.phase, 'Active');
  assert.equal((await world.get(`${path}/status`)).kind, 'Namespace');
  const fake = 'e2e.example.com/fakeFinalizer';
  const current = await world.get(path);
  const finalizers = [...list(current.spec?.finalizers).map(String), fake];
  const with2 = await world.put(`${path}/finalize`, { ...current, spec: { finalizers } });
  assert.deepEqual(with2.spec?.finalizers, finalizers);
  const without = await world.put(`${path}/finalize`, {
    ...with2,
    spec: { finalizers: finalizers.filter((it) => it !== fake) },
  });
  assert.equal(list(without.spec?.finalizers).length, 1);
}

async function keepsEvents(world: World): Promise<void> {
  const space = await world.namespace('events');
  const path = `${space.of('events.k8s.io/v1')}/events`;
  const make = (name: string): object => ({
    metadata: { name, labels: { 'conformance-events': space.name } },
    regarding: { namespace: space.name },
    note: 'This is a case',
    type: 'Normal',
    reason: 'Test',
    action: 'Do',
    reportingController: 'test-controller',
    reportingInstance: 'test-node',
    eventTime: '2026-01-01T00:00:00.000000Z',
  });
  const made = await world.post(path, make('one'));
  assert.equal(made.eventTime, '2026-01-01T00:00:00.000000Z');
  const bySelector = `fieldSelector=${encodeURIComponent('reportingController=test-controller')}`;
  assert.deepEqual(names(await world.items(`${path}?${bySelector}`)), ['one']);
  const core = await world.items(
    `${space.core}/events?fieldSelector=${encodeURIComponent('source=test-controller')}`,
  );
  assert.ok(core.length <= 1);
  const series = { count: 2, lastObservedTime: '2026-01-01T00:00:01.123456Z' };
  const patched = await world.patch(`${path}/one`, { series });
  assert.deepEqual(patched.series, series);
  const again = { count: 3, lastObservedTime: '2026-01-01T00:00:02.000000Z' };
  const updated = await world.put(`${path}/one`, { ...patched, series: again });
  assert.deepEqual(updated.series, again);
  await world.post(path, make('two'));
  await world.post(path, make('three'));
  const label = `labelSelector=conformance-events=${space.name}`;
  assert.equal((await world.items(`/apis/events.k8s.io/v1/events?${label}`)).length, 3);
  await world.delete(`${path}/one`);
  await world.delete(`${path}?${label}`);
  assert.equal((await world.items(`${path}?${label}`)).length, 0);
}

async function limitsPods(world: World): Promise<void> {
  const space = await world.namespace('limits');
  const limit = (minCpu: string): object => ({
    metadata: { name: 'limit' },
    spec: {
      limits: [
        {
          type: 'Container',
          min: { cpu: minCpu, memory: '100Mi' },
          max: { cpu: '500m', memory: '500Mi' },
          defaultRequest: { cpu: '100m', memory: '200Mi' },
          default: { cpu: '300m', memory: '400Mi' },
        },
      ],
    },
  });
  await world.post(`${space.core}/limitranges`, limit('50m'));
  const pod = (name: string, resources: object): object =>
    podOf(name, 'true', { container: { resources } });
  const resourcesOf = (made: Awaited<ReturnType<World['get']>>): unknown =>
    made.spec?.containers?.[0]?.resources;
  assert.deepEqual(resourcesOf(await space.create(pod('none', {}))), {
    limits: { cpu: '300m', memory: '400Mi' },
    requests: { cpu: '100m', memory: '200Mi' },
  });
  const onlyLimit = await space.create(pod('some', { limits: { cpu: '300m' } }));
  assert.deepEqual(resourcesOf(onlyLimit), {
    limits: { cpu: '300m', memory: '400Mi' },
    requests: { cpu: '300m', memory: '200Mi' },
  });
  for (const cpu of ['10m', '600m']) {
    const refused = await world.send('POST', `${space.core}/pods`, {
      body: pod('bad', { requests: { cpu }, limits: { cpu } }),
    });
    assert.equal(refused.status, 403, refused.text);
  }
  const path = `${space.core}/limitranges/limit`;
  await world.put(path, { ...(await world.get(path)), ...limit('5m') });
  await space.create(pod('good', { requests: { cpu: '10m' }, limits: { cpu: '10m' } }));
  await world.delete(path);
  await world.gone(path);
}

async function usesRuntimeClasses(world: World): Promise<void> {
  const space = await world.namespace('class');
  const path = '/apis/node.k8s.io/v1/runtimeclasses';
  const pod = (name: string, runtimeClassName: string): object =>
    podOf(name, 'exit 0', { spec: { runtimeClassName } });
  const refuses = async (className: string): Promise<void> => {
    const refused = await world.send('POST', `${space.core}/pods`, { body: pod('no', className) });
    assert.equal(refused.status, 403);
    assert.match(
      refused.text,
      new RegExp(`pod rejected: RuntimeClass \\\\"${className}\\\\" not found`),
    );
  };
  await refuses('nobody-made-this');
  const name = `class-${space.name}`;
  // Only scheduling is looked at: no node has to know the handler.
  await world.post(path, {
    metadata: { name },
    handler: 'conformance',
    overhead: { podFixed: { cpu: '10m', memory: '1Mi' } },
  });
  await world.post(path, { metadata: { name: `${name}-plain` }, handler: 'conformance' });
  const heavy = await space.create(pod('heavy', name));
  assert.deepEqual(heavy.spec?.overhead, { cpu: '10m', memory: '1Mi' });
  assert.equal((await space.create(pod('plain', `${name}-plain`))).spec?.overhead, undefined);
  for (const each of ['heavy', 'plain'])
    await world.when(
      space.pod(each),
      (it) => condition(it, 'PodScheduled')?.status === ('True' as unknown),
    );
  await world.delete(`${path}/${name}`);
  await world.delete(`${path}/${name}-plain`);
  await refuses(name);
}
