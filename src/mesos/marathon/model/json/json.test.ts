import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Offer } from '#mesos/protocol';
import { appFromJson } from '../app/definition.ts';
import { conditionOf, instanceCondition } from '../conditions.ts';
import type { Instance, InstanceTask } from '../instance.ts';
import { emptyRoot } from '../root.ts';
import { defaultSettings } from '../settings.ts';
import { textOf } from '../write.ts';
import { queueItem } from './queue.ts';
import { countsOf, taskStats } from './stats.ts';
import { healthFailureOf, taskFailureOf, taskJson } from './task.ts';

const since = '2020-01-01T00:00:00.000Z';
const app = appFromJson(
  { id: '/g/a', cmd: 'sleep 1' },
  { root: emptyRoot(''), settings: defaultSettings, forceRole: false },
);

const task: InstanceTask = {
  taskID: 'g_a.instance-1._app.1',
  condition: 'Running',
  stagedAt: since,
  startedAt: '2020-01-01T00:00:01.000Z',
  runSpecVersion: since,
  mesosState: 'TASK_RUNNING',
  hostPorts: [31_000],
  ipAddresses: [{ ipAddress: '10.0.0.1', protocol: 'IPv4' }],
};
const instance: Instance = {
  instanceID: 'g_a.instance-1',
  runSpecID: '/g/a',
  role: '*',
  runSpecVersion: since,
  goal: 'Running',
  condition: 'Running',
  since,
  agent: { host: 'h1', agentID: 's', attributes: [] },
  tasks: [task],
};

test('taskJson() of a running task', () => {
  const json = taskJson(instance, task, { health: [], servicePorts: [10_000] });
  assert.equal(
    textOf('Task', json),
    '{"appId":"/g/a","healthCheckResults":[],"host":"h1","id":"g_a.instance-1._app.1",' +
      '"ipAddresses":[{"ipAddress":"10.0.0.1","protocol":"IPv4"}],"ports":[31000],' +
      '"servicePorts":[10000],"slaveId":"s","state":"TASK_RUNNING",' +
      '"stagedAt":"2020-01-01T00:00:00.000Z","startedAt":"2020-01-01T00:00:01.000Z",' +
      '"version":"2020-01-01T00:00:00.000Z","localVolumes":[],"role":"*"}',
  );
});

test('taskJson() of a task that has ended', () => {
  const ended = { ...task, condition: 'Finished' } as const;
  const json = taskJson(instance, ended, { health: [], servicePorts: [] });
  assert.equal(json.state, 'TASK_FINISHED');
  assert.deepEqual(
    [json.ports, json.stagedAt, json.startedAt, json.version],
    [[], undefined, undefined, undefined],
  );
});

test('failures are told, ends are not', () => {
  const failed = (state: 'TASK_FAILED' | 'TASK_FINISHED' | 'TASK_KILLED'): InstanceTask => ({
    ...task,
    status: { task_id: { value: task.taskID }, state, message: 'm' },
  });
  assert.deepEqual(taskFailureOf(instance, failed('TASK_FAILED'), since), {
    appId: '/g/a',
    host: 'h1',
    message: 'm',
    state: 'TASK_FAILED',
    taskId: task.taskID,
    timestamp: since,
    version: since,
    slaveId: 's',
  });
  assert.equal(taskFailureOf(instance, failed('TASK_FINISHED'), since), undefined);
  assert.equal(taskFailureOf(instance, failed('TASK_KILLED'), since), undefined);
  const health = healthFailureOf(instance, task, { reason: '503 x', timestamp: since });
  assert.equal(health.message, 'Task was killed since health check failed. Reason: 503 x');
});

test('countsOf() counts launched instances', () => {
  const waiting: Instance = { ...instance, condition: 'Scheduled', tasks: [] };
  const staged: Instance = { ...instance, tasks: [{ ...task, mesosState: undefined }] };
  const sick: Instance = { ...instance, instanceID: 'sick' };
  const counts = countsOf([waiting, staged, sick, instance], (id) => [
    { alive: id !== 'sick', consecutiveFailures: 0, instanceId: id },
  ]);
  assert.deepEqual(counts, { tasksStaged: 1, tasksRunning: 2, tasksHealthy: 2, tasksUnhealthy: 1 });
});

