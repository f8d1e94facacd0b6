import { dns1123Label } from '#machinery';
import type { Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { checkOverhead } from '../pod-spec/resources.ts';
import { checkTolerations } from '../pod-spec/tolerations.ts';
import { ageColumn, column, nameColumn } from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import { checkLabels } from '../shared/meta.ts';
import { sameValue } from '../shared/same.ts';
import { nodeLabelWarning } from '../shared/warnings.ts';
import type { RuntimeClass } from '../types/node-v1.ts';

export const runtimeClasses = declareKind<RuntimeClass>('node.k8s.io/v1/RuntimeClass', {
  validateCreate: validate,
  validateUpdate: (object, old) => {
    const root = rootField();
    if (object.handler !== old.handler) root.at('handler').immutable(object.handler);
    return [...root.found, ...validate(object)];
  },
  warnings: ({ scheduling }) =>
    Object.keys(scheduling?.nodeSelector ?? {}).flatMap((key) => {
      const text = nodeLabelWarning(key);
      return text === undefined ? [] : [`scheduling.nodeSelector: ${text}`];
    }),
  table: {
    columns: [nameColumn, column('Handler', ({ handler }) => handler), ageColumn],
  },
});

function validate({ handler, overhead, scheduling }: RuntimeClass): readonly Problem[] {
  const root = rootField();
  if (handler === '') root.at('handler').required();
  else root.at('handler').invalidAll(handler, dns1123Label(handler));
  if (overhead !== undefined) checkOverhead(overhead.podFixed, root.at('overhead'));
  if (scheduling === undefined) return root.found;
  const field = root.at('scheduling');
  checkLabels(scheduling.nodeSelector, field.at('nodeSelector'));
  const tolerations = scheduling.tolerations ?? [];
  checkTolerations(tolerations, field.at('tolerations'));
  for (const [index, toleration] of tolerations.entries()) {
    const { tolerationSeconds: _seconds, ...own } = toleration;
    const isRepeated = tolerations.slice(0, index).some((one) => {
      const { tolerationSeconds: _other, ...other } = one;
      return sameValue(own, other);
    });
    if (isRepeated) field.at('tolerations').at(index).duplicate(toleration);
  }
  return root.found;
}
