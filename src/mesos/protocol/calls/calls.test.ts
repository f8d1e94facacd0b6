import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMessageCodec } from '../codec/codec.ts';
import type { MessageFacts } from '../codec/schema.ts';
import facts from '../facts/messages.json' with { type: 'json' };
import { validateAgentCall } from './agent.ts';
import { validateExecutorCall } from './executor.ts';
import { validateMasterCall } from './master.ts';
import { validateSchedulerCall } from './scheduler.ts';

const codec = createMessageCodec(facts as MessageFacts);
const uuid = 'AAAAAAAAQACAAAAAAAAAAA==';
const own = '"framework_id":{"value":"f"}';
const info = '{"user":"u","name":"n","principal":"p"}';

const schedulerCalls: readonly (readonly [string, string | undefined])[] = [
  ['{}', "Expecting 'type' to be present"],
  ['{"type":"NO_SUCH"}', "Expecting 'type' to be present"],
  ['{"type":"SUBSCRIBE"}', "Expecting 'subscribe' to be present"],
  [
    `{"type":"SUBSCRIBE",${own},"subscribe":{"framework_info":${info}}}`,
    "'framework_id' differs from 'subscribe.framework_info.id'",
  ],
  [
    `{"type":"SUBSCRIBE","framework_id":{"value":""},"subscribe":{"framework_info":${info}}}`,
    "Authenticated principal 'me' does not match principal 'p' set in `FrameworkInfo`",
  ],
  ['{"type":"TEARDOWN"}', "Expecting 'framework_id' to be present"],
  ['{"type":"ACCEPT"}', "Expecting 'framework_id' to be present"],
  [`{"type":"TEARDOWN",${own}}`, undefined],
  [`{"type":"REVIVE",${own}}`, undefined],
  [`{"type":"SUPPRESS",${own}}`, undefined],
  ...[
    'ACCEPT',
    'DECLINE',
    'ACCEPT_INVERSE_OFFERS',
    'DECLINE_INVERSE_OFFERS',
    'KILL',
    'SHUTDOWN',
    'ACKNOWLEDGE',
    'ACKNOWLEDGE_OPERATION_STATUS',
    'RECONCILE',
    'RECONCILE_OPERATIONS',
    'MESSAGE',
    'REQUEST',
    'UPDATE_FRAMEWORK',
  ].map(
    (type) =>
      [`{"type":"${type}",${own}}`, `Expecting '${type.toLowerCase()}' to be present`] as const,
  ),
  [
    `{"type":"ACKNOWLEDGE",${own},"acknowledge":{"agent_id":{"value":"a"},"task_id":{"value":"t"},"uuid":"AAAA"}}`,
    'Not a valid UUID',
  ],
  [
    `{"type":"ACKNOWLEDGE",${own},"acknowledge":{"agent_id":{"value":"a"},"task_id":{"value":"t"},"uuid":"${uuid}"}}`,
    undefined,
  ],
  [
    `{"type":"ACKNOWLEDGE_OPERATION_STATUS",${own},"acknowledge_operation_status":{"uuid":"${uuid}","operation_id":{"value":"o"}}}`,
    "Expecting 'agent_id' to be present",
  ],
  [
    `{"type":"UPDATE_FRAMEWORK",${own},"update_framework":{"framework_info":${info}}}`,
    "'framework_id' differs from 'update_framework.framework_info.id'",
  ],
];
for (const [text, problem] of schedulerCalls) {
  test(`A scheduler's ${text.slice(0, 90)}: ${String(problem)}`, () => {
    const call = codec.decodeJson('scheduler.Call', text);
    assert.equal(validateSchedulerCall(call, 'me'), problem);
  });
}

function update(status: string): string {
  return `{"type":"UPDATE",${own},"executor_id":{"value":"e"},"update":{"status":{"task_id":{"value":"t"},${status}}}}`;
}
const executorCalls: readonly (readonly [string, string | undefined])[] = [
  [`{${own},"executor_id":{"value":"e"}}`, "Expecting 'type' to be present"],
  [
    `{"type":"SUBSCRIBE",${own},"executor_id":{"value":"e"}}`,
    "Expecting 'subscribe' to be present",
  ],
  [`{"type":"HEARTBEAT",${own},"executor_id":{"value":"e"}}`, undefined],
  [update('"state":"TASK_RUNNING"'), "Expecting 'uuid' to be present"],
  [update('"state":"TASK_RUNNING","uuid":"AAAA"'), 'Not a valid UUID'],
  [
    update(`"state":"TASK_RUNNING","uuid":"${uuid}","executor_id":{"value":"x"}`),
    'ExecutorID in Call: e does not match ExecutorID in TaskStatus: x',
  ],
  [
    update(`"state":"TASK_RUNNING","uuid":"${uuid}"`),
    "Received Call from executor e of framework f with invalid source, expecting 'SOURCE_EXECUTOR'",
  ],
  [
    update(`"state":"TASK_STAGING","uuid":"${uuid}","source":"SOURCE_EXECUTOR"`),
    'Received TASK_STAGING from executor e of framework f which is not allowed',
  ],
  [
    update(`"state":"TASK_RUNNING","uuid":"${uuid}","source":"SOURCE_EXECUTOR","check_status":{}`),
    "CheckStatusInfo must specify 'type'",
  ],
  [update(`"state":"TASK_RUNNING","uuid":"${uuid}","source":"SOURCE_EXECUTOR"`), undefined],
];
for (const [text, problem] of executorCalls) {
  test(`An executor's ${text.slice(0, 150)}: ${String(problem)}`, () => {
    assert.equal(validateExecutorCall(codec.decodeJson('executor.Call', text)), problem);
  });
}

