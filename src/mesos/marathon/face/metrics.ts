import type { FaceReply, FaceRequest } from '#base';
import type { Engine } from '../engine/engine.ts';
import type { Durations, Rates } from './meters.ts';
import { Meter, Timer } from './meters.ts';

/** `GET /metrics`, in the forms of Dropwizard's JSON and of Prometheus (names: docs/metrics.md). */

const classes = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;
const timedMethods = ['get', 'post', 'put', 'delete'] as const;
type TimedMethod = (typeof timedMethods)[number];

/** Requests of one engine: how many, how long they took, how large they were. */
interface Requests {
  active: number;
  readonly responses: Readonly<Record<string, Meter>>;
  readonly all: Timer;
  readonly byMethod: Readonly<Record<TimedMethod, Timer>>;
}

const known = new WeakMap<Engine, Requests>();

function requestsOf(engine: Engine): Requests {
  const there = known.get(engine);
  if (there !== undefined) return there;
  const { clock } = engine.options;
  const timer = (): Timer => new Timer(clock);
  const made: Requests = {
    active: 0,
    responses: Object.fromEntries(classes.map((one) => [one, new Meter(clock)])),
    all: timer(),
    byMethod: { get: timer(), post: timer(), put: timer(), delete: timer() },
  };
  known.set(engine, made);
  return made;
}

/** Answers a request and takes note of it. */
export async function measured(
  engine: Engine,
  request: FaceRequest,
  answer: () => Promise<FaceReply>,
): Promise<FaceReply> {
  const requests = requestsOf(engine);
  const { clock } = engine.options;
  const startMs = clock.monotonicMs();
  requests.active += 1;
  try {
    const reply = await answer();
    requests.responses[`${Math.floor(reply.status / 100)}xx`]?.mark();
    const { tallies } = engine;
    const asked = Number(request.headers['content-length'] ?? 0);
    if (Number.isFinite(asked)) tallies.add('http.requests.size', asked);
    const sent = sizeOf(reply);
    tallies.add('http.responses.size', sent);
    if (reply.headers['content-encoding'] === 'gzip')
      tallies.add('http.responses.size.gzipped', sent);
    return reply;
  } finally {
    requests.active -= 1;
    const seconds = (clock.monotonicMs() - startMs) / 1000;
    requests.all.add(seconds);
    const method = request.method.toLowerCase();
    for (const one of timedMethods) if (one === method) requests.byMethod[one].add(seconds);
  }
}

function sizeOf({ body }: FaceReply): number {
  if (body === undefined || typeof body === 'function') return 0;
  if (body instanceof Uint8Array) return body.length;
  let bytes = 0;
  for (const slice of body) bytes += slice.length;
  return bytes;
}

type Named<T> = readonly (readonly [name: string, value: T])[];

function gaugesOf(engine: Engine): Named<number> {
  const { tracker, deployments, events, launcher, killer, options } = engine;
  const byState = { running: 0, staged: 0, healthy: 0, unhealthy: 0 };
  for (const { condition, healthy } of tracker.all()) {
    if (condition === 'Running') byState.running += 1;
    if (condition === 'Staging' || condition === 'Starting') byState.staged += 1;
    if (healthy === true) byState.healthy += 1;
    if (healthy === false) byState.unhealthy += 1;
  }
  const root = engine.root();
  let waiting = 0;
  for (const { scheduled } of launcher.waiting()) waiting += scheduled.size;
  const sinceStart = (options.clock.nowMs() - engine.startedMs) / 1000;
  return [
    ['apps.active.gauge', root.apps.size],
    ['pods.active.gauge', root.pods.size],
    ['groups.active.gauge', root.groups.size],
    ['deployments.active.gauge', deployments.size],
    ['instances.running.gauge', byState.running],
    ['instances.staged.gauge', byState.staged],
    ['instances.healthy.gauge', byState.healthy],
    ['instances.unhealthy.gauge', byState.unhealthy],
    ['instances.gauge', tracker.size],
    ['instances.waiting.gauge', waiting],
    ['instances.inflight-kills.gauge', killer.inFlight.kills],
    ['instances.inflight-kill-attempts.gauge', killer.inFlight.attempts],
    ['instances.launch-overdue.gauge', engine.upkeep.overdue],
    ['http.event-streams.active.gauge', events.listeners],
    ['http.requests.active.gauge', requestsOf(engine).active],
    ['leadership.duration.gauge.seconds', sinceStart],
    ['uptime.gauge.seconds', sinceStart],
    ['mesos.connected.gauge', engine.framework.connected ? 1 : 0],
  ];
}

