import type { FaceReply } from '#base';
import type { Instance, Root, RunSpec } from '../model/index.ts';
import {
  MarathonFailure,
  isActive,
  isWithin,
  parseTaskID,
  putRunSpec,
  read,
  runSpecOf,
  servicePortsOf,
  textOf,
  taskJson,
  unknownEntity,
} from '../model/index.ts';
import { taskTexts } from './app-info.ts';
import { appOf } from './apps.ts';
import type { Call } from './http.ts';
import {
  bodyOf,
  demand,
  demandSpec,
  deploymentReply,
  flag,
  idOf,
  jsonReply,
  mayView,
} from './http.ts';

/** `/v2/tasks` and `/v2/apps/{id}/tasks` (TasksResource.scala, AppTasksResource.scala, TaskKiller.scala). */

export function listTasks(call: Call): FaceReply {
  const { engine, query } = call;
  const wanted = new Set(
    [...query.getAll('status'), ...query.getAll('status[]')].flatMap((status) => {
      const plain = status.toLowerCase();
      if (plain === 'running') return ['Running'];
      return plain === 'staging' ? ['Staging'] : [];
    }),
  );
  const texts: string[] = [];
  for (const app of engine.root().apps.values()) {
    const instances = engine.tracker.of(app.id);
    if (instances.size === 0 || !mayView(call, 'app', app.id)) continue;
    const chosen = [...instances.values()].filter(
      ({ condition }) => wanted.size === 0 || wanted.has(condition),
    );
    texts.push(...taskTexts(engine, chosen, servicePortsOf(app)));
  }
  return jsonReply(`{"tasks":[${texts.join(',')}]}`);
}

export function listAppTasks(call: Call, [text = '']: readonly string[]): FaceReply {
  const { engine } = call;
  if (text === '*' || text.endsWith('/*')) {
    const group = idOf(text.slice(0, -1));
    if (!engine.root().groups.has(group)) throw unknownEntity('Group', group);
    demand(call, { action: 'view', on: 'group', id: group });
    const texts = [...engine.root().apps.keys()]
      .filter((id) => isWithin(id, group))
      .flatMap((id) => taskTexts(engine, engine.tracker.of(id).values()));
    return jsonReply(`{"tasks":[${texts.join(',')}]}`);
  }
  const app = appOf(call, idOf(text));
  demandSpec(call, 'view', { on: 'app', spec: app });
  const texts = taskTexts(engine, engine.tracker.of(app.id).values());
  return jsonReply(`{"tasks":[${texts.join(',')}]}`);
}

export async function deleteAppTasks(
  call: Call,
  [text = '']: readonly string[],
): Promise<FaceReply> {
  const { query } = call;
  const id = idOf(text);
  const host = query.get('host');
  const wanted = (instance: Instance): boolean =>
    host === null || host === '*' || instance.agent?.host === host;
  const { scale, wipe } = manner(call);
  if (scale) return killAndScale(call, new Map([[id, activeOf(call, id).filter(wanted)]]));
  const found = await kill(call, id, { wanted, wipe });
  return jsonReply(`{"tasks":[${taskTexts(call.engine, found).join(',')}]}`);
}

export async function deleteAppTask(
  call: Call,
  [text = '', taskID = '']: readonly string[],
): Promise<FaceReply> {
  const id = idOf(text);
  const instanceID = parseTaskID(taskID)?.instanceID;
  const wanted = (instance: Instance): boolean => instance.instanceID === instanceID;
  const { scale, wipe } = manner(call);
  if (scale) return killAndScale(call, new Map([[id, activeOf(call, id).filter(wanted)]]));
  const [found] = await kill(call, id, { wanted, wipe });
  const task = found?.tasks[0];
  if (found === undefined || task === undefined) throw unknownEntity('Task', taskID);
  const health = call.engine.health.resultsOf(found);
  const body = textOf('Task', taskJson(found, task, { health, servicePorts: [] }));
  return jsonReply(`{"task":${body}}`);
}

export async function deleteTasks(call: Call): Promise<FaceReply> {
  const { engine } = call;
  const { scale, wipe } = manner(call);
  const { ids } = read('DeleteTasks', await bodyOf(call));
  const bySpec = new Map<string, Instance[]>();
  for (const taskID of new Set(ids)) {
    const parsed = parseTaskID(taskID);
    if (parsed === undefined)
      throw new MarathonFailure(400, {
        message: `Invalid task id '${taskID}'. [taskId ${taskID} no valid identifier (of class java.lang.String)]`,
      });
    const instance = engine.tracker.get(parsed.instanceID);
    if (instance === undefined) continue;
    const members = bySpec.get(instance.runSpecID) ?? [];
    if (!members.includes(instance)) members.push(instance);
    bySpec.set(instance.runSpecID, members);
  }
  if (scale) return killAndScale(call, bySpec);
  const texts: string[] = [];
  for (const [id, instances] of bySpec) {
    if (!engine.root().apps.has(id)) continue;
    const found = await kill(call, id, { wanted: (one) => instances.includes(one), wipe });
    texts.push(...taskTexts(engine, found));
  }
  return jsonReply(`{"tasks":[${texts.join(',')}]}`);
}

function manner(call: Call): { readonly scale: boolean; readonly wipe: boolean } {
  const scale = flag(call, 'scale');
  const wipe = flag(call, 'wipe');
  if (scale && wipe)
    throw new MarathonFailure(400, {
      message: 'You cannot use scale and wipe at the same time.',
    });
  return { scale, wipe };
}

function activeOf({ engine }: Call, id: string): Instance[] {
  return [...engine.tracker.of(id).values()].filter(({ condition }) => isActive(condition));
}

/** What was found, as it was; it need not be gone yet. */
export async function kill(
  call: Call,
  id: string,
  { wanted, wipe }: { wanted(instance: Instance): boolean; readonly wipe: boolean },
): Promise<readonly Instance[]> {
  const { engine } = call;
  const runSpec = runSpecOf(engine.root(), id);
  if (runSpec === undefined)
    throw unknownEntity(call.path.startsWith('/v2/pods') ? 'Path' : 'App', id);
  demandSpec(call, 'update', { on: runSpec.kind, spec: runSpec.spec });
  const found = [...engine.tracker.of(id).values()].filter(wanted);
  if (wipe) {
    for (const { instanceID } of found) await engine.killer.setGoal(instanceID, 'Decommissioned');
  } else {
    for (const instance of found) if (isActive(instance.condition)) engine.killer.kill(instance);
  }
  return found;
}

/** One deployment that asks for fewer, and ends these first. */
async function killAndScale(
  call: Call,
  bySpec: ReadonlyMap<string, readonly Instance[]>,
): Promise<FaceReply> {
  const { engine } = call;
  const { model: settings } = engine;
  const result = await engine.updates.apply({
    groupID: '/',
    force: flag(call, 'force'),
    toKill: new Map([...bySpec].map(([id, list]) => [id, list.map((one) => one.instanceID)])),
    change(root, version) {
      let next: Root = root;
      for (const [id, instances] of bySpec) {
        const app = root.apps.get(id);
        if (app === undefined) throw unknownEntity('Path', id);
        demandSpec(call, 'update', { on: 'app', spec: app });
        const fewer = instances.filter(
          ({ condition }) => isActive(condition) && condition !== 'Killing',
        ).length;
        const spec = { ...app, instances: Math.max(0, app.instances - fewer) };
        const runSpec: RunSpec = { kind: 'app', spec };
        next = putRunSpec(next, runSpec, { version, settings });
      }
      return next;
    },
  });
  return deploymentReply(result);
}
