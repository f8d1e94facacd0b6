import type { HttpApi } from '#client';
import { describeObject } from './describe.ts';
import { discover, findKind, findResource, pathOf } from './discovery.ts';
import type { KnownResource } from './discovery.ts';
import { CommandError, UsageError } from './errors.ts';
import type { ParsedCommand } from './parse.ts';
import { table } from './print.ts';
import type { Terminal } from './print.ts';

/** What the verbs for objects work with. */
export interface ObjectContext {
  readonly api: HttpApi;
  readonly terminal: Terminal;
  readonly namespace: string;
  /** Reads a file, or standard input for "-". */
  readonly readInput: (path: string) => Promise<string>;
}

interface Table {
  readonly columnDefinitions?: readonly { readonly name: string; readonly priority: number }[];
  readonly rows?: readonly {
    readonly cells: readonly unknown[];
    readonly object?: { readonly metadata?: { readonly namespace?: string } };
  }[];
}

const asTable = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

export async function get(command: ParsedCommand, context: ObjectContext): Promise<void> {
  const { resource, name } = await target(command, context);
  const everywhere = command.flag('all-namespaces');
  const namespace = everywhere ? undefined : context.namespace;
  const format = command.text('output') ?? '';
  const query = new URLSearchParams();
  const selector = command.text('selector');
  if (selector !== undefined) query.set('labelSelector', selector);
  const path = `${pathOf(resource, { namespace, name })}?${query.toString()}`;
  if (format === 'json' || format === 'name' || format === 'yaml') {
    const accept = format === 'yaml' ? 'application/yaml' : 'application/json';
    const text = await fetchText(context, path, { accept });
    context.terminal.out(
      format === 'name' ? namesOf(resource, text) : format === 'json' ? indented(text) : text,
    );
    return;
  }
  if (format !== '' && format !== 'wide')
    throw new UsageError(`-o "${format}" must be wide, json, yaml or name`);
  const answer = JSON.parse(await fetchText(context, path, { accept: asTable })) as Table;
  const rows = answer.rows ?? [];
  if (rows.length === 0 && name === undefined) {
    const where = resource.namespaced && !everywhere ? ` in ${context.namespace} namespace` : '';
    context.terminal.err(`No resources found${where}.\n`);
    return;
  }
  context.terminal.out(
    tableText(answer, { wide: format === 'wide', namespaces: everywhere && resource.namespaced }),
  );
}

function tableText(
  answer: Table,
  options: { readonly wide: boolean; readonly namespaces: boolean },
): string {
  const columns = answer.columnDefinitions ?? [];
  const shown = columns.flatMap(({ priority }, index) =>
    priority === 0 || options.wide ? [index] : [],
  );
  const heading = shown.map((index) => (columns[index]?.name ?? '').toUpperCase());
  const lines = (answer.rows ?? []).map((row) => {
    const cells = shown.map((index) => String(row.cells[index] ?? '<none>'));
    return options.namespaces ? [row.object?.metadata?.namespace ?? '', ...cells] : cells;
  });
  return table([options.namespaces ? ['NAMESPACE', ...heading] : heading, ...lines]);
}

function namesOf(resource: KnownResource, text: string): string {
  const object = JSON.parse(text) as { items?: unknown[]; metadata?: { name?: string } };
  const items = (object.items ?? [object]) as { metadata?: { name?: string } }[];
  const kind = resource.group === '' ? resource.names[1] : `${resource.names[1]}.${resource.group}`;
  return items.map((item) => `${kind}/${item.metadata?.name}\n`).join('');
}

function indented(text: string): string {
  return `${JSON.stringify(JSON.parse(text), undefined, 4)}\n`;
}

export async function describe(command: ParsedCommand, context: ObjectContext): Promise<void> {
  const { resource, name } = await target(command, context);
  if (name === undefined) throw new UsageError('describe needs KIND NAME');
  const object = JSON.parse(
    await fetchText(context, pathOf(resource, { namespace: context.namespace, name }), {}),
  ) as Record<string, unknown>;
  const metadata = object['metadata'] as { uid?: string; namespace?: string };
  const query = new URLSearchParams({ fieldSelector: `involvedObject.uid=${metadata.uid}` });
  const events = JSON.parse(
    await fetchText(
      context,
      `/api/v1/namespaces/${metadata.namespace ?? 'default'}/events?${query.toString()}`,
      {},
    ),
  ) as { items: Record<string, unknown>[] };
  context.terminal.out(describeObject(object, events.items));
}

