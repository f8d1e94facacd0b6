import { CallRejected, MessageError, parseJsonText } from '#mesos/protocol';
import type {
  Caller,
  MachineID,
  MessageCodec,
  OfferOperation,
  OfferOperationType,
  QuotaQuotaConfig,
  Resource,
} from '#mesos/protocol';
import type { Master } from '../../core/master.ts';
import type { Document } from './json.ts';

/** What the writing endpoints get. Bodies are read already. */
export interface Submission {
  readonly master: Master;
  readonly codec: MessageCodec;
  readonly body: string;
  readonly caller: Caller;
  readonly principal: string | undefined;
}

/** Endpoints that change resources of an agent by a form (master/http.cpp). */
export const formOperations: Readonly<Record<string, FormOperation>> = {
  reserve: { type: 'RESERVE', field: 'resources' },
  unreserve: { type: 'UNRESERVE', field: 'resources' },
  'create-volumes': { type: 'CREATE', field: 'volumes' },
  'destroy-volumes': { type: 'DESTROY', field: 'volumes' },
};
export interface FormOperation {
  readonly type: OfferOperationType;
  readonly field: 'resources' | 'volumes';
}

/** `/reserve`, `/unreserve`, `/create-volumes`, `/destroy-volumes`. */
export async function formOperation(
  submission: Submission,
  { type, field }: FormOperation,
): Promise<void> {
  const form = formOf(submission.body);
  const agentID = wanted(form, 'slaveId');
  const resources = resourcesOf(submission.codec, wanted(form, field), { type, field });
  const source = form.get('source');
  demand(submission.caller, type, resources);
  const from =
    type === 'RESERVE' && source !== null
      ? resourcesOf(submission.codec, source, { type, field: 'source' })
      : undefined;
  await submission.master.operator.operation(
    agentID,
    operationOf(type, resources, from),
    submission.principal,
  );
}

const operationActions = {
  RESERVE: 'reserve_resources',
  UNRESERVE: 'unreserve_resources',
  CREATE: 'create_volumes',
  DESTROY: 'destroy_volumes',
} as const;

/** 403 unless the caller may do that to every one of the resources. */
function demand(caller: Caller, type: OfferOperationType, resources: readonly Resource[]): void {
  const action = new Map(Object.entries(operationActions)).get(type);
  for (const { reservations, role, disk } of resources) {
    const last = reservations?.at(-1);
    const about = {
      role: last?.role ?? role,
      principal: type === 'DESTROY' ? disk?.persistence?.principal : last?.principal,
    };
    if (action !== undefined && !caller.allows(action, about)) throw new CallRejected(403, '');
  }
}

function operationOf(
  type: OfferOperationType,
  resources: readonly Resource[],
  source: readonly Resource[] | undefined,
): OfferOperation {
  if (type === 'RESERVE')
    return { type, reserve: { resources, ...(source === undefined ? {} : { source }) } };
  if (type === 'UNRESERVE') return { type, unreserve: { resources } };
  if (type === 'CREATE') return { type, create: { volumes: resources } };
  return { type, destroy: { volumes: resources } };
}

/** `/teardown`. */
export async function teardown({ master, body, caller }: Submission): Promise<void> {
  const frameworkID = wanted(formOf(body), 'frameworkId');
  const framework = master.state.frameworks.get(frameworkID);
  if (framework === undefined) throw new CallRejected(400, 'No framework found with specified ID');
  const { info, namespace } = framework;
  const about = { frameworkID, frameworkName: info.name, namespace, principal: info.principal };
  if (!caller.allows('teardown_frameworks', about)) throw new CallRejected(403, '');
  await master.operator.teardown(frameworkID);
}

function formOf(body: string): URLSearchParams {
  if (/%(?![0-9A-Fa-f]{2})/.test(body))
    throw new CallRejected(400, `Unable to decode query string: Malformed % escape in '${body}'`);
  return new URLSearchParams(body);
}

function wanted(form: URLSearchParams, name: string): string {
  const value = form.get(name);
  if (value === null)
    throw new CallRejected(400, `Missing '${name}' query parameter in the request body`);
  return value;
}

function resourcesOf(
  codec: MessageCodec,
  text: string,
  { type, field }: { readonly type: OfferOperationType; readonly field: string },
): Resource[] {
  try {
    const list = parseJsonText(text);
    if (!Array.isArray(list)) throw new MessageError('content', 'Expecting a JSON array');
    return list.map((one: unknown) => codec.fromJsonValue('Resource', one));
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    const begin = type === 'RESERVE' ? 'Error parsing' : 'Error in parsing';
    throw new CallRejected(
      400,
      `${begin} '${field}' query parameter in the request body: ${error.message}`,
    );
  }
}

