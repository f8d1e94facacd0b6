import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorld } from '../fixture.test.ts';

/** The tutorial's app, as it is posted. */
const hello = {
  id: 'marathon-demo-application',
  cpus: 1,
  mem: 128,
  disk: 0,
  instances: 1,
  container: {
    type: 'DOCKER',
    docker: {
      image: 'hello_world:latest',
      portMappings: [{ containerPort: 9001, hostPort: 0 }],
    },
  },
  networks: [{ mode: 'host' }],
};

test('The app of the tutorial is taken, deployed and shown running', async () => {
  const world = await createWorld();
  const created = await world.call('POST', '/v2/apps', hello);
  assert.equal(created.status, 201, created.text);
  assert.equal(created.headers['Location'], '/marathon-demo-application');
  await world.settle();
  const shown = await world.call('GET', '/v2/apps//marathon-demo-application');
  assert.equal(shown.status, 200);
  const { app } = shown.json as { app: Record<string, unknown> };
  assert.equal(app['id'], '/marathon-demo-application');
  assert.equal(app['tasksRunning'], 1);
  assert.deepEqual(app['deployments'], []);
  await world.stop();
});