export async function remove(command: ParsedCommand, context: ObjectContext): Promise<void> {
  const { resource, name } = await target(command, context);
  if (name === undefined) throw new UsageError('delete needs KIND NAME');
  await fetchText(context, pathOf(resource, { namespace: context.namespace, name }), {
    method: 'DELETE',
  });
  context.terminal.out(`${resource.names[1]} "${name}" deleted\n`);
}

/** Server-side apply of every document of the files. */
export async function apply(command: ParsedCommand, context: ObjectContext): Promise<void> {
  const files = command.texts('filename');
  if (files.length === 0) throw new UsageError('apply needs -f FILE');
  const all = await discover(context.api);
  const { loadAll } = await import('js-yaml');
  for (const file of files) {
    const documents: unknown[] = [];
    try {
      documents.push(...loadAll(await context.readInput(file)));
    } catch (cause) {
      throw new CommandError(
        `Cannot read ${file}: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      );
    }
    for (const document of documents.flatMap(itemsOf))
      await applyOne(context, all, { document, file });
  }
}

function itemsOf(document: unknown): unknown[] {
  if (document === null || document === undefined) return [];
  const list = document as { kind?: unknown; items?: unknown };
  return list.kind === 'List' && Array.isArray(list.items) ? list.items : [document];
}

async function applyOne(
  context: ObjectContext,
  all: readonly KnownResource[],
  from: { readonly document: unknown; readonly file: string },
): Promise<void> {
  const object = from.document as {
    apiVersion?: string;
    kind?: string;
    metadata?: { name?: string; namespace?: string };
  };
  if (typeof object !== 'object' || object.apiVersion === undefined || object.kind === undefined)
    throw new CommandError(`Cannot apply ${from.file}: a document has no apiVersion or kind`);
  const { name } = object.metadata ?? {};
  if (name === undefined)
    throw new CommandError(`Cannot apply ${from.file}: a ${object.kind} has no metadata.name`);
  const resource = findKind(all, object.apiVersion, object.kind);
  const namespace = object.metadata?.namespace ?? context.namespace;
  const path = `${pathOf(resource, { namespace, name })}?fieldManager=tandem&force=true&fieldValidation=Strict`;
  await fetchText(context, path, {
    method: 'PATCH',
    body: JSON.stringify(object),
    headers: { 'content-type': 'application/apply-patch+yaml' },
  });
  context.terminal.out(`${resource.names[1]}/${name} applied\n`);
}

async function target(
  command: ParsedCommand,
  context: ObjectContext,
): Promise<{ readonly resource: KnownResource; readonly name: string | undefined }> {
  const [first, second] = command.arguments;
  if (first === undefined)
    throw new UsageError(`${command.verb.name} needs ${command.verb.arguments}`);
  const [word = '', inline] = first.split('/');
  return { resource: findResource(await discover(context.api), word), name: inline ?? second };
}

interface Ask {
  readonly method?: string;
  readonly accept?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The body of a good answer; a Status becomes one line. */
export async function fetchText(context: ObjectContext, path: string, ask: Ask): Promise<string> {
  const response = await context.api.requestRaw({
    path,
    method: ask.method ?? 'GET',
    headers: { ...ask.headers, ...(ask.accept === undefined ? {} : { accept: ask.accept }) },
    ...(ask.body === undefined ? {} : { body: ask.body }),
  });
  const text = new TextDecoder().decode(await response.body());
  if (response.status < 300) return text;
  throw new CommandError(`Error from server ${reasonOf(text, response.status)}`);
}

function reasonOf(text: string, status: number): string {
  try {
    const { reason, message } = JSON.parse(text) as { reason?: string; message?: string };
    return `(${reason ?? status}): ${message ?? text}`;
  } catch {
    return `(${status}): ${text.trim()}`; // an answer that is no Status, from something in between
  }
}
