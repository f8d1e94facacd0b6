import type { FaceRequest } from '#base';
import type { Problem } from '#machinery';
import { invalid } from '#machinery';

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';
export interface WriteQuery {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
  readonly force: boolean | undefined;
  /** As sent, for admission. */
  readonly options: Readonly<Record<string, unknown>>;
}

const managerBytesMax = 128;

/** Options of create, update and patch, from the query (metav1 CreateOptions and its like). */
export function writeQueryOf(
  request: FaceRequest,
  query: URLSearchParams,
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions',
): WriteQuery {
  if (request.search === '') return plainQuery(request);
  const problems: Problem[] = [];
  const dryRun = query.getAll('dryRun').filter((one) => one !== '');
  if (dryRun.some((one) => one !== 'All')) problems.push(notSupported('dryRun', dryRun, ['All']));
  const fieldManager = query.get('fieldManager') ?? '';
  problems.push(...managerProblems(fieldManager));
  const validation = query.get('fieldValidation') ?? '';
  if (!['', 'Ignore', 'Strict', 'Warn'].includes(validation))
    problems.push(notSupported('fieldValidation', validation, ['', 'Ignore', 'Strict', 'Warn']));
  if (problems.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', problems);
  const force = query.get('force');
  return {
    dryRun: dryRun.length > 0,
    fieldManager: fieldManager === '' ? managerFromAgent(request) : fieldManager,
    fieldValidation: validation === '' ? 'Warn' : (validation as FieldValidation),
    force: force === null ? undefined : force === 'true' || force === '1',
    options: {
      kind,
      apiVersion: 'meta.k8s.io/v1',
      ...(dryRun.length > 0 ? { dryRun } : {}),
      ...(fieldManager === '' ? {} : { fieldManager }),
      ...(validation === '' ? {} : { fieldValidation: validation }),
    },
  };
}

function plainQuery(request: FaceRequest): WriteQuery {
  return {
    dryRun: false,
    fieldManager: managerFromAgent(request),
    fieldValidation: 'Warn',
    force: undefined,
    options: {},
  };
}

function notSupported(path: string, value: unknown, supported: readonly string[]): Problem {
  return { type: 'FieldValueNotSupported', path, value, detail: '', supported };
}

export function managerProblems(name: string): readonly Problem[] {
  const path = 'fieldManager';
  if (Buffer.byteLength(name) > managerBytesMax)
    return [
      {
        type: 'FieldValueTooLong',
        path,
        value: name,
        detail: `may not be more than ${managerBytesMax} bytes`,
      },
    ];
  const bad = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(name);
  if (bad === null) return [];
  const code = (bad[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return [
    {
      type: 'FieldValueInvalid',
      path,
      value: name,
      detail: `invalid character U+${code} (at position ${bad.index})`,
    },
  ];
}

/** Without a name the client's program is the manager (handlers/create.go managerOrUserAgent). */
function managerFromAgent({ headers }: FaceRequest): string {
  const program = (headers['user-agent'] ?? '').split('/', 1)[0] ?? '';
  const printable = program.replaceAll(/[^\x20-\x7e]/g, '').slice(0, managerBytesMax);
  return printable === '' ? 'unknown' : printable;
}
