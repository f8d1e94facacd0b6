import type { StatusCause, StatusDetails, StatusReason } from './errors.ts';
import { StatusError, statusCodes } from './errors.ts';
import type { Problem } from './problems.ts';
import { problemBody, problemText } from './problems.ts';
import { groupKind, groupResource } from './scheme.ts';

/**
 * The failures a client can be told, with the texts of the reference (apimachinery api/errors).
 * A resource is named by its plural and group, a kind by its kind and group: a `KindDeclaration`
 * is both.
 */
export interface ResourceId {
  readonly group: string;
  readonly plural: string;
}
export interface KindId {
  readonly group: string;
  readonly kind: string;
}

export function notFound(resource: ResourceId, name: string): StatusError {
  return new StatusError('NotFound', `${groupResource(resource)} ${quoted(name)} not found`, {
    details: resourceDetails(resource, name),
  });
}
export function alreadyExists(resource: ResourceId, name: string): StatusError {
  return new StatusError(
    'AlreadyExists',
    `${groupResource(resource)} ${quoted(name)} already exists`,
    { details: resourceDetails(resource, name) },
  );
}
/** Eight generated names were all taken. */
export function generateNameConflict(resource: ResourceId, name: string): StatusError {
  const text = 'the server was not able to generate a unique name for the object';
  return new StatusError(
    'AlreadyExists',
    `${groupResource(resource)} ${quoted(name)} already exists, ${text}`,
    { details: { ...resourceDetails(resource, name), retryAfterSeconds: 1 } },
  );
}
export const objectModifiedText =
  'the object has been modified; please apply your changes to the latest version and try again';

export function conflict(
  resource: ResourceId,
  name: string,
  text: string = objectModifiedText,
): StatusError {
  return new StatusError(
    'Conflict',
    `Operation cannot be fulfilled on ${groupResource(resource)} ${quoted(name)}: ${text}`,
    { details: resourceDetails(resource, name) },
  );
}
/** `kind` may have the group '' and the kind '' (patches that cannot be decoded). */
export function invalid(kind: KindId, name: string, problems: readonly Problem[]): StatusError {
  const texts = [...new Set(problems.map(problemText))];
  const subject = `${groupKind(kind)} ${quoted(name)} is invalid`;
  const listed = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  const causes = problems.map((one) => ({
    reason: one.type,
    message: problemBody(one),
    field: one.path,
  }));
  return new StatusError('Invalid', texts.length === 0 ? subject : `${subject}: ${listed}`, {
    details: {
      ...(name === '' ? {} : { name }),
      ...(kind.group === '' ? {} : { group: kind.group }),
      ...(kind.kind === '' ? {} : { kind: kind.kind }),
      ...(causes.length === 0 ? {} : { causes }),
    },
  });
}
/** Without a name or resource the text leaves them out. */
export function forbidden(
  resource: ResourceId | undefined,
  name: string,
  text: string,
): StatusError {
  const subject =
    resource === undefined || resource.plural === ''
      ? 'forbidden'
      : name === ''
        ? `${groupResource(resource)} is forbidden`
        : `${groupResource(resource)} ${quoted(name)} is forbidden`;
  return new StatusError('Forbidden', `${subject}: ${text}`, {
    details: resourceDetails(resource ?? { group: '', plural: '' }, name),
  });
}
export function badRequest(text: string): StatusError {
  return new StatusError('BadRequest', text);
}
export function unauthorized(text = 'Unauthorized'): StatusError {
  return new StatusError('Unauthorized', text);
}
export function methodNotSupported(resource: ResourceId, verb: string): StatusError {
  return new StatusError(
    'MethodNotAllowed',
    `${verb} is not supported on resources of kind ${quoted(groupResource(resource))}`,
    { details: resourceDetails(resource, '') },
  );
}
export function internalError(text: string): StatusError {
  return new StatusError('InternalError', `Internal error occurred: ${text}`, {
    details: { causes: [{ message: text }] },
  });
}
export function expired(text: string): StatusError {
  return new StatusError('Expired', text);
}
export function gone(text: string): StatusError {
  return new StatusError('Gone', text);
}
export function tooManyRequests(text: string, retryAfterSeconds: number): StatusError {
  return new StatusError('TooManyRequests', text, { details: { retryAfterSeconds } });
}
export function timeout(text: string, retryAfterSeconds = 0): StatusError {
  return new StatusError('Timeout', `Timeout: ${text}`, {
    details: retryAfterSeconds > 0 ? { retryAfterSeconds } : {},
  });
}
export function serverTimeout(
  resource: ResourceId,
  operation: string,
  retryAfterSeconds: number,
): StatusError {
  return new StatusError(
    'ServerTimeout',
    `The ${operation} operation against ${groupResource(resource)} could not be completed at this time, please try again.`,
    {
      details: {
        ...resourceDetails(resource, operation),
        ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
      },
    },
  );
}
export function requestEntityTooLarge(text: string): StatusError {
  return new StatusError('RequestEntityTooLarge', `Request entity too large: ${text}`);
}
export function serviceUnavailable(text: string): StatusError {
  return new StatusError('ServiceUnavailable', text);
}
export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  return new StatusError(
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
}
export function notAcceptable(accepted: readonly string[]): StatusError {
  return new StatusError(
    'NotAcceptable',
    `only the following media types are accepted: ${accepted.join(', ')}`,
  );
}

