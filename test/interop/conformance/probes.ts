/** Probes: who is restarted, who is ready, and when. */
import assert from 'node:assert/strict';
import { forever, isReady, list, podOf, type Case, type Json, type World } from './kit.ts';
import { nodeServer } from './network.ts';

const probing = '[sig-node] Probing container ';
const restarts = (pod: Json | undefined): number =>
  Number(list(pod?.status?.containerStatuses)[0]?.restartCount ?? 0);
const often = { periodSeconds: 1, failureThreshold: 1, initialDelaySeconds: 1 };
const healthy = 'touch /tmp/health';

/** gRPC's health service over plain HTTP/2; SERVING while the file is not there. */
const grpcServer = (service: string): string => `
const h2 = require('http2').createServer();
h2.on('stream', (s) => {
  s.on('data', () => {});
  s.on('end', () => {
    s.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    s.on('wantTrailers', () => s.sendTrailers({ 'grpc-status': '0' }));
    s.end(Buffer.from([0, 0, 0, 0, 2, 8, ${service}]));
  });
});
h2.listen(2379);
process.on('SIGTERM', () => process.exit(0));`;

/** A Pod whose probe never fails has to be seen for a while: as long as `failing` ones need to be restarted. */
async function pair(
  world: World,
  kind: string,
  pods: { good: object; bad: object },
): Promise<void> {
  const space = await world.namespace(kind);
  await space.create(pods.good);
  await space.create(pods.bad);
  await space.ready('good');
  await world.when(space.pod('bad'), (it) => restarts(it) >= 1, 60);
  assert.equal(restarts(await world.get(space.pod('good'))), 0);
}
function probed(name: string, script: string, livenessProbe: object): object {
  return podOf(name, script, {
    spec: { restartPolicy: 'Always' },
    container: { livenessProbe: { ...often, ...livenessProbe } },
  });
}
function probedNode(name: string, script: string, livenessProbe: object): object {
  const server = nodeServer(script, {
    livenessProbe: { ...often, initialDelaySeconds: 6, failureThreshold: 3, ...livenessProbe },
  });
  return podOf(name, '', {
    container: server.container,
    spec: { ...server.spec, restartPolicy: 'Always' },
  });
}

export const probeCases: readonly Case[] = [
  {
    name: 'A command that fails restarts its container, one that succeeds does not',
    covers: [
      `${probing}should be restarted with a exec "cat /tmp/health" liveness probe`,
      `${probing}should *not* be restarted with a exec "cat /tmp/health" liveness probe`,
    ],
    run: (world) => {
      const exec = { exec: { command: ['cat', '/tmp/health'] } };
      return pair(world, 'exec', {
        good: probed('good', `${healthy}; ${forever}`, exec),
        bad: probed('bad', `${healthy}; sleep 2; rm /tmp/health; ${forever}`, exec),
      });
    },
  },
  {
    name: 'An HTTP answer above 399 restarts a container, one below does not',
    covers: [
      `${probing}should be restarted with a /healthz http liveness probe`,
      `${probing}should *not* be restarted with a /healthz http liveness probe`,
    ],
    run: (world) => {
      const http = { httpGet: { path: '/healthz', port: 8080 } };
      const serve = 'cp /www/index.html /www/healthz; httpd -p 8080 -h /www';
      return pair(world, 'http', {
        good: probed('good', `${serve}; ${forever}`, http),
        bad: probed('bad', `${serve}; sleep 2; rm /www/healthz; ${forever}`, http),
      });
    },
  },
  {
    name: 'A port that takes connections keeps its container',
    covers: [`${probing}should *not* be restarted with a tcp:8080 liveness probe`],
    run: (world) => {
      const tcp = { tcpSocket: { port: 8080 } };
      return pair(world, 'tcp', {
        good: probed('good', `httpd -p 8080 -h /www; ${forever}`, tcp),
        bad: probed('bad', forever, tcp),
      });
    },
  },
  {
    name: "gRPC's health service keeps a container that serves, and ends one that does not",
    covers: [
      `${probing}should be restarted with a GRPC liveness probe`,
      `${probing}should *not* be restarted with a GRPC liveness probe`,
    ],
    run: (world) => {
      const grpc = { grpc: { port: 2379 } };
      return pair(world, 'grpc', {
        good: probedNode('good', grpcServer('1'), grpc),
        bad: probedNode('bad', grpcServer('2'), grpc),
      });
    },
  },
  {
    name: 'The count of restarts only grows',
    covers: [`${probing}should have monotonically increasing restart count`],
    run: async (world) => {
      const space = await world.namespace('counts');
      await space.create(
        probed('p', `${healthy}; sleep 1; rm /tmp/health; ${forever}`, {
          exec: { command: ['cat', '/tmp/health'] },
        }),
      );
      // The reference waits for five; the back-off between the later ones takes minutes.
      let last = 0;
      const query = 'fieldSelector=metadata.name%3Dp';
      for await (const { object } of world.watch(`${space.core}/pods?${query}`, 80)) {
        assert.ok(restarts(object) >= last);
        last = restarts(object);
        if (last === 3) break;
      }
    },
  },
  {
    name: 'Nobody is ready before the delay of the probe, or while it fails, and nobody is restarted',
    covers: [
      `${probing}with readiness probe should not be ready before initial delay and never restart`,
      `${probing}with readiness probe that fails should never be ready and never restart`,
    ],
    run: async (world) => {
      const space = await world.namespace('ready');
      const readiness = (command: string, initialDelaySeconds: number): object => ({
        container: {
          readinessProbe: { exec: { command: [command] }, initialDelaySeconds, periodSeconds: 1 },
        },
      });
      await space.create(podOf('fails', forever, readiness('/bin/false', 0)));
      await space.create(podOf('waits', forever, readiness('/bin/true', 6)));
      const ready = await space.ready('waits');
      const started = Date.parse(startedAt(ready));
      const readyAt = Date.parse(
        String(
          list(ready.status?.conditions).find((it) => String(it.type) === 'Ready')
            ?.lastTransitionTime,
        ),
      );
      assert.ok(readyAt - started >= 5000, `${readyAt - started} ms after its start`);
      assert.equal(restarts(ready), 0);
      const fails = await world.get(space.pod('fails'));
      assert.equal(isReady(fails), false);
      assert.equal(restarts(fails), 0);
    },
  },
];

function startedAt(pod: Json): string {
  return String(list(pod.status?.containerStatuses)[0]?.state?.running?.startedAt);
}
