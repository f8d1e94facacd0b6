import { configMapKey } from '#machinery';
import type { Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { dataBytesMax } from '../shared/data.ts';
import { rootField } from '../shared/field.ts';
import { checkCoreMeta } from '../shared/meta.ts';
import { sameValue } from '../shared/same.ts';
import type { ConfigMap } from '../types/core-v1.ts';

export const configMaps = declareKind<ConfigMap>('v1/ConfigMap', {
  validateCreate: validate,
  validateUpdate: (object, old) => {
    const root = rootField();
    if (old.immutable === true) {
      const text = 'field is immutable when `immutable` is set';
      if (object.immutable !== true) root.at('immutable').forbidden(text);
      if (!sameValue(object.data, old.data)) root.at('data').forbidden(text);
      if (!sameValue(object.binaryData, old.binaryData)) root.at('binaryData').forbidden(text);
    }
    return [...root.found, ...validate(object)];
  },
  table: {
    columns: [
      nameColumn,
      column(
        'Data',
        ({ data, binaryData }) =>
          Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
      ),
      ageColumn,
    ],
  },
});

function validate({ metadata, data, binaryData }: ConfigMap): readonly Problem[] {
  const root = rootField();
  checkCoreMeta(metadata, root);
  let bytes = 0;
  for (const key in data) {
    const problems = configMapKey(key);
    if (problems.length > 0) root.at('data').key(key).invalidAll(key, problems);
    if (binaryData !== undefined && Object.hasOwn(binaryData, key))
      root.at('data').key(key).invalid(key, 'duplicate of key present in binaryData');
    bytes += Buffer.byteLength(data[key] ?? '');
  }
  for (const key in binaryData) {
    const problems = configMapKey(key);
    if (problems.length > 0) root.at('binaryData').key(key).invalidAll(key, problems);
    bytes += Buffer.byteLength(binaryData[key] ?? '', 'base64');
  }
  if (bytes > dataBytesMax) {
    root.tooLong(dataBytesMax);
    // The reference reports this one at a root without a name, which prints as brackets.
    const last = root.found.pop();
    if (last !== undefined) root.found.push({ ...last, path: '[]' });
  }
  return root.found;
}
