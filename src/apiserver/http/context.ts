import type { FaceReply, FaceRequest } from '#base';
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
  };
}
