import assert from 'node:assert/strict';
import { test } from 'node:test';
import { typeTables } from '#kube/kinds';
import { problemText } from '#machinery';
import type { Draft, KindDeclaration, KubeObject } from '#machinery';
import type { TaskInfo } from '#mesos/protocol';
import { createCodec, encodeCanonicalJson } from '#wire';
import {
  describeMesos,
  mesosKinds,
  mesosTypeTables,
  namespaceOf,
  objectName,
  taskInfoOf,
  tasks,
} from './index.ts';

const codec = createCodec({
  type: (name) => typeTables.type(name) ?? mesosTypeTables.type(name),
});
const metadata = {
  name: 'a',
  namespace: 'mesos-x',
  uid: 'u',
  creationTimestamp: '2026-01-01T00:00:00Z',
};

const task = {
  apiVersion: 'mesos.tandem.dev/v1',
  kind: 'Task',
  metadata,
  spec: {
    frameworkID: 'f',
    taskID: 'instance./a.b',
    agentID: 'm-S0',
    nodeName: 'n1',
    executorID: 'e',
    execution: 'Command',
    podName: 'p',
    task: { name: 't', future: { z: 1, a: [null, 1.5] }, data: 'AAE=' },
  },
  status: { state: 'TASK_STAGING', updates: [{ uuid: 'x', anything: { b: 2, a: 1 } }] },
};

function draft<T extends KubeObject>(kind: KindDeclaration<T>, value: object): Draft<T> {
  const decoded = codec.canonical(kind.type, value);
  assert.deepEqual(decoded.strictProblems, []);
  return decoded.value as unknown as Draft<T>;
}

test('Every kind has its type and its list in the tables, and lives in its group', () => {
  for (const kind of mesosKinds) {
    assert.ok(codec.knows(kind.type), kind.type);
    assert.ok(codec.knows(kind.listType), kind.listType);
    assert.equal(kind.storagePrefix, `${kind.group}/${kind.plural}`);
    assert.match(kind.group, /^(mesos|marathon)\.tandem\.dev$/);
  }
});

test('Every kind says what it is', () => {
  for (const { type } of mesosKinds) assert.ok(describeMesos(type, ''), type);
  assert.match(describeMesos(`${tasks.type}Spec`, 'taskID') ?? '', /framework gave/);
  assert.equal(describeMesos('k8s.io.api.core.v1.Pod', ''), undefined);
});

test('A Mesos message inside an object comes back as it was, unknown keys and their order too', () => {
  const { value } = codec.canonical(tasks.type, task);
  const back: unknown = JSON.parse(encodeCanonicalJson(value).toString('utf8'));
  assert.deepEqual(back, { ...task, metadata });
  const text = encodeCanonicalJson(value).toString('utf8');
  assert.ok(text.includes('"task":{"name":"t","future":{"z":1,"a":[null,1.5]},"data":"AAE="}'));
});

test('A field that no kind declares is named, one inside a message is not', () => {
  const { strictProblems } = codec.canonical(tasks.type, {
    ...task,
    spec: { ...task.spec, nodename: 'n1' },
  });
  assert.deepEqual(strictProblems, ['unknown field "spec.nodename"']);
});

test('A task without its ids is refused, and its ids stay', () => {
  const bad = draft(tasks, { ...task, spec: { execution: 'Magic', task: 'no' } });
  assert.deepEqual(tasks.validateCreate?.(bad as never).map(problemText), [
    'spec.frameworkID: Required value',
    'spec.taskID: Required value',
    'spec.agentID: Required value',
    'spec.nodeName: Required value',
    'spec.executorID: Required value',
    'spec.podName: Required value',
    'spec.execution: Unsupported value: "Magic": supported values: "Command", "Group", "Custom"',
  ]);
  const old = draft(tasks, task);
  const moved = draft(tasks, { ...task, spec: { ...task.spec, taskID: 'other' } });
  assert.deepEqual(tasks.validateUpdate?.(moved as never, old as never).map(problemText), [
    'spec.taskID: Invalid value: "other": field is immutable',
  ]);
});

test('Status is written through its own door only', () => {
  const context = { nowMs: 0, namespace: 'mesos-x', subresource: '' };
  const old = draft(tasks, task) as never;
  const both = { ...task, spec: { ...task.spec, podName: 'q' }, status: { state: 'TASK_RUNNING' } };
  const plain = draft(tasks, both);
  tasks.prepareForUpdate?.(plain, old, context);
  assert.deepEqual([plain.spec.podName, plain.status.state], ['q', 'TASK_STAGING']);
  const status = draft(tasks, both);
  tasks.prepareForStatusUpdate?.(status, old, context);
  assert.deepEqual([status.spec.podName, status.status.state], ['p', 'TASK_RUNNING']);
});

test('objectName() is readable, short, valid and never the same for two ids', () => {
  const raws = [
    '/a.b',
    '/a/b',
    'a-b',
    'A-B',
    '',
    '...',
    'ü\u0000',
    'x'.repeat(300),
    `${'x'.repeat(299)}y`,
    'marathon-demo-application.instance-2a8d8a2e-5a0f-11ee-8c99-0242ac120002._app.1',
  ];
  const names = raws.map((raw) => objectName(raw));
  assert.equal(new Set(names).size, raws.length);
  for (const name of names) assert.match(name, /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])$/);
  assert.match(objectName('/a.b'), /^a-b-[a-z2-7]{8}$/);
  assert.notEqual(objectName('t', 'f1'), objectName('t', 'f2'));
  assert.equal(objectName('t', 'f1'), objectName('t', 'f1'));
});

test('namespaceOf() is a namespace for any framework name', () => {
  assert.equal(namespaceOf('marathon'), 'mesos-marathon');
  assert.equal(namespaceOf('My Spark (2.4)'), 'mesos-my-spark-2-4');
  assert.equal(namespaceOf(''), 'mesos-unnamed');
  assert.ok(namespaceOf('y'.repeat(100)).length <= 63);
});

test('A number without bound is one again after it was JSON', () => {
  const limits = { cpus: { value: Number.POSITIVE_INFINITY }, mem: { value: 64 } };
  const id = { value: 'x' };
  const health_check = {
    type: 'TCP' as const,
    tcp: { port: 1 },
    delay_seconds: 0,
    interval_seconds: Number.POSITIVE_INFINITY,
    grace_period_seconds: Number.POSITIVE_INFINITY,
  };
  const check = { type: 'TCP' as const, timeout_seconds: Number.POSITIVE_INFINITY };
  const launched = { name: 't', task_id: id, agent_id: id, limits, health_check, check };
  const stored = JSON.parse(JSON.stringify({ task: launched })) as { readonly task: TaskInfo };
  assert.deepEqual(taskInfoOf(stored), launched);
});
