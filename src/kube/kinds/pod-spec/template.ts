import type { Field } from '../shared/field.ts';
import { checkAnnotations, checkLabels, selectorMatches } from '../shared/meta.ts';
import type { PodTemplateSpec } from '../types/core-v1.ts';
import type { LabelSelector } from '../types/meta-v1.ts';
import { checkPodAnnotations, checkProfilesMatch } from './annotations.ts';
import { checkPodSpec, leniencyOf } from './spec.ts';

/** ValidatePodTemplateSpec. Labels and annotations are printed without `metadata`, as there. */
export function checkTemplate(
  template: PodTemplateSpec,
  field: Field,
  old?: PodTemplateSpec,
): void {
  const { labels, annotations } = template.metadata;
  checkLabels(labels, field.at('labels'));
  checkAnnotations(annotations, field.at('annotations'));
  checkPodAnnotations(annotations, field.at('annotations'), { spec: template.spec });
  checkPodSpec(template.spec, field.at('spec'), {
    isTemplate: true,
    ...(old !== undefined && { leniency: leniencyOf(old.spec) }),
  });
  checkProfilesMatch(annotations, template.spec, field.at('spec'));
  if ((template.spec.ephemeralContainers ?? []).length > 0)
    field
      .at('spec.ephemeralContainers')
      .forbidden('ephemeral containers not allowed in pod template');
}

export interface TemplateSite {
  readonly selector: LabelSelector | undefined;
  /** The name in "activeDeadlineSeconds in X is not Supported". */
  readonly kind: string;
  readonly old?: PodTemplateSpec | undefined;
}

/** Templates of kinds whose Pods run for ever. */
export function checkRunningTemplate(
  template: PodTemplateSpec,
  field: Field,
  { selector, kind, old }: TemplateSite,
): void {
  const { labels } = template.metadata;
  if (!selectorMatches(selector, labels))
    field
      .at('metadata.labels')
      .invalid(labels ?? null, '`selector` does not match template `labels`');
  checkTemplate(template, field, old);
  checkRunsForever(template, field, kind);
}
export function checkRunsForever(template: PodTemplateSpec, field: Field, kind: string): void {
  const { restartPolicy = '', activeDeadlineSeconds } = template.spec;
  if (restartPolicy !== 'Always')
    field.at('spec.restartPolicy').notSupported(restartPolicy, ['Always']);
  if (activeDeadlineSeconds !== undefined)
    field
      .at('spec.activeDeadlineSeconds')
      .forbidden(`activeDeadlineSeconds in ${kind} is not Supported`);
}
