import { configMapKey } from '#machinery';
import type { Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { dataBytesMax } from '../shared/data.ts';
import { rootField } from '../shared/field.ts';
import type { Field } from '../shared/field.ts';
import { jsonObjectProblem } from '../shared/go-json.ts';
import { checkCoreMeta } from '../shared/meta.ts';
import { sameValue } from '../shared/same.ts';
import type { Secret } from '../types/core-v1.ts';

const redacted = '<secret contents redacted>';

export const secrets = declareKind<Secret>('v1/Secret', {
  defaults: (secret) => {
    // stringData is a way in only: it is never stored (conversion of the reference).
    if (secret.stringData !== undefined) {
      secret.data ??= {};
      for (const [key, text] of Object.entries(secret.stringData))
        secret.data[key] = Buffer.from(text).toString('base64');
      delete secret.stringData;
    }
    secret.type ||= 'Opaque';
  },
  prepareForUpdate: (secret, old) => {
    if (!secret.type && old.type) secret.type = old.type;
  },
  validateCreate: validate,
  validateUpdate: (secret, old) => {
    const root = rootField();
    if (secret.type !== old.type) root.at('type').immutable(secret.type);
    if (old.immutable === true) {
      const text = 'field is immutable when `immutable` is set';
      if (secret.immutable !== true) root.at('immutable').forbidden(text);
      if (!sameValue(secret.data, old.data)) root.at('data').forbidden(text);
    }
    return [...root.found, ...validate(secret)];
  },
  selectableFields: { type: ({ type }) => type ?? '' },
  table: {
    columns: [
      nameColumn,
      column('Type', ({ type }) => type ?? ''),
      column('Data', ({ data }) => Object.keys(data ?? {}).length),
      ageColumn,
    ],
  },
});

function validate(secret: Secret): readonly Problem[] {
  const root = rootField();
  checkCoreMeta(secret.metadata, root);
  const data = secret.data ?? {};
  let bytes = 0;
  for (const key in data) {
    const problems = configMapKey(key);
    if (problems.length > 0) root.at('data').key(key).invalidAll(key, problems);
    bytes += Buffer.byteLength(data[key] ?? '', 'base64');
  }
  if (bytes > dataBytesMax) root.at('data').tooLong(dataBytesMax);
  checkType(secret, root);
  return root.found;
}

function checkType({ type, metadata, data }: Secret, root: Field): void {
  const has = (key: string) => data !== undefined && Object.hasOwn(data, key);
  const at = (key: string) => root.at('data').key(key);
  switch (type) {
    case 'kubernetes.io/service-account-token': {
      const account = 'kubernetes.io/service-account.name';
      if (!metadata.annotations?.[account])
        root.at('metadata').at('annotations').key(account).required();
      break;
    }
    case 'kubernetes.io/dockercfg':
      checkJson(data?.['.dockercfg'], at('.dockercfg'));
      break;
    case 'kubernetes.io/dockerconfigjson':
      checkJson(data?.['.dockerconfigjson'], at('.dockerconfigjson'));
      break;
    case 'kubernetes.io/basic-auth':
      if (!has('username') && !has('password')) {
        at('username').required();
        at('password').required();
      }
      break;
    case 'kubernetes.io/ssh-auth':
      if (!data?.['ssh-privatekey']) at('ssh-privatekey').required();
      break;
    case 'kubernetes.io/tls':
      if (!has('tls.crt')) at('tls.crt').required();
      if (!has('tls.key')) at('tls.key').required();
      break;
    default:
  }
}

function checkJson(base64: string | undefined, field: Field): void {
  if (base64 === undefined) {
    field.required();
    return;
  }
  const text = jsonObjectProblem(Buffer.from(base64, 'base64').toString());
  if (text !== undefined) field.invalid(redacted, text);
}
