import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createPool } from './ledger.ts';
import type { Amounts, Claim, HostPort, Pool, Verdict } from './pool.ts';

const machine: Amounts = { cpu: 1000, memory: 1000, pods: 10 };

function poolWith(...names: string[]): Pool {
  const pool = createPool();
  for (const name of names) pool.setNode({ name, amounts: machine });
  return pool;
}

function claimOf(owner: string, changes: Partial<Claim> = {}): Claim {
  const amounts = { cpu: 400, memory: 100, pods: 1 };
  return { owner, node: 'n1', epoch: 0, amounts, ports: [], role: '*', ...changes };
}

/** One claim, decided on the node as it stands. */
function commit(pool: Pool, claim: Claim): Verdict {
  const epoch = pool.columns.epoch[pool.columns.row.get(claim.node) ?? -1] ?? 0;
  const [verdict] = pool.commit([{ ...claim, epoch }]);
  pool.check();
  return verdict ?? assert.fail('One claim, one verdict');
}

function free(pool: Pool, node: string, resource: string): number {
  const row = pool.columns.row.get(node) ?? assert.fail(`${node} has no row`);
  return pool.columns.free.get(resource)?.[row] ?? assert.fail(`no column ${resource}`);
}

const ok = { ok: true, repeated: false };

suite('Pool: room', () => {
  test('commit() takes room and release() gives it back', () => {
    const pool = poolWith('n1');
    assert.deepEqual(commit(pool, claimOf('a')), ok);
    assert.equal(free(pool, 'n1', 'cpu'), 600);
    assert.equal(free(pool, 'n1', 'pods'), 9);
    pool.release('a');
    pool.release('a');
    pool.check();
    assert.equal(free(pool, 'n1', 'cpu'), 1000);
    assert.equal(pool.claim('a'), undefined);
  });

  test('commit() decides each claim of a batch after the ones before it', () => {
    const pool = poolWith('n1', 'n2');
    const verdicts = pool.commit([
      claimOf('a'),
      claimOf('b'),
      claimOf('c'),
      claimOf('d', { node: 'n2' }),
    ]);
    assert.deepEqual(
      verdicts.map((verdict) => verdict.ok),
      [true, true, false, true],
    );
  });

  test('commit() names what is short, and tells a stale view from a full node', () => {
    const pool = poolWith('n1');
    commit(pool, claimOf('a', { amounts: { cpu: 800, memory: 950 } }));
    const wanted = claimOf('b', { amounts: { cpu: 500, memory: 100, pods: 1, 'x/gpu': 2 } });
    assert.deepEqual(commit(pool, wanted), {
      ok: false,
      reason: 'NoRoom',
      message:
        'node "n1" has 200m cpu free, claim asks 500m; has 50 memory free, claim asks 100; ' +
        'has 0 x/gpu free, claim asks 2',
      resources: ['cpu', 'memory', 'x/gpu'],
    });
    const [stale] = pool.commit([wanted]);
    assert(stale?.ok === false && stale.reason === 'NodeChanged');
  });

  test('commit() grants a claim that fits although the node moved on', () => {
    const pool = poolWith('n1');
    commit(pool, claimOf('a'));
    assert.deepEqual(pool.commit([claimOf('b', { epoch: 0 })]), [ok]);
  });

  test('commit() grants what asks nothing of a resource that is overdrawn', () => {
    const pool = poolWith('n1');
    pool.adopt(claimOf('big', { amounts: { cpu: 1500 } }));
    assert.equal(free(pool, 'n1', 'cpu'), -500);
    assert.deepEqual(commit(pool, claimOf('a', { amounts: { cpu: 0, memory: 10 } })), ok);
    assert.equal(commit(pool, claimOf('b', { amounts: { cpu: 1 } })).ok, false);
  });

  test('an equal claim is granted again, another one of the same owner is not', () => {
    const pool = poolWith('n1', 'n2');
    const ports = [{ protocol: 'TCP', address: '', port: 80 }];
    commit(pool, claimOf('a', { ports }));
    const again = claimOf('a', {
      ports: [{ protocol: '', address: '0.0.0.0', port: 80 }],
      amounts: { pods: 1, memory: 100, cpu: 400, 'x/gpu': 0 },
    });
    assert.deepEqual(commit(pool, again), { ok: true, repeated: true });
    assert.equal(free(pool, 'n1', 'cpu'), 600);
    for (const other of [{ node: 'n2' }, { role: 'eng' }, { ports: [] }, { amounts: { cpu: 1 } }]) {
      const verdict = commit(pool, claimOf('a', { ports, ...other }));
      assert(verdict.ok === false && verdict.reason === 'OwnerTaken', JSON.stringify(other));
    }
  });

  test('a resize takes the place of the earlier claim when the difference fits', () => {
    const pool = poolWith('n1');
    commit(pool, claimOf('a', { amounts: { cpu: 700 } }));
    assert.deepEqual(commit(pool, claimOf('a', { amounts: { cpu: 900 }, resize: true })), ok);
    assert.equal(free(pool, 'n1', 'cpu'), 100);
    const tooBig = commit(pool, claimOf('a', { amounts: { cpu: 1100 }, resize: true }));
    assert(tooBig.ok === false && tooBig.reason === 'NoRoom');
    assert.equal(free(pool, 'n1', 'cpu'), 100);
  });

  test('a request no machine could hold leaves the account exact when it goes', () => {
    const pool = poolWith('n1');
    pool.adopt(claimOf('a', { amounts: { memory: 333 } }));
    pool.adopt(claimOf('huge', { amounts: { memory: 2 ** 63 } }));
    pool.check();
    pool.release('huge');
    pool.check();
    assert.equal(free(pool, 'n1', 'memory'), 667);
    assert.deepEqual(pool.usage('*'), { memory: 333 });
  });
});