const sizes = ['requests.size', 'responses.size', 'responses.size.gzipped'];
const byteCounts = new Set([
  ...sizes.map((name) => `http.${name}`),
  'http.responses.event-stream.size',
]);

function countersOf({ tallies }: Engine): Named<number> {
  const names = new Set([...tallies.counts.keys(), ...byteCounts]);
  return [...names].map((name) => {
    const unit = byteCounts.has(name) ? '.bytes' : '';
    return [`${name}.counter${unit}`, tallies.counts.get(name) ?? 0];
  });
}

function metersOf(engine: Engine): Named<Rates> {
  const { responses } = requestsOf(engine);
  return Object.entries(responses).map(([name, meter]) => [
    `http.responses.${name}.rate.meter`,
    meter.rates(),
  ]);
}

function timersOf(engine: Engine): Named<Durations> {
  const { all, byMethod } = requestsOf(engine);
  return [
    ['http.requests.duration.timer.seconds', all.durations()],
    ...Object.entries(byMethod).map(
      ([name, timer]) =>
        [`http.requests.${name}.duration.timer.seconds`, timer.durations()] as const,
    ),
  ];
}

function prefixed<T, U>(metrics: Named<T>, shape: (value: T) => U): Readonly<Record<string, U>> {
  return Object.fromEntries(metrics.map(([name, value]) => [`marathon.${name}`, shape(value)]));
}

export function metricsOf(engine: Engine): Readonly<Record<string, unknown>> {
  return {
    version: '4.0.0',
    counters: prefixed(countersOf(engine), (count) => ({ count })),
    gauges: prefixed(gaugesOf(engine), (value) => ({ value })),
    histograms: {},
    meters: prefixed(metersOf(engine), (rates) => ({ ...rates, units: 'events/second' })),
    timers: prefixed(timersOf(engine), (durations) => ({
      ...durations,
      duration_units: 'seconds',
      rate_units: 'calls/second',
    })),
  };
}

const quantiles = [
  ['0.5', 'p50'],
  ['0.75', 'p75'],
  ['0.95', 'p95'],
  ['0.98', 'p98'],
  ['0.99', 'p99'],
  ['0.999', 'p999'],
] as const;

/** As PrometheusReporter.scala lays it out. */
export function prometheusText(engine: Engine): string {
  const lines: string[] = [];
  const plain = (name: string): string => `marathon_${name}`.replaceAll(/[^a-zA-Z0-9_]/g, '_');
  const one = (type: 'gauge' | 'counter', name: string, value: number): void => {
    lines.push(`# TYPE ${name} ${type}`, `${name} ${value}`);
  };
  const rates = (name: string, values: Rates): void => {
    for (const key of ['mean_rate', 'm1_rate', 'm5_rate', 'm15_rate'] as const)
      one('gauge', `${name}_${key}`, values[key]);
  };
  for (const [name, value] of gaugesOf(engine)) one('gauge', plain(name), value);
  for (const [name, value] of countersOf(engine)) one('counter', plain(name), value);
  for (const [name, values] of metersOf(engine)) {
    one('gauge', `${plain(name)}_count`, values.count);
    rates(plain(name), values);
  }
  for (const [name, values] of timersOf(engine)) {
    const base = plain(name);
    lines.push(`# TYPE ${base} summary`);
    for (const [quantile, key] of quantiles)
      lines.push(`${base}{quantile="${quantile}"} ${values[key].toFixed(6)}`);
    lines.push(`${base}_count ${values.count}`);
    for (const key of ['min', 'mean', 'max', 'stddev'] as const)
      one('gauge', `${base}_${key}`, values[key]);
    rates(base, values);
  }
  return `${lines.join('\n')}\n`;
}
