import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamBody } from '#base';
import type { WantedMarathonAccess } from '../engine/options.ts';
import { createWorld, requestOf } from '../fixture.test.ts';

const sleep = { id: '/sleep', cmd: 'sleep 1000', cpus: 0.1, mem: 16, instances: 1 };
const accept = { accept: 'text/event-stream' };

test('A stream beats every ten seconds, and no longer than it is read', async () => {
  const world = await createWorld();
  const written: string[] = [];
  const gone = new AbortController();
  const reply = await world.marathon.face(requestOf('GET', '/v2/events', { headers: accept }));
  assert.equal(reply.headers['Content-Type'], 'text/event-stream;charset=utf-8');
  // What becomes of the connection is said by who serves it, once.
  assert.equal(reply.headers['Connection'], undefined);
  const done = (reply.body as StreamBody)(
    {
      write: (chunk) => written.push(Buffer.from(chunk).toString('utf8')) > 0,
      backlogBytes: 0,
      drained: async () => undefined,
    },
    gone.signal,
  );
  await world.settle();
  assert.match(written.join(''), /^event: event_stream_attached\r\ndata: \{.*\}\r\n\r\n$/);
  written.length = 0;
  await world.clock.advance(20_500);
  assert.equal(written.join(''), '\r\n\r\n');
  gone.abort();
  await done;
  assert.equal(world.clock.pendingTimers, 0);
  await world.stop();
});

test('Who reads too slowly is hung up on', async () => {
  const world = await createWorld({ settings: { event_stream_max_outstanding_messages: 5 } });
  const reply = await world.marathon.face(requestOf('GET', '/v2/events', { headers: accept }));
  const done = (reply.body as StreamBody)(
    {
      write: () => false,
      backlogBytes: 64 * 1024 * 1024,
      drained: () => new Promise(() => undefined),
    },
    new AbortController().signal,
  );
  await world.ask('POST', '/v2/apps', { ...sleep, instances: 5 });
  await done;
  await world.stop();
});

test('Who may not see an app does not; who may not change it is told so', async () => {
  const asked: WantedMarathonAccess[] = [];
  const world = await createWorld({
    access: {
      async authenticate({ headers }) {
        const name = headers['authorization'];
        if (name === undefined)
          return { ok: false, status: 401, message: 'Invalid username or password.' };
        return {
          ok: true,
          identity: {
            name,
            allows(wanted) {
              asked.push(wanted);
              return name === 'admin' || (wanted.action === 'view' && wanted.id !== '/sleep');
            },
          },
        };
      },
    },
  });
  const as = (authorization: string): Record<string, string> => ({ authorization });
  const admin = await world.call(
    'POST',
    '/v2/apps',
    { ...sleep, user: 'root' },
    {
      ...as('admin'),
      'content-type': 'application/json',
    },
  );
  assert.equal(admin.status, 201);
  await world.settle();
  const create = asked.find(({ action }) => action === 'create');
  assert.deepEqual([create?.on, create?.id, create?.user], ['app', '/sleep', 'root']);
  const unknown = await world.call('GET', '/v2/apps');
  assert.equal(unknown.status, 401);
  assert.deepEqual(unknown.json, { message: 'Invalid username or password.' });
  assert.match(String(unknown.headers['WWW-Authenticate']), /^Basic realm=/);
  assert.equal((await world.call('GET', '/ping')).status, 200);
  const list = await world.call('GET', '/v2/apps', undefined, as('guest'));
  assert.deepEqual(list.json, { apps: [] });
  for (const [method, path, body] of [
    ['GET', '/v2/apps/sleep', undefined],
    ['PUT', '/v2/apps/sleep', { instances: 2 }],
    ['DELETE', '/v2/apps/sleep', undefined],
    ['POST', '/v2/apps/sleep/restart', undefined],
    ['DELETE', '/v2/apps/sleep/tasks', undefined],
    ['PUT', '/v2/groups/g', { apps: [{ ...sleep, id: 'x' }] }],
    ['DELETE', '/v2/groups', undefined],
    [
      'POST',
      '/v2/pods',
      {
        id: '/p',
        containers: [
          { name: 'a', exec: { command: { shell: 'x' } }, resources: { cpus: 0.1, mem: 32 } },
        ],
      },
    ],
  ] as const) {
    const headers = { ...as('guest'), 'content-type': 'application/json' };
    const refused = await world.call(method, path, body, headers);
    assert.equal(refused.status, 403, `${method} ${path} ${refused.text}`);
    assert.deepEqual(refused.json, { message: 'Not Authorized to perform this action!' });
  }
  assert.equal(world.master.live.length, 1);
  await world.stop();
});
