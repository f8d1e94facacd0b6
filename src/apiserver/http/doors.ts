import type { FaceReply } from '#base';
import type { Draft, KubeObject } from '#machinery';
import type { Core } from '../core.ts';
import type { Door, DoorRequest } from '../seams.ts';
import { Admission } from '../verbs/admit.ts';
import { decodeBody } from './body.ts';
import { attributesOf } from './context.ts';
import { encodeTyped } from './encode.ts';
import { mediaTypes, negotiate, wantsPretty } from './negotiate.ts';
import type { Served } from './resources.ts';
import { deferred } from './deferred-reply.ts';

/** Hands a request to the door that serves its subresource. */
export async function openDoor(core: Core, served: Served, door: Door): Promise<FaceReply> {
  const { context, kind } = served;
  const { request, info } = context;
  const admitted: Admission[] = [];
  const asked: DoorRequest = {
    request,
    attributes: attributesOf(context),
    kind,
    query: info.query,
    rest: info.rest,
    body: async (type) => {
      const short = type.slice(type.lastIndexOf('.') + 1);
      const { value } = await decodeBody(core, request, {
        type,
        kind: short,
        version: kind.version,
      });
      // A body may leave out what the path already says.
      if ((value['kind'] ?? '') === '') value['kind'] = short;
      if ((value['apiVersion'] ?? '') === '')
        value['apiVersion'] = apiVersionOfType(core, type, short) ?? '';
      return value;
    },
    reply: (status, object, options) => {
      const accepted = negotiate(request.headers['accept'], {
        protobuf: true,
        watch: false,
        convertible: false,
      });
      const type = core.scheme.typeOf(object.apiVersion, object.kind) ?? kind.type;
      const pretty = wantsPretty(accepted, info.query, request.headers['user-agent']);
      const headers: Record<string, string> = { 'content-type': mediaTypes[accepted.format] };
      for (const [name, value] of Object.entries(options?.headers ?? {}))
        if (value !== undefined) headers[name] = value;
      return deferred(status, headers, encodeTyped(core, { accepted, pretty }, { type, object }));
    },
    admit: async (operation, object: Draft<KubeObject> | undefined, old) => {
      const call = served.call({ dryRun: info.query.get('dryRun') === 'All', options: {} });
      const admission = new Admission(core, call, { operation, object, old });
      admitted.push(admission);
      await admission.mutate();
      await admission.validate();
    },
  };
  let committed = false;
  try {
    const reply = await door.handle(asked);
    committed = reply.status < 400;
    return reply;
  } finally {
    // Only now is it known whether the door's own write happened.
    for (const admission of admitted) admission.settle(committed);
  }
}

/** The version in which the scheme knows a type under this kind. */
function apiVersionOfType(core: Core, type: string, kind: string): string | undefined {
  for (const { versions } of core.scheme.groups)
    for (const { apiVersion } of versions)
      if (core.scheme.typeOf(apiVersion, kind) === type) return apiVersion;
  return undefined;
}
