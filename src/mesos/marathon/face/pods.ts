import type { FaceReply } from '#base';
import { unreachableOf } from '../engine/run-spec.ts';
import type { Instance, Pod } from '../model/index.ts';
import {
  MarathonFailure,
  conflict,
  instanceJson,
  listText,
  podFromJson,
  podUpdateFromJson,
  putRunSpec,
  read,
  removeRunSpec,
  runSpecOf,
  textOf,
  unknownEntity,
} from '../model/index.ts';
import { podStatusText } from './app-info.ts';
import { parentOf } from './apps.ts';
import type { Call } from './http.ts';
import {
  bodyOf,
  demandSpec,
  emptyReply,
  flag,
  idOf,
  jsonReply,
  mayView,
  timestampOf,
} from './http.ts';
import { kill } from './tasks.ts';

/** `/v2/pods` (PodsResource.scala). */

export function probePods(): FaceReply {
  return emptyReply(200);
}

export function listPods(call: Call): FaceReply {
  const pods = [...call.engine.root().pods.values()].filter(({ id }) => mayView(call, 'pod', id));
  return jsonReply(listText('Pod', pods));
}

export function getPod(call: Call, [text = '']: readonly string[]): FaceReply {
  const id = idOf(text);
  const pod = call.engine.root().pods.get(id);
  // The original wraps this one text twice.
  if (pod === undefined)
    throw new MarathonFailure(404, { message: `{"message": "pod with ${id} does not exist"}` });
  demandSpec(call, 'view', { on: 'pod', spec: pod });
  return jsonReply(textOf('Pod', pod));
}

function podOf({ engine }: Call, text: string): Pod {
  const id = idOf(text);
  const pod = engine.root().pods.get(id);
  if (pod === undefined) throw unknownEntity('Pod', id);
  return pod;
}

export async function createPod(call: Call): Promise<FaceReply> {
  const { engine } = call;
  const { model: settings } = engine;
  const json = await bodyOf(call);
  const pod = podFromJson(json, { root: engine.root(), settings, forceRole: false });
  demandSpec(call, 'create', { on: 'pod', spec: pod });
  const result = await engine.updates.apply({
    groupID: parentOf(pod.id),
    force: flag(call, 'force'),
    change(root, version) {
      if (root.pods.has(pod.id)) throw conflict(`A pod with id [${pod.id}] already exists.`);
      return putRunSpec(root, { kind: 'pod', spec: pod }, { version, settings });
    },
  });
  announce(call, 'pod_created_event');
  const stored = result.root.pods.get(pod.id) ?? pod;
  return jsonReply(textOf('Pod', stored), 201, {
    Location: pod.id,
    'Marathon-Deployment-Id': result.plan.id,
  });
}

export async function updatePod(call: Call, [text = '']: readonly string[]): Promise<FaceReply> {
  const { engine } = call;
  const { model: settings } = engine;
  const id = idOf(text);
  const force = flag(call, 'force');
  const json = await bodyOf(call);
  const given = read('Pod', json).id;
  if (idOf(given) !== id)
    throw new MarathonFailure(400, {
      message: `'${id}' does not match definition's id ('${given}')`,
    });
  const result = await engine.updates.apply({
    groupID: parentOf(id),
    force,
    change(root, version) {
      const existing = root.pods.get(id);
      const context = { root, settings, forceRole: force };
      const spec = podUpdateFromJson(json, { id, existing, context });
      demandSpec(call, existing === undefined ? 'create' : 'update', { on: 'pod', spec });
      return putRunSpec(root, { kind: 'pod', spec }, { version, settings });
    },
  });
  announce(call, 'pod_updated_event');
  const pod = result.root.pods.get(id);
  if (pod === undefined) throw unknownEntity('Pod', id);
  return jsonReply(textOf('Pod', pod), 200, { 'Marathon-Deployment-Id': result.plan.id });
}

