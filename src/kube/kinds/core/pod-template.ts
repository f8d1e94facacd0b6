import type { Problem } from '#machinery';
import { declareKind } from '../declare.ts';
import { defaultPodSpec } from '../pod-spec/defaults.ts';
import { checkTemplate } from '../pod-spec/template.ts';
import {
  column,
  containerImages,
  containerNames,
  labelsCell,
  nameColumn,
} from '../shared/columns.ts';
import { rootField } from '../shared/field.ts';
import { checkCoreMeta } from '../shared/meta.ts';
import type { PodTemplate } from '../types/core-v1.ts';

export const podTemplates = declareKind<PodTemplate>('v1/PodTemplate', {
  defaults: ({ template }) => defaultPodSpec(template.spec),
  validateCreate: (object) => validate(object, undefined),
  validateUpdate: validate,
  table: {
    columns: [
      nameColumn,
      column('Containers', ({ template }) => containerNames(template.spec)),
      column('Images', ({ template }) => containerImages(template.spec)),
      column('Pod Labels', ({ template }) => labelsCell(template.metadata.labels)),
    ],
  },
});

function validate(
  { metadata, template }: PodTemplate,
  old: PodTemplate | undefined,
): readonly Problem[] {
  const root = rootField();
  checkCoreMeta(metadata, root);
  checkTemplate(template, root.at('template'), old?.template);
  return root.found;
}
