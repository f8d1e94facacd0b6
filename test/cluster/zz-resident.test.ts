import { test } from 'node:test';
import { startCluster } from './cluster.ts';
test('resident', async () => {
  await using cluster = await startCluster();
  const base = (p: number) => `http://127.0.0.1:${p + cluster.offset}`;
  const app = { id: '/eng/res', role: 'eng', cmd: 'date >> data/x; cat data/x; pwd; ls -la; exec sleep 1000', cpus: 0.1, mem: 32, disk: 0, user: 'root', residency: { taskLostBehavior: 'WAIT_FOREVER' },
    container: { type: 'MESOS', volumes: [{ containerPath: 'data', mode: 'RW', persistent: { size: 32 } }] } };
  const r = await fetch(`${base(8080)}/v2/apps`, { method: 'POST', body: JSON.stringify(app), headers: { 'Content-type': 'application/json' } });
  console.log(r.status);
  const wait = async () => {
  for (let i = 0; i < 12; i++) {
    await new Promise((x) => setTimeout(x, 1000));
    const a = (await (await fetch(`${base(8080)}/v2/apps//eng/res`)).json()) as any;
    console.log(i, a.app.tasksRunning, a.app.tasksStaged, a.app.lastTaskFailure?.message);
    if (a.app.tasksRunning === 1) break;
  } };
  await wait();
  const full = async () => console.log(JSON.stringify(((await (await fetch(`${base(5050)}/slaves`)).json()) as any).slaves[0].reserved_resources_full).slice(0,300));
  await full();
  const logs = await cluster.kubectl('get', 'pods', '-A'); console.log(logs.out, logs.err);
  const one = /mesos-marathon +(\S+)/.exec(logs.out)?.[1] ?? '';
  console.log((await cluster.kubectl('logs', '-n', 'mesos-marathon', one)).out);
  await cluster.kubectl('delete', 'pod', '-n', 'mesos-marathon', one);
  await new Promise((x) => setTimeout(x, 2000));
  await wait();
  const again = await cluster.kubectl('get', 'pods', '-A'); console.log(again.out, again.err);
  for (const m of again.out.matchAll(/mesos-marathon +(\S+)/g)) console.log(m[1], (await cluster.kubectl('logs', '-n', 'mesos-marathon', m[1] ?? '')).out);
  const d = await fetch(`${base(8080)}/v2/apps//eng/res?force=true`, { method: 'DELETE' });
  console.log(d.status, await d.text());
  await new Promise((x) => setTimeout(x, 6000));
  await full();
});
