/** One finding of validation: `field.Error` of k8s apimachinery, as data. */
export interface Problem {
  readonly type: ProblemType;
  /** `spec.containers[0].image`, `metadata.labels[key]`. */
  readonly path: string;
  /** The value as it came; left out of the text for Required, Forbidden, TooLong and InternalError. */
  readonly value?: unknown;
  readonly detail: string;
  /** Values to name in the text of a NotSupported problem. */
  readonly supported?: readonly string[];
}
export type ProblemType =
  | 'FieldValueInvalid'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueNotFound'
  | 'FieldValueNotSupported'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError';
