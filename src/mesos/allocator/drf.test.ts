import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { ClientTable } from './clients.ts';
import { RoleTree } from './sorter.ts';

interface User {
  readonly name: string;
  readonly task: readonly number[];
  readonly weight?: number;
}

/** Gives task after task to whom the sorter puts first, as long as anybody's task fits. */
function fill(capacity: readonly number[], users: readonly User[]) {
  const tree = new RoleTree();
  const clients = new ClientTable(tree);
  tree.addTotal(capacity, 1);
  const free = [...capacity];
  const tasks = new Map(users.map(({ name }) => [name, 0]));
  for (const { name, weight } of users) {
    clients.get('f', name);
    tree.get(name).tree.weight = weight ?? 1;
  }
  tree.refresh();
  const picks: string[] = [];
  for (;;) {
    const next = tree
      .order()
      .map(({ name }) => users.find((user) => user.name === name))
      .find((user) => user?.task.every((amount, at) => amount <= (free[at] ?? 0)));
    if (next === undefined) break;
    for (const [at, amount] of next.task.entries()) free[at] = (free[at] ?? 0) - amount;
    const client = clients.get('f', next.name);
    tree.hold(client, next.task, 1);
    tree.allocated(client);
    tasks.set(next.name, (tasks.get(next.name) ?? 0) + 1);
    picks.push(next.name);
  }
  return { tasks, picks, free, shareOf: (name: string) => tree.shareOf(tree.get(name).tree) };
}

const cases: readonly {
  readonly name: string;
  readonly capacity: readonly number[];
  readonly users: readonly User[];
  readonly tasks: Readonly<Record<string, number>>;
}[] = [
  {
    name: 'equalises dominant shares of a memory-heavy and a CPU-heavy user (figure 3)',
    capacity: [9, 18],
    users: [
      { name: 'a', task: [1, 4] },
      { name: 'b', task: [3, 1] },
    ],
    tasks: { a: 3, b: 2 },
  },
  {
    name: 'with one resource is max-min fairness',
    capacity: [12],
    users: [
      { name: 'a', task: [1] },
      { name: 'b', task: [2] },
      { name: 'c', task: [4] },
    ],
    tasks: { a: 4, b: 2, c: 1 },
  },
  {
    name: 'with one resource and weights divides by weight',
    capacity: [100],
    users: [
      { name: 'a', task: [1], weight: 1 },
      { name: 'b', task: [1], weight: 2 },
      { name: 'c', task: [1], weight: 1 },
    ],
    tasks: { a: 25, b: 50, c: 25 },
  },
  {
    name: 'divides dominant shares by weight over two resources',
    capacity: [100, 100],
    users: [
      { name: 'a', task: [2, 1], weight: 3 },
      { name: 'b', task: [1, 2], weight: 1 },
    ],
    // 3:1 of dominant shares: 2x = 3 * 2y, and 2x + y = 100 binds.
    tasks: { a: 43, b: 14 },
  },
  {
    name: 'gives a lone user everything it can use',
    capacity: [9, 18],
    users: [{ name: 'a', task: [1, 4] }],
    tasks: { a: 4 },
  },
];

suite('DRF by the tables of its paper', () => {
  for (const { name, capacity, users, tasks } of cases)
    test(name, () => {
      assert.deepEqual(Object.fromEntries(fill(capacity, users).tasks), tasks);
    });

  test('picks users in the order of table 1', () => {
    // The paper starts with B; at equal shares ours start by name.
    const a = { name: '2-memory-heavy', task: [1, 4] };
    const b = { name: '1-cpu-heavy', task: [3, 1] };
    const { picks, shareOf } = fill([9, 18], [a, b]);
    assert.deepEqual(picks, [b.name, a.name, a.name, b.name, a.name]);
    assert.equal(shareOf(a.name), 2 / 3);
    assert.equal(shareOf(b.name), 2 / 3);
  });
});

