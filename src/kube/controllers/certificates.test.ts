import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base';
import { createFakeApi } from '#client';
import { certificateSigningRequests as csrKind } from '#kube/kinds';
import { createSimClock, seededRandom } from '#sim';
import { certificateController } from './certificates.ts';
import { createContext } from './context.ts';

test('a joining agent gets its certificate, and nobody gets that of another', async () => {
  const clock = createSimClock();
  const random = seededRandom(1);
  const api = createFakeApi({ clock, random });
  const context = createContext({ api, clock, random, logger: silentLogger });
  const controller = certificateController(context, {
    read: (commonName) => ({
      subject: { commonName, organizations: ['system:nodes'] },
      dnsNames: [],
      ipAddresses: [],
    }),
    sign: async (pem) => `signed ${pem}`,
  });
  const stop = new AbortController();
  const running = [context.informers.run(stop.signal), controller.run(stop.signal)];
  const ask = (name: string, node: string, user: { username: string; groups: string[] }) =>
    api.create(csrKind, {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name },
      spec: {
        request: btoa(node),
        signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
        usages: ['client auth'],
        ...user,
      },
    });
  const joiner = { username: 'system:bootstrap:x', groups: ['system:bootstrappers'] };
  await ask('a-join', 'system:node:n1', joiner);
  await ask('b-thief', 'system:node:n1', { username: 'system:node:n2', groups: ['system:nodes'] });
  await ask('c-admin', 'admin', joiner);
  await clock.advance(100);
  const answers = api.all(csrKind).map(({ status }) => status?.certificate);
  assert.deepEqual(answers, [btoa('signed system:node:n1'), undefined, undefined]);
  stop.abort();
  await Promise.all(running);
});
