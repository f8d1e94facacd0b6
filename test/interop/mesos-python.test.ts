/** pymesos as scheduler, executor and operator, and the Python client of Marathon, on a real cluster. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { installMesosClients, runPython } from './python-mesos.ts';

let cluster: Cluster | undefined;
before(async () => {
  installMesosClients();
  cluster = await startCluster();
});
after(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

function at(port: number): string {
  assert.ok(cluster !== undefined);
  return `127.0.0.1:${port + cluster.offset}`;
}
const lines = (...words: readonly string[]): string => `${words.join('\n')}\n`;

test("pymesos' operator drivers use every call of theirs on master and agent", async () => {
  const parts = ['master', 'events', 'agents', 'reservations', 'roles', 'maintenance', 'files'];
  assert.equal(
    await runPython('pymesos_operator.py', at(5050), at(5051)),
    lines(...parts, 'agent'),
  );
});

test("pymesos' scheduler runs tasks in one process of its executor, fails over and ends", async () => {
  const said = await runPython('pymesos_scheduler.py', at(5050));
  assert.equal(
    said,
    lines(
      'a TASK_FINISHED',
      'a TASK_RUNNING',
      'a TASK_RUNNING reconciled',
      'b TASK_KILLED',
      'b TASK_RUNNING',
      'c TASK_KILLED',
      'c TASK_RUNNING',
      'd TASK_RUNNING',
      'data a',
      'data b',
      'data c',
      'data d',
      'message finishing a',
      'nobody TASK_LOST reconciled',
      'registered',
      'reregistered',
    ),
  );
});

test("Marathon's Python client lives a day of apps and groups", async () => {
  const said = await runPython('marathon_client.py', `http://${at(8080)}`);
  const parts = [
    'server',
    'app',
    'lists',
    'scaled',
    'killed',
    'versions',
    'conflict',
    'rolled back',
  ];
  const rest = ['group', 'group scaled', 'group updated', 'queue', 'errors', 'gone', 'events'];
  assert.equal(said, lines(...parts, ...rest));
});