suite('Pool: nodes', () => {
  test('a node that left takes no claim; what was on it counts again when it returns', () => {
    const pool = poolWith('n1', 'n2', 'n3');
    commit(pool, claimOf('a'));
    commit(pool, claimOf('c', { node: 'n3', amounts: { cpu: 10 } }));
    pool.removeNode('n1');
    pool.check();
    assert.equal(pool.columns.size, 2);
    assert.equal(free(pool, 'n3', 'cpu'), 990);
    const verdict = commit(pool, claimOf('b'));
    assert(verdict.ok === false && verdict.reason === 'NodeGone');
    assert.deepEqual(
      pool.claimsOn('n1').map(({ owner }) => owner),
      ['a'],
    );
    pool.setNode({ name: 'n1', amounts: machine });
    pool.check();
    assert.equal(free(pool, 'n1', 'cpu'), 600);
  });

  test('an epoch is never seen twice, not even over a return', () => {
    const pool = poolWith('n1');
    const before = pool.columns.newestEpoch;
    pool.removeNode('n1');
    pool.setNode({ name: 'n1', amounts: machine });
    assert((pool.columns.epoch[0] ?? 0) > before);
  });

  test('setNode() with the same amounts changes nothing', () => {
    const pool = poolWith('n1');
    const { newestEpoch, layout } = pool.columns;
    pool.setNode({ name: 'n1', amounts: { ...machine } });
    assert.deepEqual([pool.columns.newestEpoch, pool.columns.layout], [newestEpoch, layout]);
  });

  test('columns grow with nodes and with resources, and say so', () => {
    const pool = createPool();
    for (let index = 0; index < 300; index++)
      pool.setNode({ name: `n${index}`, amounts: { cpu: index, pods: 1 } });
    const { layout } = pool.columns;
    pool.setNode({ name: 'n7', amounts: { cpu: 7, 'x/gpu': 4 } });
    pool.check();
    assert(pool.columns.layout > layout);
    assert.equal(pool.columns.free.get('x/gpu')?.[7], 4);
    assert.equal(pool.columns.free.get('cpu')?.[299], 299);
    assert.equal(pool.columns.free.get('memory')?.[299], 0);
  });

  test('onChange() tells each changed node once, and nothing for a repeated claim', () => {
    const pool = poolWith('n1', 'n2');
    const seen: string[] = [];
    const listening = pool.onChange((node) => seen.push(node));
    pool.commit([claimOf('a'), claimOf('b', { node: 'n2' }), claimOf('c')]);
    assert.deepEqual(seen.splice(0), ['n1', 'n2']);
    pool.commit([claimOf('a')]);
    assert.deepEqual(seen, []);
    pool.release('b');
    pool.removeNode('n1');
    assert.deepEqual(seen.splice(0), ['n2', 'n1']);
    listening[Symbol.dispose]();
    pool.release('a');
    assert.deepEqual(seen, []);
  });
});

suite('Pool: ports', () => {
  const port = (address: string, number = 80, protocol = 'TCP'): HostPort => ({
    protocol,
    address,
    port: number,
  });
  const cases: { name: string; held: HostPort; wanted: HostPort; taken: boolean }[] = [
    { name: 'same address', held: port('10.0.0.1'), wanted: port('10.0.0.1'), taken: true },
    { name: 'other address', held: port('10.0.0.1'), wanted: port('10.0.0.2'), taken: false },
    { name: 'held by all', held: port('0.0.0.0'), wanted: port('10.0.0.2'), taken: true },
    { name: 'wanted for all', held: port('10.0.0.1'), wanted: port(''), taken: true },
    { name: 'other port', held: port(''), wanted: port('', 81), taken: false },
    { name: 'other protocol', held: port(''), wanted: port('', 80, 'UDP'), taken: false },
    { name: 'no protocol is TCP', held: port('', 80, ''), wanted: port(''), taken: true },
  ];
  for (const { name, held, wanted, taken } of cases) {
    test(`commit() with a port: ${name}`, () => {
      const pool = poolWith('n1');
      assert.deepEqual(commit(pool, claimOf('a', { ports: [held] })), ok);
      const verdict = commit(pool, claimOf('b', { ports: [wanted] }));
      assert.equal(!verdict.ok && verdict.reason === 'PortTaken', taken);
      pool.release('a');
      assert(commit(pool, claimOf('b', { ports: [wanted] })).ok);
    });
  }

  test('the holder of a port is named', () => {
    const pool = poolWith('n1');
    commit(pool, claimOf('pod/a/b', { ports: [port('')] }));
    const verdict = commit(pool, claimOf('c', { ports: [port('1.2.3.4')] }));
    assert(!verdict.ok);
    assert.equal(verdict.message, 'node "n1" has port 1.2.3.4:80/TCP held by "pod/a/b"');
    assert.equal(pool.columns.ports(0).length, 1);
  });
});