test('RoleTree serves depth first, a role itself as a child among its children', () => {
  const tree = new RoleTree();
  const clients = new ClientTable(tree);
  tree.addTotal([100], 1);
  for (const [role, held] of [
    ['eng', 10],
    ['eng/dev', 5],
    ['eng/ops', 20],
    ['ads', 30],
  ] as const)
    tree.hold(clients.get('f', role), [held], 1);
  tree.get('eng').tree.weight = 2;
  tree.refresh();
  // eng holds 35 at weight 2: 17.5 against 30.
  assert.deepEqual(
    tree.order().map(({ name }) => name),
    ['eng/dev', 'eng', 'eng/ops', 'ads'],
  );
});

const demandMax = 6;
const capacities = fc.array(fc.integer({ min: 400, max: 800 }), { minLength: 2, maxLength: 3 });
const worlds = capacities.chain((capacity) =>
  fc.record({
    capacity: fc.constant(capacity),
    tasks: fc.array(
      fc.array(fc.integer({ min: 1, max: demandMax }), {
        minLength: capacity.length,
        maxLength: capacity.length,
      }),
      { minLength: 2, maxLength: 5 },
    ),
  }),
);
const usersOf = (tasks: readonly (readonly number[])[]): readonly User[] =>
  tasks.map((task, at) => ({ name: `u${at}`, task }));
const dominant = (task: readonly number[], capacity: readonly number[]): number =>
  Math.max(...task.map((amount, at) => amount / (capacity[at] ?? 1)));
/** How many tasks fit into a bundle of resources. */
const tasksIn = (bundle: readonly number[], task: readonly number[]): number =>
  Math.floor(Math.min(...task.map((amount, at) => (bundle[at] ?? 0) / amount)));

suite('What DRF promises, up to the size of tasks', () => {
  test('nobody is worse off than with an equal part of everything (sharing incentive)', () => {
    fc.assert(
      fc.property(worlds, ({ capacity, tasks }) => {
        const { shareOf } = fill(capacity, usersOf(tasks));
        const grains = tasks.map((task) => dominant(task, capacity));
        const all = grains.reduce((sum, one) => sum + one, 0);
        for (const [at, grain] of grains.entries())
          assert(shareOf(`u${at}`) >= (1 - all - grain) / tasks.length - 1e-9);
      }),
    );
  });

  test('no further task of anybody fits (Pareto efficiency)', () => {
    fc.assert(
      fc.property(worlds, ({ capacity, tasks }) => {
        const { free } = fill(capacity, usersOf(tasks));
        for (const task of tasks) assert(task.some((amount, at) => amount > (free[at] ?? 0)));
      }),
    );
  });

  test('nobody could do more with what another has (envy-freeness)', () => {
    fc.assert(
      fc.property(worlds, ({ capacity, tasks }) => {
        const filled = fill(capacity, usersOf(tasks)).tasks;
        for (const [at, task] of tasks.entries())
          for (const [other, theirs] of tasks.entries()) {
            const bundle = theirs.map((amount) => amount * (filled.get(`u${other}`) ?? 0));
            const own = filled.get(`u${at}`) ?? 0;
            // At the end others may take up to a task's worth more of what is left over.
            const grain = (2 * demandMax * demandMax) / Math.max(...task) + 1;
            assert(tasksIn(bundle, task) <= own + grain, `u${at} envies u${other}`);
          }
      }),
    );
  });

  test('asking for more than one needs does not help (strategy-proofness)', () => {
    const lies = fc.record({
      world: worlds,
      extra: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 3, maxLength: 3 }),
    });
    fc.assert(
      fc.property(lies, ({ world: { capacity, tasks }, extra }) => {
        const [truth] = tasks;
        if (truth === undefined) return;
        const lie = truth.map((amount, at) => amount + (extra[at] ?? 0));
        const honest = fill(capacity, usersOf(tasks)).tasks.get('u0') ?? 0;
        const lied = fill(capacity, usersOf([lie, ...tasks.slice(1)])).tasks.get('u0') ?? 0;
        const useful = tasksIn(
          lie.map((amount) => amount * lied),
          truth,
        );
        const grain = (2 * demandMax * demandMax) / Math.max(...truth) + 1;
        assert(useful <= honest + grain, `${useful} tasks by a lie, ${honest} without`);
      }),
    );
  });
});
