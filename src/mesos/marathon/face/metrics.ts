import type { Engine } from '../engine/engine.ts';

/** `GET /metrics`, in the forms of Dropwizard's JSON and of Prometheus. */

interface Gauge {
  readonly name: string;
  readonly value: number;
}

/** How often requests were answered, by class of status. */
const requests = new WeakMap<Engine, Map<string, number>>();

export function countRequest(engine: Engine, status: number): void {
  const counts = requests.get(engine) ?? new Map<string, number>();
  const name = `${Math.floor(status / 100)}xx`;
  counts.set(name, (counts.get(name) ?? 0) + 1);
  requests.set(engine, counts);
}

function gaugesOf(engine: Engine): Gauge[] {
  const { tracker, deployments, events, launcher, options } = engine;
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
    { name: 'apps.active.gauge', value: root.apps.size },
    { name: 'pods.active.gauge', value: root.pods.size },
    { name: 'groups.active.gauge', value: root.groups.size },
    { name: 'deployments.active.gauge', value: deployments.size },
    { name: 'instances.running.gauge', value: byState.running },
    { name: 'instances.staged.gauge', value: byState.staged },
    { name: 'instances.healthy.gauge', value: byState.healthy },
    { name: 'instances.unhealthy.gauge', value: byState.unhealthy },
    { name: 'instances.gauge', value: tracker.size },
    { name: 'instances.waiting.gauge', value: waiting },
    { name: 'http.event-streams.active.gauge', value: events.listeners },
    { name: 'leadership.duration.gauge.seconds', value: sinceStart },
    { name: 'uptime.gauge.seconds', value: sinceStart },
    { name: 'mesos.connected.gauge', value: engine.framework.connected ? 1 : 0 },
  ].map(({ name, value }) => ({ name: `marathon.${name}`, value }));
}

function countersOf(engine: Engine): Gauge[] {
  const counts = requests.get(engine) ?? new Map<string, number>();
  return [...counts].map(([name, value]) => ({
    name: `marathon.http.responses.${name}.counter`,
    value,
  }));
}

export function metricsOf(engine: Engine): Readonly<Record<string, unknown>> {
  const gauges = gaugesOf(engine).map(({ name, value }) => [name, { value }]);
  const counters = countersOf(engine).map(({ name, value }) => [name, { count: value }]);
  return {
    version: '4.0.0',
    gauges: Object.fromEntries(gauges),
    counters: Object.fromEntries(counters),
    histograms: {},
    meters: {},
    timers: {},
  };
}

export function prometheusText(engine: Engine): string {
  const lines: string[] = [];
  const add = (type: 'gauge' | 'counter', { name, value }: Gauge): void => {
    const plain = name.replaceAll(/[^a-zA-Z0-9_]/g, '_');
    lines.push(`# TYPE ${plain} ${type}`, `${plain} ${value}`);
  };
  for (const gauge of gaugesOf(engine)) add('gauge', gauge);
  for (const counter of countersOf(engine)) add('counter', counter);
  return `${lines.join('\n')}\n`;
}