suite('Pool: roles', () => {
  test('a reservation is room for its role and those under it only', () => {
    const pool = poolWith('n1');
    pool.setReservation('r', { node: 'n1', role: 'eng', amounts: { cpu: 600 } });
    assert.equal(free(pool, 'n1', 'cpu'), 400);
    assert.equal(commit(pool, claimOf('a', { amounts: { cpu: 500 } })).ok, false);
    assert.equal(commit(pool, claimOf('a', { amounts: { cpu: 500 }, role: 'engine' })).ok, false);
    assert.deepEqual(pool.roomFor('n1', 'eng/dev'), { cpu: 1000, memory: 1000, pods: 10 });
    assert.deepEqual(commit(pool, claimOf('b', { amounts: { cpu: 700 }, role: 'eng/dev' })), ok);
    assert.equal(free(pool, 'n1', 'cpu'), 300);
    pool.release('b');
    assert.equal(free(pool, 'n1', 'cpu'), 400);
    pool.setReservation('r', undefined);
    pool.check();
    assert.equal(free(pool, 'n1', 'cpu'), 1000);
  });

  test('a role uses its own reservation before that of the role above', () => {
    const pool = poolWith('n1');
    pool.setReservation('above', { node: 'n1', role: 'eng', amounts: { cpu: 300 } });
    pool.setReservation('own', { node: 'n1', role: 'eng/dev', amounts: { cpu: 300 } });
    commit(pool, claimOf('a', { amounts: { cpu: 400 }, role: 'eng/dev' }));
    assert.equal(pool.roomFor('n1', 'eng').cpu, 600);
    assert.equal(pool.roomFor('n1', 'eng/ops').cpu, 600);
    assert.equal(free(pool, 'n1', 'cpu'), 400);
  });

  test('a reservation may wait for its node', () => {
    const pool = createPool();
    pool.setReservation('r', { node: 'n1', role: 'eng', amounts: { cpu: 600 } });
    pool.check();
    pool.setNode({ name: 'n1', amounts: machine });
    pool.check();
    assert.equal(free(pool, 'n1', 'cpu'), 400);
  });

  test('quota bounds a role with all under it over all nodes', () => {
    const pool = poolWith('n1', 'n2');
    pool.setQuota('eng', { cpu: 1000 });
    assert.deepEqual(commit(pool, claimOf('a', { role: 'eng', amounts: { cpu: 600 } })), ok);
    const verdict = commit(
      pool,
      claimOf('b', { role: 'eng/dev', node: 'n2', amounts: { cpu: 500, memory: 900 } }),
    );
    assert.deepEqual(verdict, {
      ok: false,
      reason: 'QuotaExceeded',
      message: 'role "eng" has 600m of 1000m cpu, claim asks 500m',
      resources: ['cpu'],
    });
    assert.deepEqual(pool.usage('eng'), { cpu: 600 });
    pool.setQuota('eng', undefined);
    assert.deepEqual(
      commit(pool, claimOf('b', { role: 'eng/dev', node: 'n2', amounts: { cpu: 500 } })),
      ok,
    );
    assert.deepEqual(pool.usage('eng'), { cpu: 1100 });
  });

  test('what is reserved counts to the quota, used or not, and once', () => {
    const pool = poolWith('n1', 'n2');
    pool.setQuota('eng', { cpu: 1000 });
    pool.setReservation('r', { node: 'n1', role: 'eng', amounts: { cpu: 800 } });
    const other = claimOf('x', { role: 'eng', node: 'n2', amounts: { cpu: 300 } });
    assert.equal(commit(pool, other).ok, false);
    assert.deepEqual(commit(pool, claimOf('a', { role: 'eng', amounts: { cpu: 900 } })), ok);
    assert.equal(commit(pool, { ...other, amounts: { cpu: 101 } }).ok, false);
    assert.deepEqual(commit(pool, { ...other, amounts: { cpu: 100 } }), ok);
  });
});

test('adopt() records what is so: past capacity, on another node, in place of what was', () => {
  const pool = poolWith('n1', 'n2');
  pool.adopt(claimOf('a', { amounts: { cpu: 5000 } }));
  pool.check();
  assert.equal(free(pool, 'n1', 'cpu'), -4000);
  pool.adopt(claimOf('a', { node: 'n2', amounts: { cpu: 100 } }));
  pool.check();
  assert.deepEqual([free(pool, 'n1', 'cpu'), free(pool, 'n2', 'cpu')], [1000, 900]);
  pool.adopt(claimOf('b', { node: 'n9' }));
  pool.check();
  assert.equal(pool.claimsOn('n9').length, 1);
});
