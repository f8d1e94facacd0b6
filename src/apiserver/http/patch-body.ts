import { limits } from '#base';
import type { KindDeclaration } from '#machinery';
import { badRequest, invalid, requestEntityTooLarge, unsupportedMediaType } from '#machinery';
import { parseYaml } from '#wire';
import type { PatchBody } from '../verbs/patch.ts';
import { judgeStrictness } from './body.ts';
import type { Context } from './context.ts';
import type { WriteQuery } from './write-options.ts';

const accepted = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
] as const;
const types = ['json', 'merge', 'strategic', 'apply'] as const;
const operationsMax = 10_000;

/** What a PATCH brings, by its Content-Type. */
export async function patchBodyOf(
  context: Context,
  kind: KindDeclaration,
  query: WriteQuery,
): Promise<PatchBody> {
  const { request, warnings } = context;
  const contentType = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const type = types[accepted.findIndex((one) => one === contentType)];
  if (type === undefined) throw unsupportedMediaType(accepted);
  checkApplyOptions(context, type, query);
  const bytes = await request.body(limits.requestBodyBytesMax);
  const judge = (problems: readonly string[]): void =>
    judgeStrictness(problems, {
      kind,
      validation: query.fieldValidation,
      warn: (text) => warnings.add(text),
    });
  if (type === 'apply') {
    try {
      const { value } = await parseYaml(bytes);
      return { type, value, force: query.force === true, judge };
    } catch (cause) {
      throw badRequest(`error decoding YAML: ${cause instanceof Error ? cause.message : ''}`);
    }
  }
  const value = parsedJson(bytes);
  if (type === 'json' && Array.isArray(value) && value.length > operationsMax)
    throw requestEntityTooLarge(
      `The allowed maximum operations in a JSON patch is ${operationsMax}, got ${value.length}`,
    );
  return { type, value, force: false, judge };
}

function parsedJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw badRequest(`error decoding patch: ${cause instanceof Error ? cause.message : ''}`);
  }
}

function checkApplyOptions(context: Context, type: PatchBody['type'], query: WriteQuery): void {
  const id = { group: 'meta.k8s.io', kind: 'PatchOptions' };
  if (type === 'apply') {
    if ((context.info.query.get('fieldManager') ?? '') === '')
      throw invalid(id, '', [
        { type: 'FieldValueRequired', path: 'fieldManager', detail: 'is required for apply patch' },
      ]);
  } else if (query.force !== undefined)
    throw invalid(id, '', [
      {
        type: 'FieldValueForbidden',
        path: 'force',
        detail: 'may not be specified for non-apply patch',
      },
    ]);
}