const masterCalls: readonly (readonly [string, string | undefined])[] = [
  ['{}', "Expecting 'type' to be present"],
  ['{"type":"GET_STATE"}', undefined],
  ['{"type":"GET_METRICS"}', "Expecting 'get_metrics' to be present"],
  ['{"type":"MARK_AGENT_GONE"}', "Expecting 'mark_agent_gone' to be present"],
  [
    '{"type":"RESERVE_RESOURCES","reserve_resources":{"agent_id":{"value":"a"},"resources":[{"name":"","type":"SCALAR","scalar":{"value":1}}]}}',
    'Empty resource name',
  ],
  [
    '{"type":"GROW_VOLUME","grow_volume":{"volume":{"name":"disk","type":"SCALAR"},"addition":{"name":"disk","type":"SCALAR"}}}',
    "Expecting 'agent_id' to be present; only agent default resources are supported right now",
  ],
];
for (const [text, problem] of masterCalls) {
  test(`An operator's ${text.slice(0, 60)} to a master: ${String(problem)}`, () => {
    const found = validateMasterCall(codec.decodeJson('master.Call', text));
    if (problem === undefined) assert.equal(found, undefined);
    else assert.match(found ?? '', new RegExp(problem.replaceAll(/[.'()]/g, '.')));
  });
}

const nested = '"container_id":{"value":"c","parent":{"value":"p"}}';
const twice = '"container_id":{"value":"c","parent":{"value":"p","parent":{"value":"q"}}}';
const cpus = '{"name":"cpus","type":"SCALAR","scalar":{"value":1}}';
const agentCalls: readonly (readonly [string, string | undefined])[] = [
  ['{"type":"GET_CONTAINERS"}', undefined],
  ['{"type":"WAIT_CONTAINER"}', "Expecting 'wait_container' to be present"],
  [
    '{"type":"WAIT_CONTAINER","wait_container":{"container_id":{"value":"a.b"}}}',
    "'wait_container.container_id' is invalid: 'ContainerID.value' 'a.b' contains invalid characters",
  ],
  [
    '{"type":"LAUNCH_NESTED_CONTAINER","launch_nested_container":{"container_id":{"value":"c"}}}',
    "Expecting 'launch_nested_container.container_id.parent' to be present",
  ],
  [`{"type":"LAUNCH_NESTED_CONTAINER","launch_nested_container":{${nested}}}`, undefined],
  [
    `{"type":"LAUNCH_NESTED_CONTAINER_SESSION","launch_nested_container_session":{${nested},"container":{"type":"MESOS","linux_info":{"share_cgroups":false}}}}`,
    "'launch_nested_container_session.container.linux_info' is invalid: 'share_cgroups' cannot be set to 'false' for nested container sessions",
  ],
  [
    '{"type":"ATTACH_CONTAINER_INPUT","attach_container_input":{}}',
    "Expecting 'attach_container_input.type' to be present",
  ],
  [
    `{"type":"LAUNCH_CONTAINER","launch_container":{${twice},"resources":[${cpus}]}}`,
    "'launch_container' is invalid: containers nested at the second level or greater cannot specify resources",
  ],
  [
    '{"type":"LAUNCH_CONTAINER","launch_container":{"container_id":{"value":"c"},"container":{"type":"MESOS","linux_info":{"share_cgroups":true}}}}',
    "'launch_container' is invalid: containers without a parent cannot set 'share_cgroups' to 'true'",
  ],
];
for (const [text, problem] of agentCalls) {
  test(`An operator's ${text.slice(0, 90)} to an agent: ${String(problem)}`, () => {
    assert.equal(validateAgentCall(codec.decodeJson('agent.Call', text)), problem);
  });
}
