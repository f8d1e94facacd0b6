import type { FaceReply } from '#base';
import { decodeComponent } from './negotiate.ts';
import { bytesReply, jsonReply, textReply } from './replies.ts';
import type { HttpRequest, Routes } from './router.ts';

type Processes = Readonly<Record<string, Routes>>;
/** Markdown by endpoint (`/state`), by process. */
type Pages = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** `/help[/<process>[/<endpoint>]]` as Markdown (libprocess help.cpp). */
export function helpRoutes(processes: Processes, delegate: string): Routes {
  const pages = pagesOf(processes, delegate);
  const routes = Object.keys(processes).map((id): [string, Routes[string]] => [
    id,
    { handle: async (request) => pageReply(pages, request) },
  ]);
  return {
    ...Object.fromEntries(routes),
    '': {
      handle: async (request) =>
        request.query.get('format') === 'json'
          ? jsonReply(JSON.stringify(tree(pages)))
          : markdownReply(request, index(pages)),
    },
  };
}

function pagesOf(processes: Processes, delegate: string): Pages {
  return new Map(
    Object.entries(processes)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, routes]) => [
        id,
        new Map(
          Object.entries(routes)
            .toSorted(([a], [b]) => (a < b ? -1 : 1))
            .map(([name, { realm }]) => [`/${name}`, pageOf({ id, name, realm, delegate })]),
        ),
      ]),
  );
}

function pageOf(of: {
  readonly id: string;
  readonly name: string;
  readonly realm: string | undefined;
  readonly delegate: string;
}): string {
  const { id, name, realm, delegate } = of;
  const whole = pathOf(id, `/${name}`);
  const paths = id === delegate ? [pathOf('', `/${name}`), whole] : [whole];
  const usage = paths.map((path) => `>        /${path.replace(/^\//, '')}\n`).join('');
  const what = summaries.get(name) ?? summaries.get(whole);
  const authentication =
    realm === undefined
      ? 'This endpoint does not require authentication.'
      : 'This endpoint requires authentication iff HTTP authentication is enabled.';
  const summary = what === undefined ? '' : `### TL;DR; ###\n${what}\n\n`;
  return `### USAGE ###\n${usage}\n${summary}### AUTHENTICATION ###\n${authentication}\n`;
}

function pathOf(id: string, name: string): string {
  return id + name.replace(/\/$/, '');
}

function index(pages: Pages): string {
  const lines = [...pages.keys()].map((id) => `> [/${id}][${id}]\n`).join('');
  const references = [...pages.keys()].map((id) => `[${id}]: help/${id}\n`).join('');
  return `## HELP\n${lines}\n${references}`;
}

function tree(pages: Pages): object {
  const processes = [...pages].map(([id, names]) => ({
    id,
    endpoints: [...names].map(([name, text]) => ({ name, text })),
  }));
  return { processes };
}

/** `request.path` is `/help/<id>[/<name>]`. */
function pageReply(pages: Pages, request: HttpRequest): FaceReply {
  const [, id = '', ...rest] = request.path.split('/').filter((token) => token !== '');
  const names = pages.get(decodeComponent(id) ?? '') ?? new Map<string, string>();
  if (rest.length === 0) {
    const paths = [...names.keys()].map((name) => pathOf(decodeComponent(id) ?? '', name));
    const lines = paths.map((path) => `> [/${path}][${path}]\n`).join('');
    const references = paths.map((path) => `[${path}]: ${path}\n`).join('');
    return markdownReply(request, `## \`/${id}\` ##\n${lines}\n${references}`);
  }
  const name = rest.join('/');
  const page = names.get(`/${name}`);
  if (page === undefined) return textReply(400, `No help available for '/${id}/${name}'.\n`);
  return markdownReply(request, `${page}\n`);
}

/** Browsers get the text on a page of its own; `curl` and `http` as it is. */
function markdownReply({ headers }: HttpRequest, markdown: string): FaceReply {
  if (/^(curl|HTTPie)/.test(headers['user-agent'] ?? ''))
    return bytesReply(Buffer.from(markdown), 'text/x-markdown');
  const text = markdown.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const page = `<html><head><title>Help</title></head><body><pre>${text}</pre></body></html>`;
  return bytesReply(Buffer.from(page), 'text/html');
}

/** By endpoint, or by process and endpoint where several have one of that name. */
const summaries: ReadonlyMap<string, string> = new Map([
  ['api/v1', 'Calls of the v1 operator API.'],
  ['api/v1/scheduler', 'Calls of the v1 scheduler API; SUBSCRIBE opens a stream of events.'],
  ['api/v1/executor', 'Calls of the v1 executor API; SUBSCRIBE opens a stream of events.'],
  ['state', 'Everything that is known, as one document.'],
  ['state-summary', 'Agents and frameworks with counts of their tasks.'],
  ['slaves', 'Agents with their resources; one of them by `slave_id`.'],
  ['frameworks', 'Frameworks, those that completed too; one of them by `framework_id`.'],
  ['tasks', 'Tasks by time; `limit`, `offset`, `order`, `framework_id`, `task_id` choose.'],
  ['roles', 'Roles with weight, quota and what they hold.'],
  ['weights', 'GET shows weights of roles, PUT changes them.'],
  ['quota', 'GET shows quotas, POST sets one, DELETE `/quota/<role>` removes it.'],
  ['reserve', 'Reserves resources of an agent (form: `slaveId`, `resources`).'],
  ['unreserve', 'Frees reserved resources of an agent (form: `slaveId`, `resources`).'],
  ['create-volumes', 'Creates persistent volumes on an agent (form: `slaveId`, `volumes`).'],
  ['destroy-volumes', 'Destroys persistent volumes of an agent (form: `slaveId`, `volumes`).'],
  ['teardown', 'Ends a framework and all of its tasks (form: `frameworkId`).'],
  ['maintenance/schedule', 'GET shows the maintenance schedule, POST replaces it.'],
  ['maintenance/status', 'Machines that drain or are down, and what frameworks answered.'],
  ['machine/down', 'Takes machines of the schedule down.'],
  ['machine/up', 'Brings machines back and out of the schedule.'],
  ['redirect', 'Leads to the leading master.'],
  ['health', '200 while the process lives.'],
  ['flags', 'The flags it runs with.'],
  ['containers', 'Containers with status and statistics.'],
  ['containerizer/debug', 'Operations of the containerizer that have not ended.'],
  ['monitor/statistics', 'Use of resources by executors.'],
  ['monitor/statistics.json', 'Use of resources by executors.'],
  ['browse', 'Files of a folder given as `path`.'],
  ['read', 'A part of the file `path`, from `offset` on, at most `length` bytes.'],
  ['download', 'The file `path`.'],
  ['debug', 'Virtual paths and what they stand for.'],
  ['snapshot', 'All metrics, flat.'],
  ['stats.json', "The machine's load and memory."],
  ['toggle', 'Shows the level of logs, or raises it to `level` for `duration`.'],
  ['start', 'Starts profiling.'],
  ['stop', 'Stops profiling.'],
  ['registry', 'What the master remembers beyond its life.'],
  ['offer_constraints_debug', 'Agents that offer constraints keep from frameworks.'],
  ['version/', 'The version, and when it was built.'],
]);
