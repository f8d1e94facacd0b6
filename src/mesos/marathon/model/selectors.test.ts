import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MarathonFailure } from './problem.ts';
import { appEmbeds, groupEmbeds, parseLabelSelector } from './selectors.ts';

const labels = { env: 'prod', 'a b': 'x,y', empty: '' };

const selected: { selector: string; want: boolean }[] = [
  { selector: 'env', want: true },
  { selector: 'none', want: false },
  { selector: 'env==prod', want: true },
  { selector: 'env == test', want: false },
  { selector: 'env!=test', want: true },
  { selector: 'none!=test', want: false },
  { selector: 'env in (test, prod)', want: true },
  { selector: 'env in ()', want: false },
  { selector: 'env notin (test)', want: true },
  { selector: 'none notin (test)', want: false },
  { selector: 'env,env==prod', want: true },
  { selector: 'env,none', want: false },
  { selector: String.raw`a\ b==x\,y`, want: true },
  { selector: 'toString', want: false },
  { selector: '', want: true },
];
for (const { selector, want } of selected) {
  test(`parseLabelSelector() of ${JSON.stringify(selector)} is ${want}`, () => {
    assert.equal(parseLabelSelector(selector)(labels), want);
  });
}

for (const selector of ['==', 'a==', 'a b', 'a in b', 'a in (b', 'a,,b', 'a=b', '$']) {
  test(`parseLabelSelector() refuses ${selector}`, () => {
    assert.throws(
      () => parseLabelSelector(selector),
      (error: unknown) =>
        error instanceof MarathonFailure &&
        error.status === 422 &&
        error.message.startsWith(`Can not parse label selector ${selector}. Reason: `),
    );
  });
}

test('appEmbeds() drops prefixes and what nobody knows', () => {
  assert.deepEqual(
    appEmbeds(['apps.tasks', 'app.counts', 'group.apps.taskStats', 'constructor']),
    new Set(['tasks', 'deployments', 'counts', 'taskStats']),
  );
  assert.deepEqual(appEmbeds(['failures']), new Set(['tasks', 'lastTaskFailure', 'deployments']));
});

test('groupEmbeds() embeds all without a word', () => {
  assert.deepEqual(groupEmbeds([]).group, new Set(['groups', 'apps', 'pods']));
  const some = groupEmbeds(['group.apps', 'group.apps.counts', 'other']);
  assert.deepEqual(some, { apps: new Set(['counts']), group: new Set(['apps']) });
});
