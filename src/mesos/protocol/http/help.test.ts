import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Face } from '#base';
import { openAccess } from './access.ts';
import { inProcessRequest } from './in-process.ts';
import { withCommonProcesses } from './processes.ts';
import { emptyReply } from './replies.ts';
import { createRouterFace } from './router.ts';
import type { Route } from './router.ts';

const route = (realm?: string): Route => ({ realm, handle: async () => emptyReply(200) });
const face: Face = createRouterFace({
  delegate: 'master',
  access: openAccess,
  processes: withCommonProcesses(
    { master: { state: route('r'), 'api/v1': route('r') }, version: { '': route() } },
    { delegate: 'master', realm: 'w' },
  ),
});

async function ask(target: string, agent = 'curl/8'): Promise<string> {
  const [path = '', search = ''] = target.split('?');
  const headers = { 'user-agent': agent };
  const { status, body, headers: said } = await face(inProcessRequest({ path, search, headers }));
  const text = body instanceof Uint8Array ? Buffer.from(body).toString() : '';
  return `${status} ${String(said['Content-Type'])} ${text}`;
}

test('/help lists processes, then endpoints, then tells of one', async () => {
  assert.equal(
    await ask('/help'),
    '200 text/x-markdown ## HELP\n> [/master][master]\n> [/profiler][profiler]\n> [/version][version]\n\n[master]: help/master\n[profiler]: help/profiler\n[version]: help/version\n',
  );
  assert.equal(
    await ask('/help/master'),
    '200 text/x-markdown ## `/master` ##\n> [/master/api/v1][master/api/v1]\n> [/master/state][master/state]\n\n[master/api/v1]: master/api/v1\n[master/state]: master/state\n',
  );
  assert.match(
    await ask('/help/master/state'),
    /^200 text\/x-markdown ### USAGE ###\n> {8}\/state\n> {8}\/master\/state\n\n### TL;DR; ###\n/,
  );
  assert.match(await ask('/help/master/api/v1'), /^200 /);
  assert.equal(
    await ask('/help/master/nothing'),
    "400 undefined No help available for '/master/nothing'.\n",
  );
  assert.equal(await ask('/help/nothing'), '404 undefined 404 Not Found.');
});

test('/help is JSON when asked for it, and a page for browsers', async () => {
  const text = (await ask('/help?format=json')).replace('200 application/json ', '');
  const { processes } = JSON.parse(text) as {
    processes: { id: string; endpoints: { name: string; text: string }[] }[];
  };
  assert.deepEqual(
    processes.map(({ id, endpoints }) => [id, endpoints.map(({ name }) => name)]),
    [
      ['master', ['/api/v1', '/state']],
      ['profiler', ['/start', '/stop']],
      ['version', ['/']],
    ],
  );
  assert.match(await ask('/help', 'Mozilla/5.0'), /^200 text\/html <html>/);
});

test('The profiler says that it is not built in', async () => {
  for (const path of ['/profiler/start', '/profiler/stop'])
    assert.match(await ask(path), /^400 undefined Perftools is disabled\. .*\n$/);
});
