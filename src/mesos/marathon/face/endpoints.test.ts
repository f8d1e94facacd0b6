import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorld } from '../fixture.test.ts';

const plain = { cmd: 'sleep 1000', cpus: 0.1, mem: 16 };

test('Scripts that ask for text get a line for each service port', async () => {
  const world = await createWorld();
  const accept = { accept: 'text/plain' };
  await world.ask('POST', '/v2/apps', { ...plain, id: '/a/b', ports: [8001, 8002] });
  await world.ask('POST', '/v2/apps', { ...plain, id: '/none', ports: [] });
  await world.ask('POST', '/v2/apps', { ...plain, id: '/idle', instances: 0, ports: [8003] });
  const { tasks } = await world.ask('GET', '/v2/apps/a/b/tasks');
  const [task] = tasks as { host: string; ports: number[] }[];
  const places = (task?.ports ?? []).map((port) => `${task?.host ?? ''}:${port}`);
  const own = `a_b\t8001\t${places[0] ?? ''}\t\na_b\t8002\t${places[1] ?? ''}\t\n`;
  const one = await world.call('GET', '/v2/apps/a/b/tasks', undefined, accept);
  assert.deepEqual([one.status, one.text], [200, own]);
  assert.equal(one.headers['Content-Type'], 'text/plain');
  const all = await world.call('GET', '/v2/tasks', undefined, accept);
  const host = (await world.ask('GET', '/v2/apps/none/tasks'))['tasks'] as { host: string }[];
  assert.equal(all.text, `${own}none\t \t${host[0]?.host ?? ''}\t\nidle\t8003\t\n`);
  const both = { accept: 'text/plain, */*;q=0.1' };
  const json = await world.call('GET', '/v2/tasks', undefined, both);
  assert.equal(json.headers['Content-Type'], 'application/json');
  assert.equal((await world.call('GET', '/v2/apps', undefined, accept)).status, 406);
  assert.equal((await world.call('GET', '/v2/apps/x/tasks', undefined, accept)).status, 404);
  await world.stop();
});

test('Ports of a container network are shown to those who name it', async () => {
  const world = await createWorld();
  const container = { type: 'MESOS', portMappings: [{ containerPort: 80, servicePort: 8080 }] };
  const networks = [{ mode: 'container', name: 'dcos' }];
  await world.ask('POST', '/v2/apps', { ...plain, id: '/c', container, networks });
  const [task] = world.master.live;
  const ip = [{ ip_address: '10.1.2.3' }];
  world.master.report(task?.info.task_id.value ?? '', 'TASK_RUNNING', {
    healthy: true,
    container_status: { network_infos: [{ ip_addresses: ip }] },
  });
  await world.settle();
  const lines = async (query: string): Promise<string> =>
    (await world.call('GET', `/v2/tasks${query}`, undefined, { accept: 'text/plain' })).text;
  assert.equal(await lines(''), 'c\t8080\t\n');
  assert.equal(await lines('?containerNetworks=other'), 'c\t8080\t\n');
  assert.equal(await lines('?containerNetworks=other,dcos'), 'c\t8080\t10.1.2.3:80\t\n');
  assert.equal(await lines('?containerNetworks=*'), 'c\t8080\t10.1.2.3:80\t\n');
  await world.stop();
});