/** PUT `/weights`: the array of v0 WeightInfo. */
export async function putWeights({ master, codec, body, caller }: Submission): Promise<void> {
  const weights = messages(() => listOf(body).map((one) => codec.fromJsonValue('WeightInfo', one)));
  for (const { role } of weights)
    if (!caller.allows('update_weights', { role })) throw new CallRejected(403, '');
  await master.operator.updateWeights(weights);
}

/** POST `/quota`: limits become the guarantees. */
export async function postQuota({ master, codec, body, caller }: Submission): Promise<void> {
  let request;
  try {
    request = codec.decodeJson('quota.QuotaRequest', body);
  } catch (error) {
    if (!(error instanceof MessageError)) throw error;
    throw new CallRejected(
      400,
      `Failed to parse set quota request JSON '${body}': ${error.message}`,
    );
  }
  if (!caller.allows('update_quotas', { role: request.role })) throw new CallRejected(403, '');
  await master.operator.setQuota(request);
}

/** DELETE `/quota/<role>`; `path` is `/master/quota/<role>`. */
export async function deleteQuota(master: Master, path: string, caller: Caller): Promise<void> {
  const tokens = path.split('/').filter((token) => token !== '');
  if (tokens.length < 3)
    throw new CallRejected(
      400,
      `Failed to parse remove quota request for path '${path}': expected 3 tokens, found ${tokens.length} tokens`,
    );
  const role = decodeURIComponent(tokens.slice(2).join('/'));
  if (!caller.allows('update_quotas', { role })) throw new CallRejected(403, '');
  const known = master.state.roles.get(role);
  if (known === undefined)
    throw new CallRejected(
      400,
      `Failed to validate remove quota request for path '${path}': Unknown role '${role}'`,
    );
  if (known.quota === undefined)
    throw new CallRejected(
      400,
      `Failed to remove quota for path '${path}': Role '${role}' has no quota set`,
    );
  await master.operator.removeQuota(role);
}

/** GET `/quota`: QuotaStatus. */
export function quotaDocument(master: Master, codec: MessageCodec): Document {
  const configs: QuotaQuotaConfig[] = [];
  for (const { quota } of master.state.roles.values()) if (quota !== undefined) configs.push(quota);
  const infos = configs.map(({ role, guarantees }) => ({
    role,
    guarantee: Object.entries(guarantees ?? {}).map(
      ([name, scalar]): Resource => ({ name, type: 'SCALAR', scalar, role: '*' }),
    ),
  }));
  return [codec.encodeJson('quota.QuotaStatus', { infos, configs })];
}

export function scheduleDocument(master: Master, codec: MessageCodec): Document {
  return [codec.encodeJson('maintenance.Schedule', master.state.schedule)];
}

export async function postSchedule({ master, codec, body, caller }: Submission): Promise<void> {
  if (!caller.allows('update_maintenance_schedules')) throw new CallRejected(403, '');
  await master.operator.updateSchedule(
    messages(() => codec.decodeJson('maintenance.Schedule', body)),
  );
}

export function maintenanceStatusDocument(master: Master, codec: MessageCodec): Document {
  const status = master.operator.maintenanceStatus();
  return [codec.encodeJson('maintenance.ClusterStatus', status)];
}

/** `/machine/down` and `/machine/up`: an array of MachineID. */
export async function machines(submission: Submission, mode: 'down' | 'up'): Promise<void> {
  const { master, codec, body, caller } = submission;
  const action = mode === 'down' ? 'start_maintenances' : 'stop_maintenances';
  if (!caller.allows(action)) throw new CallRejected(403, '');
  const list: MachineID[] = messages(() =>
    listOf(body).map((one) => codec.fromJsonValue('MachineID', one)),
  );
  if (mode === 'down') await master.operator.startMaintenance(list);
  else await master.operator.stopMaintenance(list);
}

function listOf(body: string): unknown[] {
  const list = parseJsonText(body);
  if (!Array.isArray(list)) throw new MessageError('content', 'Unexpected JSON type parsed');
  return list;
}

function messages<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof MessageError) throw new CallRejected(400, error.message);
    throw error;
  }
}
