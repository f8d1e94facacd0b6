import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createWorld, requestOf } from '../fixture.test.ts';

const sleep = { id: '/sleep', cmd: 'sleep 1000', cpus: 0.1, mem: 16, instances: 1 };

test('Marathon tells of itself', async () => {
  const world = await createWorld();
  const before = await world.ask('GET', '/v2/info');
  assert.equal(before['frameworkId'], 'framework-1');
  await world.ask('POST', '/v2/apps', sleep);
  const info = await world.ask('GET', '/v2/info');
  assert.equal(info['frameworkId'], 'framework-1');
  assert.equal(info['elected'], true);
  assert.deepEqual(await world.ask('GET', '/v2/leader'), { leader: 'localhost:8080' });
  assert.deepEqual(await world.ask('GET', '/v2/plugins'), { plugins: [] });
  const metrics = await world.ask('GET', '/metrics');
  const gauges = metrics['gauges'] as Record<string, { value: number }>;
  assert.equal(gauges['marathon.instances.running.gauge']?.value, 1);
  const prometheus = await world.call('GET', '/metrics/prometheus', undefined, {
    accept: 'text/plain',
  });
  assert.match(prometheus.text, /^marathon_apps_active_gauge 1$/m);
  assert.match(prometheus.text, /^marathon_uptime_gauge_seconds 0$/m);
  assert.match(
    prometheus.text,
    /^marathon_http_requests_duration_timer_seconds\{quantile="0.99"\} /m,
  );
  assert.match(prometheus.text, /^marathon_http_responses_2xx_rate_meter_m1_rate 0$/m);
  for (const [accept, form] of [
    ['text/plain', /^text\/plain/],
    ['application/openmetrics-text;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1', /^text\/plain/],
    ['application/json, text/plain, */*', /^application\/json/],
    ['text/html,*/*;q=0.8', /^application\/json/],
    ['image/png', /^application\/json/],
  ] as const) {
    const { status, headers } = await world.call('GET', '/metrics', undefined, { accept });
    assert.equal(status, accept === 'image/png' ? 406 : 200);
    assert.match(String(headers['Content-Type']), form, accept);
  }
  const change = { level: 'debug', logger: 'ROOT', durationSeconds: 10 };
  assert.deepEqual(await world.ask('POST', '/logging', change), change);
  assert.equal((await world.ask('GET', '/logging'))['ROOT'], 'DEBUG');
  await world.clock.advance(11_000);
  assert.equal((await world.ask('GET', '/logging'))['ROOT'], 'INFO');
  assert.equal((await world.call('GET', '/config')).status, 200);
  await world.stop();
});

test('Offers, calls, tasks and requests are counted', async () => {
  const world = await createWorld({ listen: true });
  await world.ask('POST', '/v2/apps', { ...sleep, instances: 2 });
  await world.ask('POST', '/v2/apps/sleep/restart');
  await world.call('GET', '/v2/apps/none');
  await world.clock.advance(5_000);
  const { counters, meters, timers } = (await world.ask('GET', '/metrics')) as {
    counters: Record<string, { count: number }>;
    meters: Record<string, { count: number; m1_rate: number; units: string }>;
    timers: Record<string, { count: number; duration_units: string }>;
  };
  const count = (name: string): number | undefined => counters[`marathon.${name}`]?.count;
  assert.equal(count('tasks.launched.counter'), 4);
  assert.equal(count('deployments.counter'), 2);
  assert.equal(count('deployments.dismissed.counter'), 0);
  assert.equal(count('mesos.task-updates.task-running.counter'), 4);
  assert.equal(count('mesos.task-updates.task-killed.counter'), 2);
  assert.equal(count('mesos.offer-operations.launch-group.counter'), 0);
  for (const name of [
    'mesos.offer-operations.launch.counter',
    'mesos.offers.incoming.counter',
    'mesos.offers.used.counter',
    'mesos.offers.declined.counter',
    'mesos.calls.revive.counter',
    'mesos.calls.suppress.counter',
    'http.responses.size.counter.bytes',
    'http.responses.event-stream.size.counter.bytes',
  ])
    assert.ok((count(name) ?? 0) > 0, name);
  const refused = meters['marathon.http.responses.4xx.rate.meter'];
  assert.equal(refused?.count, 1);
  assert.equal(refused.m1_rate, 0.2);
  assert.equal(refused.units, 'events/second');
  assert.equal(timers['marathon.http.requests.post.duration.timer.seconds']?.count, 2);
  await world.stop();
});

test('Answers are compressed for those who ask, from small sizes on', async () => {
  const world = await createWorld();
  const ask = async (path: string, accept: string | undefined) => {
    const headers = accept === undefined ? {} : { 'accept-encoding': accept };
    return world.marathon.face(requestOf('GET', path, { headers }));
  };
  const packed = await ask('/v2/groups', 'gzip, deflate, br');
  assert.equal(packed.headers['content-encoding'], 'gzip');
  assert.equal(packed.headers['Vary'], 'Accept-Encoding');
  const text = gunzipSync(packed.body as Uint8Array).toString();
  assert.equal((JSON.parse(text) as { id: string }).id, '/');
  assert.equal((await ask('/v2/groups', undefined)).headers['content-encoding'], undefined);
  assert.equal((await ask('/v2/groups', 'gzip;q=0')).headers['content-encoding'], undefined);
  assert.equal((await ask('/ping', 'gzip')).headers['content-encoding'], undefined);
  await world.stop();
});
