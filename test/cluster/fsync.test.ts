import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { kill, startCluster, until } from './cluster.ts';
import type { Cluster } from './cluster.ts';

/** A system call with the times it began and ended, in the order of the trace. */
interface Call {
  readonly name: string;
  readonly argument: string;
  readonly beganAt: number;
  readonly endedAt: number;
  readonly result: string;
}

/** Puts the halves of calls that others interrupted together; line numbers are the time. */
function callsOf(trace: string): readonly Call[] {
  const calls: Call[] = [];
  const open = new Map<string, { name: string; argument: string; beganAt: number }>();
  for (const [at, line] of trace.split('\n').entries()) {
    const [, pid = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const begun = /^(\w+)\((.*?)(?: <unfinished \.\.\.>|\) += (.*))$/.exec(rest);
    const resumed = /^<\.\.\. (\w+) resumed>.*\) += (.*)$/.exec(rest);
    if (begun !== null) {
      const [, name = '', argument = '', result] = begun;
      if (result === undefined) open.set(pid, { name, argument, beganAt: at });
      else calls.push({ name, argument, beganAt: at, endedAt: at, result });
    } else if (resumed !== null) {
      const half = open.get(pid);
      open.delete(pid);
      if (half !== undefined) calls.push({ ...half, endedAt: at, result: resumed[2] ?? '' });
    }
  }
  return calls.toSorted((a, b) => a.beganAt - b.beganAt);
}

/** Creates objects at the same time, each on a connection of its own; gives their local ports. */
async function createMany(cluster: Cluster, count: number): Promise<readonly number[]> {
  const { Agent } = await import('node:https');
  const { ask } = await import('./cluster.ts');
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1, ...cluster.credentials() });
      let port = 0;
      agent.on('free', (socket: { localPort?: number }) => (port = socket.localPort ?? port));
      const url = `${cluster.url}/api/v1/namespaces/default/configmaps`;
      // The first answers open the connection, so that what follows is one request, one answer.
      await ask(agent, { method: 'GET', url: `${cluster.url}/version` });
      for (let turn = 0; turn < 5; turn++) {
        const body = { metadata: { name: `traced-${index}-${turn}` }, data: { a: 'b' } };
        const answer = await ask(agent, { method: 'POST', url, body });
        assert.equal(answer.status, 201);
      }
      await until('the port', () => (port > 0 ? port : undefined), 2);
      agent.destroy();
      return port;
    }),
  );
}

test('No create is acknowledged before the fsync that covers it', async (t) => {
  await using cluster = await startCluster();
  const path = join(cluster.home, 'trace');
  const tracer = spawn(
    'strace',
    [
      ['-f', '-yy', '-s', '0', '-o', path, '-p', String(cluster.pid('server'))],
      ['-e', 'trace=fsync,fdatasync,read,write,writev,sendmsg,sendto,pwrite64,pwritev'],
    ].flat(),
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let told = '';
  tracer.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
  await until('strace is attached', () => told.includes('attached') || undefined);
  const ports = await createMany(cluster, 8);
  const ended = new Promise((resolve) => tracer.once('close', resolve));
  kill(Number(tracer.pid), 'SIGINT');
  await ended;
  const calls = callsOf(readFileSync(path, 'utf8'));
  const logWrites = calls.filter(
    ({ name, argument }) => name.startsWith('pwrite') && /store\.db(-wal)?>/.test(argument),
  );
  const syncs = calls.filter(
    ({ name, argument, result }) =>
      /^f(data)?sync$/.test(name) && /store\.db(-wal)?>/.test(argument) && result === '0',
  );
  assert.ok(logWrites.length > 0 && syncs.length > 0, `${calls.length} calls were traced`);
  let acknowledgements = 0;
  for (const port of ports) {
    const own = calls.filter(({ argument }) => argument.includes(`:${port}]`));
    const requests = own.filter(({ name, result }) => name === 'read' && Number(result) > 0);
    for (const [index, request] of requests.entries()) {
      const until = requests[index + 1]?.beganAt ?? Number.POSITIVE_INFINITY;
      const answer = own.find(
        ({ name, beganAt }) => name !== 'read' && beganAt > request.endedAt && beganAt < until,
      );
      // Handshakes and the request for the version write nothing that must last.
      if (answer === undefined || index < requests.length - 5) continue;
      acknowledgements++;
      const covered = logWrites.some(
        (write) =>
          write.beganAt > request.beganAt &&
          syncs.some((sync) => sync.beganAt > write.endedAt && sync.endedAt < answer.beganAt),
      );
      assert.ok(covered, `the answer at line ${answer.beganAt} of ${path} came before its fsync`);
    }
  }
  assert.ok(acknowledgements >= ports.length * 5, `only ${acknowledgements} were looked at`);
  t.diagnostic(`${acknowledgements} acknowledgements, ${syncs.length} syncs of the log`);
});
