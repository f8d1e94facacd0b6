/** Server and agent die at random moments under a framework: no task is lost, none runs twice. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { kill, long, sleep, startCluster, until } from './cluster.ts';
import { TestFramework, amountOf, scalar } from './mesos-framework.ts';
import type { Offer } from './mesos-framework.ts';

const kills = long ? 10 : 3;
const tasksWanted = long ? 60 : 24;
const atOnce = 8;

test('Tasks survive the deaths of server and agent', async () => {
  await using cluster = await startCluster();
  const folder = mkdtempSync(join(tmpdir(), 'tandem-tasks-'));
  chmodSync(folder, 0o777);
  const launched = new Set<string>();
  const done = (id: string): boolean => framework.ended(id) !== undefined;
  const open = (): string[] => [...launched].filter((id) => !done(id));
  const finished = (): string[] =>
    [...launched].filter((id) => framework.ended(id)?.state === 'TASK_FINISHED');
  const framework = new TestFramework({
    master: `http://127.0.0.1:${5050 + cluster.offset}`,
    name: 'survivor',
    onOffer: (offer) => launch(offer),
  });
  function launch(offer: Offer): readonly unknown[] {
    const task_infos: unknown[] = [];
    let cpus = amountOf(offer, 'cpus');
    while (
      finished().length + open().length < tasksWanted &&
      open().length < atOnce &&
      cpus >= 0.1
    ) {
      const id = `task-${launched.size}`;
      launched.add(id);
      cpus -= 0.1;
      task_infos.push({
        name: id,
        task_id: { value: id },
        agent_id: offer.agent_id,
        command: { value: `echo ran >> ${folder}/${id}; sleep 1; exit 0` },
        resources: [scalar('cpus', 0.1), scalar('mem', 16)],
      });
    }
    return task_infos.length === 0 ? [] : [{ type: 'LAUNCH', launch: { task_infos } }];
  }
  try {
    const [node = ''] = (await cluster.status()).agents.map((agent) => agent.node);
    for (let turn = 0; turn < kills; turn++) {
      await sleep(300 + 97 * ((turn * 7) % 11));
      for (const victim of ['server', node]) {
        const pid = cluster.pid(victim);
        kill(pid);
        await until(`a new ${victim}`, () =>
          Promise.resolve(
            existsSync(`${cluster.runDir}/${victim}.pid`) && cluster.pid(victim) !== pid,
          ),
        );
        await sleep(200);
      }
    }
    await until(
      'the end of all tasks',
      async () => {
        if (finished().length >= tasksWanted) return true;
        // A launch that died with the master is unknown to it; it may be launched anew.
        if (open().length > 0) await framework.reconcile(open()).catch(() => 0);
        await sleep(500);
        return false;
      },
      120,
    );
    for (const id of launched) {
      const file = join(folder, id);
      const runs = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').length : 0;
      const states = framework.updates.get(id)?.map(({ state }) => state) ?? [];
      const story = `${id}: ran ${runs} times, ${states.join(' ')}`;
      if (states.includes('TASK_FINISHED')) assert.equal(runs, 1, story);
      assert.ok(runs <= 1, story);
      const order = ['TASK_STARTING', 'TASK_RUNNING', 'TASK_FINISHED'];
      const told = framework.updates.get(id)?.filter(({ uuid }) => uuid !== undefined) ?? [];
      const steps = told.map(({ state }) => order.indexOf(state));
      assert.deepEqual(
        steps,
        [...new Set(steps)].toSorted((a, b) => a - b),
        story,
      );
    }
    assert.ok(framework.subscriptions > 1);
  } finally {
    await framework.teardown().catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  }
});
