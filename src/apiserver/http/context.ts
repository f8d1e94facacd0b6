import type { FaceReply, FaceRequest } from '#base';
import { StatusError, parseFieldSelector, parseLabelSelector } from '#machinery';
import type { Attributes, UserInfo } from '../seams.ts';
import type { RequestInfo } from './request-info.ts';
import type { Warnings } from './warnings.ts';

/** One request on its way through the steps; each step fills in what it found out. */
export interface Context {
  readonly request: FaceRequest;
  readonly warnings: Warnings;
  auditId: string;
  info: RequestInfo;
  user: UserInfo;
}
export type Handler = (context: Context) => Promise<FaceReply>;
export type Step = (context: Context, next: Handler) => Promise<FaceReply>;

export function chain(steps: readonly Step[], last: Handler): Handler {
  return steps.reduceRight<Handler>((next, step) => (context) => step(context, next), last);
}

export function attributesOf({ info, user }: Pick<Context, 'info' | 'user'>): Attributes {
  return {
    user,
    verb: info.verb,
    isResource: info.isResource,
    group: info.group,
    version: info.version,
    resource: info.resource,
    subresource: info.subresource,
    namespace: info.namespace,
    name: info.name,
    path: info.path,
    ...(selecting.has(info.verb) ? selectorsOf(info.query) : undefined),
  };
}

const selecting = new Set(['list', 'watch', 'deletecollection']);

/** One that cannot be read narrows nothing for authorisation; the verb refuses it later. */
function selectorsOf(query: URLSearchParams): Pick<Attributes, 'fieldSelector' | 'labelSelector'> {
  const fields = query.get('fieldSelector') ?? '';
  const labels = query.get('labelSelector') ?? '';
  try {
    return {
      fieldSelector: fields === '' ? undefined : parseFieldSelector(fields).terms,
      labelSelector: labels === '' ? undefined : parseLabelSelector(labels).requirements,
    };
  } catch (error) {
    if (error instanceof StatusError) return {};
    throw error;
  }
}