/** A `Status` object (v1), keys in the order in which the reference writes them. */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: { readonly remainingItemCount?: number; readonly continue?: string };
  readonly status: 'Failure' | 'Success';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code?: number;
}

/** Any failure as its Status: one that is no `StatusError` is a 500 without a reason. */
export function toStatus(error: unknown): Status {
  const head = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' } as const;
  if (!(error instanceof StatusError)) {
    const message = error instanceof Error ? error.message : String(error);
    return { ...head, message, code: 500 };
  }
  return {
    ...head,
    ...(error.message === '' ? {} : { message: error.message }),
    ...(error.reason === '' ? {} : { reason: error.reason }),
    ...(error.details === undefined ? {} : { details: orderedDetails(error.details) }),
    code: error.code,
  };
}

export function successStatus(details?: StatusDetails): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    ...(details === undefined ? {} : { details: orderedDetails(details) }),
  };
}

/** A `Status` received from a server, as the error it stands for. Reasons we do not know become ''. */
export function fromStatus(status: {
  readonly message?: string | undefined;
  readonly reason?: string | undefined;
  readonly details?: StatusDetails | null | undefined;
  readonly code?: number | undefined;
}): StatusError {
  const reason: StatusReason = isReason(status.reason) ? status.reason : '';
  const details = status.details ?? undefined;
  return new StatusError(reason, status.message ?? status.reason ?? 'unknown error', {
    ...(details === undefined ? {} : { details }),
    ...(status.code === undefined || status.code === 0 ? {} : { code: status.code }),
  });
}

function isReason(text: string | undefined): text is keyof typeof statusCodes {
  return text !== undefined && Object.hasOwn(statusCodes, text);
}

function orderedDetails(details: StatusDetails): StatusDetails {
  const { name, group, kind, uid, causes, retryAfterSeconds } = details;
  return {
    ...(name === undefined || name === '' ? {} : { name }),
    ...(group === undefined || group === '' ? {} : { group }),
    ...(kind === undefined || kind === '' ? {} : { kind }),
    ...(uid === undefined || uid === '' ? {} : { uid }),
    ...(causes === undefined || causes.length === 0 ? {} : { causes: causes.map(orderedCause) }),
    ...(retryAfterSeconds === undefined || retryAfterSeconds === 0 ? {} : { retryAfterSeconds }),
  };
}
function orderedCause(cause: StatusCause): StatusCause {
  return {
    ...(cause.reason === undefined ? {} : { reason: cause.reason }),
    ...(cause.message === undefined ? {} : { message: cause.message }),
    ...(cause.field === undefined ? {} : { field: cause.field }),
  };
}

function resourceDetails(resource: ResourceId, name: string): StatusDetails {
  return {
    ...(name === '' ? {} : { name }),
    ...(resource.group === '' ? {} : { group: resource.group }),
    ...(resource.plural === '' ? {} : { kind: resource.plural }),
  };
}
function quoted(text: string): string {
  return `"${text}"`;
}
