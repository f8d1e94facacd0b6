import { limits } from '#base';
import { badRequest, invalid } from '#machinery';
import { DecodeError } from '#wire';
import type { Core } from '../core.ts';
import type { DeleteRequest } from '../verbs/delete.ts';
import type { Context } from './context.ts';
import { bodyFormat } from './negotiate.ts';
import { isTrue } from './request-info.ts';

export interface DeleteQuery extends DeleteRequest {
  readonly dryRun: boolean;
  readonly options: Readonly<Record<string, unknown>>;
}

const type = 'k8s.io.apimachinery.pkg.apis.meta.v1.DeleteOptions';

/** DeleteOptions: from the body, or from the query when there is none. */
export async function deleteOptionsOf(
  core: Core,
  { request, info }: Context,
): Promise<DeleteQuery> {
  const bytes = await request.body(limits.requestBodyBytesMax);
  const value =
    bytes.length === 0
      ? fromQuery(info.query)
      : await fromBody(core, request.headers['content-type'], bytes);
  const dryRun = Array.isArray(value['dryRun']) ? (value['dryRun'] as unknown[]) : [];
  if (dryRun.some((one) => one !== 'All'))
    throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', [
      {
        type: 'FieldValueNotSupported',
        path: 'dryRun',
        value: dryRun,
        detail: '',
        supported: ['All'],
      },
    ]);
  const options = value as unknown as DeleteRequest;
  return {
    gracePeriodSeconds: options.gracePeriodSeconds ?? undefined,
    orphanDependents: options.orphanDependents ?? undefined,
    propagationPolicy: options.propagationPolicy ?? undefined,
    preconditions: options.preconditions ?? undefined,
    dryRun: dryRun.length > 0,
    options: value,
  };
}

async function fromBody(
  core: Core,
  contentType: string | undefined,
  bytes: Uint8Array,
): Promise<Record<string, unknown>> {
  const format = bodyFormat(contentType, true);
  try {
    const { value } =
      format === 'protobuf'
        ? core.codec.decodeProtobuf(bytes, core.scheme.typeOf)
        : format === 'yaml'
          ? await core.codec.decodeYaml(type, bytes)
          : core.codec.decodeJson(type, bytes);
    const kind = value['kind'];
    if (kind !== undefined && kind !== '' && kind !== 'DeleteOptions')
      throw badRequest('decoded object cannot be converted to DeleteOptions');
    return value;
  } catch (cause) {
    if (cause instanceof DecodeError) throw badRequest(cause.message);
    throw cause;
  }
}

function fromQuery(query: URLSearchParams): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  const grace = query.get('gracePeriodSeconds');
  if (grace !== null) {
    if (!/^-?\d{1,15}$/.test(grace))
      throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`);
    value['gracePeriodSeconds'] = Number(grace);
  }
  const policy = query.get('propagationPolicy');
  if (policy !== null && policy !== '') value['propagationPolicy'] = policy;
  const orphan = query.get('orphanDependents');
  if (orphan !== null) value['orphanDependents'] = isTrue(orphan);
  const dryRun = query.getAll('dryRun').filter((one) => one !== '');
  if (dryRun.length > 0) value['dryRun'] = dryRun;
  return value;
}
