import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createPool } from './ledger.ts';
import type { Amounts, Claim, Pool, Verdict } from './pool.ts';

/** A pool of 100 CPUs on two nodes. */
function pools(): Pool {
  const pool = createPool();
  for (const name of ['n1', 'n2'])
    pool.setNode({ name, amounts: { cpu: 50_000, memory: 1000, pods: 1000 } });
  return pool;
}

let made = 0;
function ask(pool: Pool, role: string, cpus: number, facts: Partial<Claim> = {}): Verdict {
  made += 1;
  const amounts = { cpu: cpus * 1000 };
  const claim = { owner: `o${made}`, node: 'n1', epoch: 0, amounts, ports: [], role, fair: true };
  const [verdict] = pool.commit([{ ...claim, ...facts }]);
  pool.check();
  assert(verdict !== undefined);
  return verdict;
}

const wants = (role: string, piece: Amounts = { cpu: 1000 }) => ({ role, piece });
const reasonOf = (verdict: Verdict): string => (verdict.ok ? 'granted' : verdict.reason);

suite('commit() of a claim that must be fair', () => {
  test('grants up to the fair part by weight, and names who waits', () => {
    const pool = pools();
    pool.setWeight('b', 3);
    pool.setDemand('mesos', [wants('b')]);
    assert.equal(reasonOf(ask(pool, 'a', 25)), 'granted');
    const refused = ask(pool, 'a', 1);
    assert.equal(
      refused.ok ? '' : refused.message,
      'role "a" has its fair share of 25 % while role "b" waits for room',
    );
    assert.equal(reasonOf(ask(pool, 'b', 20)), 'granted');
  });

  test('grants anything while nobody else wants more, or only the same role', () => {
    const pool = pools();
    assert.equal(reasonOf(ask(pool, 'a', 30)), 'granted');
    pool.setDemand('mesos', [wants('a')]);
    assert.equal(reasonOf(ask(pool, 'a', 20)), 'granted');
  });

  test('does not weigh claims that follow from offers, nor those that take nothing', () => {
    const pool = pools();
    pool.setDemand('kube', [wants('b')]);
    assert.equal(reasonOf(ask(pool, 'a', 49, { fair: false })), 'granted');
    assert.equal(reasonOf(ask(pool, 'a', 2, { node: 'n2' })), 'FairShare');
    assert.equal(reasonOf(ask(pool, 'a', 0, { amounts: { pods: 1 } })), 'granted');
  });

  test('counts what those hold who want no more', () => {
    const pool = pools();
    ask(pool, 'c', 40);
    pool.setDemand('mesos', [wants('b')]);
    // Sixty are left for two.
    assert.equal(reasonOf(ask(pool, 'a', 30, { node: 'n2' })), 'granted');
    assert.equal(reasonOf(ask(pool, 'a', 1, { node: 'n2' })), 'FairShare');
  });

  const useless: Readonly<Record<string, (pool: Pool) => void>> = {
    'its piece does not fit there': (pool) =>
      pool.setDemand('mesos', [wants('b', { cpu: 60_000 })]),
    'it cannot use the node': (pool) =>
      pool.setDemand('mesos', [{ ...wants('b'), usable: (node) => node === 'n2' }]),
    'its limit is reached': (pool) => {
      pool.setDemand('mesos', [wants('b')]);
      pool.setQuota('b', { cpu: 500 });
    },
  };
  for (const [what, set] of Object.entries(useless))
    test(`does not wait for another role when ${what}`, () => {
      const pool = pools();
      set(pool);
      assert.equal(reasonOf(ask(pool, 'a', 50)), 'granted');
    });

  test('gives way also beyond the fair part to who has less for its weight', () => {
    const pool = pools();
    pool.setNode({ name: 'n3', amounts: { memory: 1000 } });
    // Both hold more than half of something: a of CPUs, b of memory.
    ask(pool, 'a', 50, { fair: false });
    ask(pool, 'a', 15, { fair: false, node: 'n2' });
    ask(pool, 'b', 0, { fair: false, node: 'n3', amounts: { memory: 1000 } });
    ask(pool, 'b', 0, { fair: false, node: 'n2', amounts: { memory: 600 } });
    pool.setDemand('mesos', [wants('b')]);
    assert.equal(reasonOf(ask(pool, 'a', 1, { node: 'n2' })), 'FairShare');
    ask(pool, 'b', 0, { fair: false, node: 'n2', amounts: { memory: 400 } });
    assert.equal(reasonOf(ask(pool, 'a', 1, { node: 'n2' })), 'granted');
  });

  test('divides among children what their parent may have', () => {
    const pool = pools();
    pool.setDemand('kube', [wants('ads'), wants('eng/ops')]);
    // Half of the cluster is for eng, half of that for eng/dev.
    assert.equal(reasonOf(ask(pool, 'eng/dev', 25)), 'granted');
    assert.match(messageOf(ask(pool, 'eng/dev', 1)), /role "eng\/dev" .* while role "eng\/ops"/);
    assert.equal(reasonOf(ask(pool, 'eng/ops', 25)), 'granted');
    assert.match(messageOf(ask(pool, 'eng', 1, { node: 'n2' })), /"eng" .* while role "ads"/);
  });

  test('tells when somebody wants more or less, and when weights change', () => {
    const pool = pools();
    const told: string[] = [];
    using _listening = pool.onDemand((source) => told.push(source));
    pool.setDemand('kube', []);
    pool.setDemand('kube', [wants('a')]);
    pool.setDemand('kube', []);
    pool.setWeight('a', 2);
    pool.setWeight('a', 2);
    assert.deepEqual(told, ['kube', 'kube', 'weights']);
  });
});