export async function deletePod(call: Call, [text = '']: readonly string[]): Promise<FaceReply> {
  const { engine } = call;
  const { model: settings } = engine;
  const id = idOf(text);
  const { plan } = await engine.updates.apply({
    groupID: parentOf(id),
    force: flag(call, 'force'),
    change(root, version) {
      const spec = root.pods.get(id);
      if (spec === undefined) throw unknownEntity('Pod', id);
      demandSpec(call, 'delete', { on: 'pod', spec });
      return removeRunSpec(root, id, { version, settings });
    },
  });
  announce(call, 'pod_deleted_event');
  return emptyReply(202, { Location: plan.id, 'Marathon-Deployment-Id': plan.id });
}

export function getPodStatus(call: Call, [text = '']: readonly string[]): FaceReply {
  const pod = podOf(call, text);
  demandSpec(call, 'view', { on: 'pod', spec: pod });
  return jsonReply(podStatusText(call.engine, pod));
}

export function listPodStatus(call: Call): FaceReply {
  const texts = [...call.engine.root().pods.values()]
    .filter(({ id }) => mayView(call, 'pod', id))
    .map((pod) => podStatusText(call.engine, pod));
  return jsonReply(`[${texts.join(',')}]`);
}

export function listPodVersions(call: Call, [text = '']: readonly string[]): FaceReply {
  const pod = podOf(call, text);
  demandSpec(call, 'view', { on: 'pod', spec: pod });
  return jsonReply(JSON.stringify(call.engine.state.versions.of('pod', pod.id).toReversed()));
}

export async function getPodVersion(
  call: Call,
  [text = '', wanted = '']: readonly string[],
): Promise<FaceReply> {
  const id = idOf(text);
  const version = timestampOf(wanted);
  const pod = await call.engine.state.versions.get({ of: 'pod', id, version });
  if (pod === undefined) throw unknownEntity('Pod', id);
  demandSpec(call, 'view', { on: 'pod', spec: pod as Pod });
  return jsonReply(textOf('Pod', pod as Pod));
}

const instancePattern = /^(.+)\.(instance-|marathon-)([^.]+)$/;

function refuseBadIDs(ids: readonly string[]): void {
  const isBad = (id: string): boolean => !instancePattern.test(id);
  if (!ids.some(isBad)) return;
  throw new MarathonFailure(422, {
    message: 'Object is not valid',
    details: [
      { path: '/', errors: [`must fully match regular expression '${instancePattern.source}'`] },
    ],
  });
}

export async function killPodInstance(
  call: Call,
  [text = '', instanceID = '']: readonly string[],
): Promise<FaceReply> {
  refuseBadIDs([instanceID]);
  const id = idOf(text);
  const wanted = (instance: Instance): boolean => instance.instanceID === instanceID;
  const [found] = await kill(call, id, { wanted, wipe: flag(call, 'wipe') });
  if (found === undefined) throw unknownEntity('Task', instanceID);
  return jsonReply(textOf('Instance', jsonOf(call, found)));
}

export async function killPodInstances(
  call: Call,
  [text = '']: readonly string[],
): Promise<FaceReply> {
  const id = idOf(text);
  const ids = readStrings(await bodyOf(call));
  refuseBadIDs(ids);
  const wanted = (instance: Instance): boolean => ids.includes(instance.instanceID);
  const found = await kill(call, id, { wanted, wipe: flag(call, 'wipe') });
  return jsonReply(
    listText(
      'Instance',
      found.map((one) => jsonOf(call, one)),
    ),
  );
}

function readStrings(json: unknown): readonly string[] {
  // The reader of lists of strings is that of the body of `/v2/tasks/delete`.
  return read('DeleteTasks', { ids: json }).ids;
}

function jsonOf({ engine }: Call, instance: Instance): ReturnType<typeof instanceJson> {
  const runSpec = runSpecOf(engine.root(), instance.runSpecID);
  return instanceJson(instance, unreachableOf(runSpec));
}

function announce({ engine, request }: Call, type: string): void {
  engine.events.publish(type, () => ({ clientIp: request.peer.address, uri: request.path }));
}
