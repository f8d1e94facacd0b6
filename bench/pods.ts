/**
 * Pods on a real cluster of one node, over HTTPS as a client sees them: created to Running, one by
 * one, and how many containers start in a second when many are asked for. Needs root.
 *
 * Usage: node bench/pods.ts [--pods N] [--burst N] [--port-offset N]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createHttpApi } from '#client';
import { systemClock } from '#io';
import { pods } from '#kube/kinds';
import type { Pod } from '#kube/kinds';
import { percentiles, report, round } from './harness.ts';

process.on('unhandledRejection', (error) => {
  console.error(error);
  tandem('destroy', '--yes');
  process.exit(1);
});
const { values } = parseArgs({
  options: {
    pods: { type: 'string', default: '60' },
    burst: { type: 'string', default: '100' },
    'port-offset': { type: 'string', default: '5900' },
  },
});
const singles = Number(values.pods);
const burst = Number(values.burst);
const offset = Number(values['port-offset']);
const warmUps = 3;
const root = resolve(import.meta.dirname, '..');
const name = 'bench-pods';
const home = mkdtempSync(join(tmpdir(), 'tandem-bench-'));
const env = { ...process.env, HOME: home, NO_COLOR: '1' };

function tandem(...args: readonly string[]): string {
  return execFileSync(join(root, 'tandem'), [...args, '--name', name], { env, encoding: 'utf8' });
}

interface Seen {
  readonly scheduledMs: number | undefined;
  readonly runningMs: number | undefined;
}

async function measure(): Promise<void> {
  const image = join(home, 'hello.tar');
  execFileSync('sh', [join(root, 'examples/hello-world/build.sh'), image], { stdio: 'ignore' });
  tandem('image', 'load', image);
  const key = (file: string): string =>
    readFileSync(join('/var/lib/tandem', name, 'server/pki', file), 'utf8');
  const api = createHttpApi({
    server: `https://127.0.0.1:${6443 + offset}`,
    ca: key('ca.crt'),
    cert: key('admin.crt'),
    key: key('admin.key'),
    clock: systemClock,
    userAgent: 'bench',
  });
  const stop = new AbortController();
  const seen = new Map<string, Seen>();
  const waiters = new Map<string, () => void>();
  const { resourceVersion } = await api.list(pods, { namespace: 'default' });
  const watching = (async () => {
    const events = api.watch(pods, { namespace: 'default', resourceVersion, signal: stop.signal });
    for await (const batch of events)
      for (const { object, type } of batch) {
        const before = seen.get(object.metadata.name);
        const nowMs = performance.now();
        seen.set(object.metadata.name, {
          scheduledMs:
            before?.scheduledMs ?? (object.spec.nodeName === undefined ? undefined : nowMs),
          runningMs: before?.runningMs ?? (object.status.phase === 'Running' ? nowMs : undefined),
        });
        if (object.status.phase === 'Running' || type === 'DELETED')
          waiters.get(`${type === 'DELETED' ? 'gone' : 'running'} ${object.metadata.name}`)?.();
      }
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  const until = (what: string): Promise<void> =>
    new Promise((done, reject) => {
      const timer = setTimeout(() => reject(new Error(`Not in 60 s: ${what}`)), 60_000);
      waiters.set(what, () => {
        clearTimeout(timer);
        done();
      });
    });
  const create = async (pod: string): Promise<{ bound: number; running: number }> => {
    const running = until(`running ${pod}`);
    const startMs = performance.now();
    await api.create(pods, podOf(pod));
    await running;
    const { scheduledMs, runningMs } = seen.get(pod) ?? {};
    return { bound: (scheduledMs ?? 0) - startMs, running: (runningMs ?? 0) - startMs };
  };
  const remove = async (pod: string): Promise<void> => {
    const gone = until(`gone ${pod}`);
    await api.delete(pods, { name: pod, namespace: 'default' }, { gracePeriodSeconds: 0 });
    await gone;
  };

  // A node takes 110 Pods, so those that were measured make room again.
  const one: { bound: number; running: number }[] = [];
  for (let index = 0; index < singles + warmUps; index++) {
    const took = await create(`one-${index}`);
    if (index >= warmUps) one.push(took);
    await remove(`one-${index}`);
  }
  const beganMs = performance.now();
  const many = await Promise.all(
    Array.from({ length: burst }, (_, index) => create(`many-${index}`)),
  );
  const seconds = (performance.now() - beganMs) / 1000;
  stop.abort();
  await watching;
  const latencyMs = percentiles(one.map(({ running }) => running));
  const boundMs = percentiles(one.map(({ bound }) => bound));
  report('pods', [
    {
      what: 'Pod created to Running, image present, real containers, p50',
      value: latencyMs.p50,
      unit: 'ms',
      budget: { atMost: 120 },
      details: { latencyMs, createdToBoundMs: boundMs, command: `node bench/pods.ts` },
    },
    { what: 'the same, p99', value: latencyMs.p99, unit: 'ms', budget: { atMost: 400 } },
    {
      what: `containers started on one agent, ${burst} Pods of one container at once`,
      value: round(burst / seconds),
      unit: '/s',
      budget: { atLeast: 50 },
      details: { latencyMs: percentiles(many.map(({ running }) => running)) },
    },
  ]);
}

function podOf(pod: string): Pod {
  const body: unknown = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: pod, namespace: 'default' },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'main', image: 'hello-world:latest', command: ['sleep', '3600'] }],
    },
  };
  return body as Pod;
}

try {
  tandem('up', '--port-offset', String(offset));
  await measure();
} finally {
  tandem('destroy', '--yes');
  rmSync(home, { recursive: true, force: true });
}
process.exit(0);
