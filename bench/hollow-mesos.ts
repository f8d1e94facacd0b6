/**
 * Hollow nodes for Mesos in a process of their own: their Nodes, their leases and their tasks, which
 * they say to run. Leases and tasks of many nodes share a few connections: what is measured is the
 * server's way from ACCEPT to store, not the cost of nodes (see hollow.ts).
 *
 * Usage: node bench/hollow-mesos.ts --port N --pki DIR --nodes N [--quiet]   Prints "ready" when all
 * are registered, then one JSON line a second. With --quiet tasks are left alone.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createHttpApi, type HttpApi } from '#client';
import { systemClock } from '#io';
import { leases, nodes } from '#kube/kinds';
import { hollowLease, hollowNode } from './hollow-object.ts';
import { runHollowTasks } from './hollow-tasks.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '6443' },
    pki: { type: 'string', default: '' },
    nodes: { type: 'string', default: '100' },
    quiet: { type: 'boolean', default: false },
  },
});
const count = Number(values.nodes);
const parallel = 32;
/** Half of what a node's lease may be old. */
const renewMs = 20_000;

function connect(): HttpApi {
  const read = (name: string): string => readFileSync(join(values.pki, name), 'utf8');
  return createHttpApi({
    server: `https://127.0.0.1:${values.port}`,
    ca: read('ca.crt'),
    cert: read('admin.crt'),
    key: read('admin.key'),
    clock: systemClock,
    userAgent: 'hollow-mesos',
  });
}

async function register(api: HttpApi, index: number): Promise<void> {
  const { metadata, ...rest } = hollowLease(`hollow-${index}`);
  await api.create(leases, { ...rest, metadata } as unknown as Parameters<typeof api.create>[1]);
  await api.create(nodes, hollowNode(index) as unknown as Parameters<typeof api.create>[1]);
}

/** Those that are there, in turns of which each takes its part of the time however slow the answers. */
async function renew(api: HttpApi): Promise<never> {
  for (let turn = 0; ; turn = (turn + 1) % turns) {
    const pause = sleep(renewMs / turns);
    const due = registered.filter((index) => index % turns === turn);
    await Promise.all(due.map((index) => renewOne(api, index)));
    await pause;
  }
}

async function renewOne(api: HttpApi, index: number): Promise<void> {
  const name = `hollow-${index}`;
  const { spec } = hollowLease(name);
  const target = { name, namespace: 'kube-node-lease' };
  await api.patch(leases, target, { type: 'merge', body: { spec } });
}

const turns = 100;
let next = 0;
const registered: number[] = [];
void renew(connect());
await Promise.all(
  Array.from({ length: parallel }, async () => {
    const api = connect();
    while (next < count) {
      const index = next++;
      await register(api, index);
      registered.push(index);
    }
    api.close();
  }),
);
const stop = new AbortController();
const told = values.quiet
  ? { running: 0, failures: 0, lastFailure: '' }
  : runHollowTasks(connect(), (node) => node.startsWith('hollow-'), stop.signal);
console.log('ready');
for (;;) {
  await sleep(1000);
  console.log(JSON.stringify(told));
}