suite('setQuota() with a guarantee', () => {
  test('keeps room for it from all others, whichever way they come', () => {
    const pool = pools();
    pool.setQuota('b', undefined, { cpu: 30_000 });
    assert.equal(reasonOf(ask(pool, 'a', 50)), 'granted');
    assert.equal(reasonOf(ask(pool, 'a', 20, { node: 'n2', fair: false })), 'granted');
    const refused = ask(pool, 'a', 1, { node: 'n2', fair: false });
    assert.deepEqual(refused, {
      ok: false,
      reason: 'QuotaExceeded',
      message:
        'cluster has 30000m cpu free, of which 30000m are guaranteed to role "b" and others, claim asks 1000m',
      resources: ['cpu'],
    });
    assert.equal(reasonOf(ask(pool, 'b/x', 10, { node: 'n2' })), 'granted');
    assert.equal(reasonOf(ask(pool, 'a', 1, { node: 'n2' })), 'QuotaExceeded');
    assert.equal(reasonOf(ask(pool, 'b', 20, { node: 'n2' })), 'granted');
  });

  test('serves a guarantee although the cluster promised more than it has', () => {
    const pool = pools();
    pool.setQuota('a', undefined, { cpu: 80_000 });
    pool.setQuota('b', undefined, { cpu: 80_000 });
    assert.equal(reasonOf(ask(pool, 'a', 50)), 'granted');
    assert.equal(reasonOf(ask(pool, 'b', 50, { node: 'n2' })), 'granted');
  });

  test('counts what is reserved for the role, and lets reservations be used', () => {
    const pool = pools();
    pool.setQuota('b', undefined, { cpu: 60_000 });
    pool.setReservation('r', { node: 'n1', role: 'b', amounts: { cpu: 50_000 } });
    pool.setReservation('s', { node: 'n2', role: 'a', amounts: { cpu: 5000 } });
    // Of the 45 on n2 that nobody reserved, 10 are kept for b.
    assert.equal(reasonOf(ask(pool, 'a', 40, { node: 'n2' })), 'granted');
    assert.equal(reasonOf(ask(pool, 'a', 1, { node: 'n2' })), 'QuotaExceeded');
  });
});

function messageOf(verdict: Verdict): string {
  return verdict.ok ? 'granted' : verdict.message;
}
