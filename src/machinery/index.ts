/**
 * Pure API machinery: what a kind is, what an object is, how it is defaulted, checked, patched,
 * selected and told apart. No I/O, no knowledge of any single kind. Start with `kind.ts`.
 */
export type {
  Api,
  DeleteOptions,
  ListOptions,
  ListResult,
  Patch,
  Selection,
  Target,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './api.ts';
export { StatusError, TerminalError, isStatus, statusCodes } from './errors.ts';
export type { StatusCause, StatusDetails, StatusReason } from './errors.ts';
export type {
  ColumnDeclaration,
  FieldReader,
  KindDeclaration,
  PartialUpdate,
  ResourceName,
  ScaleDeclaration,
  ScaleView,
  StoredAs,
  SubresourceDeclaration,
  TableDeclaration,
  Verb,
  WriteContext,
} from './kind.ts';
export type {
  DeepPartial,
  Draft,
  KubeObject,
  ManagedFieldsEntry,
  NewObject,
  ObjectMeta,
  OwnerReference,
} from './object.ts';
export type { Problem, ProblemType } from './problems.ts';
export {
  apiVersionOf,
  createScheme,
  groupKind,
  groupResource,
  parseApiVersion,
} from './scheme.ts';
export type { BodyType, Scheme, SchemeGroup, SchemeParts, SchemeVersion } from './scheme.ts';
// The field tables are wire's; parts that may not import wire name them through this door.
export type { FieldFact, TypeFact, TypeTables } from '#wire';
export {
  at,
  atKey,
  omittedValue,
  problem,
  problemBody,
  problemText,
  valueText,
} from './problems.ts';
export {
  alreadyExists,
  badRequest,
  conflict,
  expired,
  forbidden,
  fromStatus,
  generateNameConflict,
  gone,
  internalError,
  invalid,
  methodNotSupported,
  notAcceptable,
  notFound,
  objectModifiedText,
  requestEntityTooLarge,
  serverTimeout,
  serviceUnavailable,
  successStatus,
  timeout,
  toStatus,
  tooManyRequests,
  unauthorized,
  unsupportedMediaType,
} from './status.ts';
export type { KindId, ResourceId, Status } from './status.ts';
export {
  canonicalCidr,
  canonicalIpAddress,
  cidr,
  formatIp,
  ipAddress,
  parseCidr,
  parseIp,
} from './addresses.ts';
export type { ParsedCidr, ParsedIp } from './addresses.ts';
export {
  annotationProblems,
  labelProblems,
  managerProblems,
  metadataProblems,
  metadataUpdateProblems,
  withoutDoubledOwners,
} from './metadata.ts';
export type { MetadataRules } from './metadata.ts';
export {
  cIdentifier,
  configMapKey,
  dns1035Label,
  dns1123Label,
  dns1123Subdomain,
  dns1123SubdomainBytes,
  dns1123SubdomainCaseless,
  dns1123SubdomainWithUnderscore,
  domainPrefixedKey,
  domainPrefixedPath,
  environmentName,
  fullyQualifiedDomainName,
  fullyQualifiedName,
  groupId,
  httpHeaderName,
  immutableText,
  labelValue,
  maskTrailingDash,
  maxBytesText,
  maxCharactersText,
  nameCheck,
  notNegativeText,
  pathSegmentName,
  percent,
  portName,
  portNumber,
  portNumberOrName,
  positiveText,
  qualifiedName,
  rangeText,
  userId,
  wildcardDns1123Subdomain,
} from './names.ts';
export type { Texts } from './names.ts';
export { fieldSelectorOf, parseFieldSelector, unknownFieldText } from './fields.ts';
export type { FieldSelector, FieldTerm } from './fields.ts';
export { age, ageColumn, column, humanDuration, nameColumn } from './columns.ts';
export { applyJsonPatch, equalJson } from './json-patch.ts';
export type { JsonPatchResult } from './json-patch.ts';
export {
  everything,
  expressionProblems,
  labelSelectorOf,
  nothing,
  parseLabelSelector,
  selectorFromObject,
  selectorProblems,
  selectorText,
} from './labels.ts';
export type {
  LabelOperator,
  LabelSelector,
  LabelSelectorObject,
  Requirement,
  SelectorExpression,
} from './labels.ts';
export { applyMergePatch, createMergePatch } from './merge-patch.ts';
export { applyConfiguration, updateManagedFields } from './apply.ts';
export type { Applied, ApplyWrite, FieldWrite } from './apply.ts';
export type { FieldSet } from './field-set.ts';
export { schemaOf } from './schema.ts';
export type { ListSchema, Schema, SchemaField, StructSchema } from './schema.ts';
export { creation, deletion, updating } from './system-writes.ts';
export type {
  GroupResult,
  SystemCreate,
  SystemDelete,
  SystemUpdate,
  SystemWrite,
  SystemWriter,
  WriteGroup,
} from './system-writes.ts';
export { applyStrategicMergePatch } from './strategic-merge.ts';
