/** One thing wrong with a request: `path` as `/container/portMappings(0)/hostPort`, `/` for the whole. */
export interface Problem {
  readonly path: string;
  readonly text: string;
}

/** What `details` of an answer holds: problems of one path together. */
export interface ProblemDetail {
  readonly path: string;
  readonly errors: readonly string[];
}

/** The body of an error answer. */
export interface FailureBody {
  readonly message: string;
  readonly details?: string | readonly ProblemDetail[] | undefined;
  readonly deployments?: readonly { readonly id: string }[] | undefined;
}

/** A failure that a client is told: the status and the body of the answer. */
export class MarathonFailure extends Error {
  override readonly name = 'MarathonFailure';
  readonly status: number;
  readonly body: FailureBody;
  constructor(status: number, body: FailureBody) {
    super(body.message);
    this.status = status;
    this.body = body;
  }
}

function grouped(problems: readonly Problem[]): ProblemDetail[] {
  const byPath = new Map<string, string[]>();
  for (const { path, text } of problems) {
    const texts = byPath.get(path);
    if (texts === undefined) byPath.set(path, [text]);
    else if (!texts.includes(text)) texts.push(text);
  }
  return Array.from(byPath, ([path, errors]) => ({ path, errors }));
}

/** JSON of a wrong shape. */
export function invalidJson(problems: readonly Problem[]): MarathonFailure {
  return new MarathonFailure(422, { message: 'Invalid JSON', details: grouped(problems) });
}

/** Bytes that are no JSON at all; `reason` is the parser's text. */
export function unparsableJson(reason: string): MarathonFailure {
  return new MarathonFailure(400, { message: 'Invalid JSON', details: reason });
}

/** A body without anything in it. */
export function noJson(): MarathonFailure {
  return new MarathonFailure(400, {
    message: 'Please specify data in JSON format',
    details: 'No content to map due to end-of-input',
  });
}

export function invalidObject(problems: readonly Problem[]): MarathonFailure {
  return new MarathonFailure(422, { message: 'Object is not valid', details: grouped(problems) });
}

export function refuseInvalid(problems: readonly Problem[]): void {
  if (problems.length > 0) throw invalidObject(problems);
}

/** What the original throws as IllegalArgumentException: 422 with the text alone. */
export function illegalArgument(message: string): MarathonFailure {
  return new MarathonFailure(422, { message });
}

/** The original gives failures of normalisation no status of their own. */
export function normalizationFailure(message: string): MarathonFailure {
  return new MarathonFailure(500, { message });
}

export function conflict(message: string): MarathonFailure {
  return new MarathonFailure(409, { message });
}

export function notFound(message: string): MarathonFailure {
  return new MarathonFailure(404, { message });
}

/** `App`, `Pod`, `Group`, `Task` or `Path`, with the version that was asked for, if any. */
export function unknownEntity(kind: string, id: string, version?: string): MarathonFailure {
  const suffix = version === undefined ? '' : ` in version ${version}`;
  return notFound(`${kind} '${id}' does not exist${suffix}`);
}

/** The same problems below `prefix`. */
export function below(prefix: string, problems: readonly Problem[]): Problem[] {
  return problems.map(({ path, text }) => ({
    path: path === '/' ? prefix : `${prefix}${path}`,
    text,
  }));
}
