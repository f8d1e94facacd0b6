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
  KindDeclaration,
  ResourceName,
  ScaleDeclaration,
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
