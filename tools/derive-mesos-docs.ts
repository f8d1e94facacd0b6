/**
 * Derives `docs/mesos-served.md` from the code: which endpoints, calls and fields of Mesos and Marathon
 * are served, and what is refused in words. Run it after one of them changes:
 * `node tools/derive-mesos-docs.ts`. A test compares the file with what this makes.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface MesosField {
  readonly name: string;
  readonly type: string;
  readonly label: string;
}
interface MarathonField {
  readonly name: string;
  readonly type: string;
  readonly default?: string;
}

const file = 'docs/mesos-served.md';

function source(path: string): string {
  return readFileSync(join('src', path), 'utf8');
}

function found(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, name = '']) => name))].toSorted();
}

function list(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}

/** String literals that say that something is not supported. */
function refusals(folder: string): string[] {
  const files = readdirSync(join('src', folder), { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
  );
  const texts = files.flatMap((name) =>
    found(
      source(join(folder, name)),
      /['`]([^'`\n]*(?:not supported|cannot be (?:set|mapped))[^'`\n]*)['`]/g,
    ),
  );
  return [...new Set(texts)].filter((text) => /^[A-Z]/.test(text)).toSorted();
}

function legacyEndpoints(): string[] {
  const text = source('mesos/master/face/legacy/routes.ts');
  const forms = source('mesos/master/face/legacy/actions.ts');
  const names = [
    ...found(text, /^ {4}'?([a-z][a-z/_-]*)'?: (?:show|writing|allowed|\{)/gm),
    ...found(forms, /^ {2}'?([a-z-]+)'?: \{ type:/gm),
  ].filter((name) => name !== 'version' && name !== 'system' && name !== 'allocator');
  const common = [
    'allocator/offer_constraints_debug',
    'files/browse',
    'files/debug',
    'files/download',
    'files/read',
    'help',
    'logging/toggle',
    'metrics/snapshot',
    'profiler/start',
    'profiler/stop',
    'redirect',
    'registrar(1)/registry',
    'system/stats.json',
    'version',
  ];
  return [...names.filter((name) => name !== 'metrics'), ...common].toSorted();
}

/** `/^\/v2\/apps\/(.+)\/restart\/?$/` to `/v2/apps/{id}/restart`. */
function pathOf(pattern: string): string {
  return pattern
    .replace(/^\^/, '')
    .replace(/\\\/\?\$$|\$$/, '')
    .replaceAll('\\/?', '')
    .replaceAll('\\/', '/')
    .replaceAll('(.+)', '{id}')
    .replaceAll('([^/]+)', '{name}');
}

function marathonEndpoints(): string[] {
  const text = source('mesos/marathon/face/routes.ts');
  const routes = [
    ...text.matchAll(/pattern: \/(.+?)\/,\s*handlers: \{([\s\S]*?)\n? *\}(?:,| \})/g),
  ];
  return routes.map(([, pattern = '', handlers = '']) => {
    const methods = found(handlers, /\b(GET|HEAD|POST|PUT|PATCH|DELETE):/g);
    return `| \`${pathOf(pattern) || '/'}\` | ${methods.join(' ')} |`;
  });
}

const messageFacts = JSON.parse(source('mesos/protocol/facts/messages.json')) as {
  readonly messages: Readonly<Record<string, readonly MesosField[]>>;
};
const described = [
  'FrameworkInfo',
  'TaskInfo',
  'ExecutorInfo',
  'CommandInfo',
  'ContainerInfo',
  'ContainerInfo.DockerInfo',
  'Volume',
  'HealthCheck',
  'CheckInfo',
  'KillPolicy',
  'Resource',
  'Offer.Operation',
];

function mesosFields(): string[] {
  return described.map((name) => {
    const fields = messageFacts.messages[name] ?? [];
    return `| \`${name}\` | ${list(fields.map((field) => field.name))} |`;
  });
}

function marathonFields(): string[] {
  const types = JSON.parse(source('mesos/marathon/model/facts/raml.json')) as Readonly<
    Record<string, { readonly fields?: readonly MarathonField[] }>
  >;
  const names = [
    'App',
    'Pod',
    'Group',
    'GroupUpdate',
    'Container',
    'DockerContainer',
    'AppHealthCheck',
  ];
  return names.flatMap((name) => {
    const fields = types[name]?.fields ?? [];
    if (fields.length === 0) return [];
    const shown = fields.map((field) =>
      field.default === undefined ? `\`${field.name}\`` : `\`${field.name}\` (${field.default})`,
    );
    return [`| \`${name}\` | ${shown.join(', ')} |`];
  });
}

/** The whole paper. Exported for the test. */
export function mesosDocs(): string {
  const calls = source('mesos/master/core/calls.ts');
  const operator =
    source('mesos/master/face/operator/reads.ts') + source('mesos/master/face/operator/writes.ts');
  const agent = source('node/executors/face/operator.ts');
  return [
    '# What is served of Mesos and Marathon',
    '',
    'Derived from the code by `tools/derive-mesos-docs.ts`. How notions map: [mesos.md](mesos.md).',
    '',
    '## Mesos master',
    '',
    `Scheduler API v1: \`SUBSCRIBE\`, ${list(found(calls, /\[\s*'([A-Z_]+)',/g))}.`,
    '',
    `Operator API v1: \`SUBSCRIBE\`, \`GET_LOGGING_LEVEL\`, \`SET_LOGGING_LEVEL\`, ${list(found(operator, /^ {2}([A-Z_]+): /gm))}.`,
    '',
    `Endpoints: ${list(legacyEndpoints().map((name) => `/${name}`))}.`,
    '',
    '## Mesos agent',
    '',
    'Executor API v1: `SUBSCRIBE`, `UPDATE`, `MESSAGE`, `HEARTBEAT`.',
    '',
    `Operator API v1: ${list(found(agent, /case '([A-Z_]+)':/g))}.`,
    '',
    '## Fields of Mesos messages',
    '',
    'These are read; what Tandem cannot do is refused with a text instead of being passed over.',
    '',
    '| message | fields |',
    '|---|---|',
    ...mesosFields(),
    '',
    'Refused in words:',
    '',
    ...refusals('mesos/master/pods').map((text) => `- ${text}`),
    '',
    '## Marathon',
    '',
    '| path | methods |',
    '|---|---|',
    ...marathonEndpoints(),
    '',
    'Defaults are in parentheses.',
    '',
    '| type | fields |',
    '|---|---|',
    ...marathonFields(),
    '',
  ].join('\n');
}

if (import.meta.main) writeFileSync(file, mesosDocs());
