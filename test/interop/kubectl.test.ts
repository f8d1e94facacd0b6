/**
 * kubectl, unmodified, from the oldest to the newest version that is supported: every verb with these
 * two, the everyday ones with those in between. One cluster, one namespace per version.
 */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { long } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { Kit, startInteropCluster } from './harness.ts';
import { findKubectls, newestMinor, oldestMinor } from './kubectl.ts';
import { verbsThatChange } from './verbs-change.ts';
import { verbsOfClusters } from './verbs-cluster.ts';
import { verbsThatCreate } from './verbs-create.ts';
import { verbsThatRead } from './verbs-read.ts';
import { everyday } from './verbs-everyday.ts';
import { verbsOfStreams } from './verbs-streams.ts';
import { verbsOfWorkloads } from './verbs-workloads.ts';

const kubectls = findKubectls(long);
const newest = kubectls.at(-1);
const oldest = kubectls[0];
let cluster: Cluster | undefined;

before(async () => {
  cluster = await startInteropCluster();
});
after(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

test('the oldest and the newest supported kubectl are here', () => {
  const minors = kubectls.map(({ minor }) => minor);
  assert.ok(minors.includes(newestMinor), `1.${newestMinor} is neither here nor built: ${minors}`);
  assert.ok((oldest?.minor ?? newestMinor) >= oldestMinor);
});

/** While working on one version: TANDEM_KUBECTL=36. */
const only = process.env['TANDEM_KUBECTL'];

for (const kubectl of kubectls.filter(({ minor }) => only === undefined || only === `${minor}`))
  suite(`kubectl 1.${kubectl.minor}`, () => {
    let made: Kit | undefined;
    const kit = (): Kit => {
      assert.ok(made !== undefined, 'the cluster did not start');
      return made;
    };
    before(async () => {
      assert.ok(cluster !== undefined, 'the cluster did not start');
      made = new Kit(cluster, kubectl);
      await made.ok('create', 'namespace', made.namespace);
    });
    after(async () => {
      await made?.ok('delete', 'namespace', made.namespace, '--timeout=60s');
    });
    everyday(kit);
    if (kubectl !== newest && kubectl !== oldest) return;
    verbsThatCreate(kit);
    verbsThatRead(kit);
    verbsThatChange(kit);
    verbsOfWorkloads(kit);
    verbsOfStreams(kit);
    verbsOfClusters(kit);
  });