test('taskStats() splits by version', () => {
  const nowMs = Date.parse('2020-01-01T00:00:11.000Z');
  const versionInfo = { lastScalingAt: '2020-01-02T00:00:00.000Z', lastConfigChangeAt: since };
  const stats = taskStats(
    { ...app, versionInfo },
    { instances: [instance], healthOf: () => [], nowMs },
  );
  const one = {
    stats: {
      counts: { staged: 0, running: 1, healthy: 0, unhealthy: 0 },
      lifeTime: { averageSeconds: 10, medianSeconds: 10 },
    },
  };
  assert.deepEqual(stats.totalSummary, one);
  assert.deepEqual(stats.withLatestConfig, one);
  assert.equal(stats.withOutdatedConfig, undefined);
  assert.equal(stats.startedAfterLastScaling, undefined);
});

const offer: Offer = {
  id: { value: 'o' },
  framework_id: { value: 'f' },
  agent_id: { value: 's' },
  hostname: 'h1',
  resources: [{ name: 'mem', type: 'SCALAR', scalar: { value: 5 }, role: 'r' }],
  attributes: [{ name: 'rack', type: 'TEXT', text: { value: 'x' } }],
};

test('queueItem() counts reasons as a funnel', () => {
  const item = queueItem(
    {
      runSpec: { kind: 'app', spec: app },
      count: 2,
      role: '*',
      since,
      delayedUntilMs: 3500,
      processedOffersCount: 5,
      unusedOffersCount: 4,
      lastUnusedOffers: [
        { offer, reasons: ['InsufficientMemory', 'UnfulfilledConstraint'], timestamp: since },
        { offer, reasons: ['InsufficientMemory'], timestamp: since },
      ],
      rejectedSinceLaunch: new Map([['UnfulfilledRole', 4]]),
    },
    { nowMs: 1000, withLastUnusedOffers: true },
  );
  assert.deepEqual(item.delay, { timeLeftSeconds: 2, overdue: false });
  const { rejectSummaryLastOffers, rejectSummaryLaunchAttempt } = item.processedOffersSummary;
  assert.deepEqual(
    rejectSummaryLastOffers.slice(0, 6).map(({ declined, processed }) => [declined, processed]),
    [
      [0, 2],
      [1, 2],
      [0, 1],
      [0, 1],
      [0, 1],
      [1, 1],
    ],
  );
  assert.deepEqual(rejectSummaryLaunchAttempt[0], {
    reason: 'UnfulfilledRole',
    declined: 4,
    processed: 5,
  });
  const text = textOf('QueueItem', item);
  assert.match(
    text,
    /^\{"count":2,"role":"\*","delay":\{"timeLeftSeconds":2,"overdue":false\},"since"/,
  );
  assert.match(text, /"lastUnusedOffers":\[\{"offer":\{"id":"o","hostname":"h1","agentId":"s"/);
  assert.match(text, /"resources":\[\{"name":"mem","role":"r","scalar":5\.0\}\]/);
  assert.match(text, /"app":\{"id":"\/g\/a"/);
});

const lost: {
  reason?: 'REASON_TASK_UNKNOWN' | 'REASON_RECONCILIATION' | 'REASON_GC_ERROR';
  message?: string;
  want: string;
}[] = [
  { want: 'Gone' },
  { reason: 'REASON_GC_ERROR', want: 'Gone' },
  { reason: 'REASON_TASK_UNKNOWN', want: 'Unknown' },
  { reason: 'REASON_RECONCILIATION', want: 'Unreachable' },
  {
    reason: 'REASON_RECONCILIATION',
    message: 'Reconciliation: Task is unknown to the agent',
    want: 'Unknown',
  },
];
for (const { want, ...more } of lost) {
  test(`conditionOf() a lost task with ${JSON.stringify(more)} is ${want}`, () => {
    assert.equal(conditionOf({ task_id: { value: 't' }, state: 'TASK_LOST', ...more }), want);
  });
}

test('instanceCondition() is the gravest of its tasks', () => {
  assert.equal(instanceCondition(['Running', 'Staging', 'Running']), 'Staging');
  assert.equal(instanceCondition(['Running', 'Finished']), 'Running');
  assert.equal(instanceCondition(['Failed', 'Running']), 'Failed');
  assert.equal(instanceCondition([]), 'Scheduled');
});
