/**
 * What the conformance tests of Kubernetes 1.36 check, for everything that one cluster of this
 * project serves: own cases on one cluster, many at a time, each in namespaces of its own.
 *
 * `CASES=text` runs only the cases whose name holds the text.
 */
import { after, before, suite, test } from 'node:test';
import { apiCases } from './api.ts';
import { kubectlCases } from './kubectl.ts';
import { schedulingCases } from './scheduling.ts';
import { networkCases } from './network.ts';
import { probeCases } from './probes.ts';
import { workloadCases } from './workloads.ts';
import { volumeCases } from './volumes.ts';
import { podCases } from './pods.ts';
import type { Case } from './kit.ts';
import { World } from './kit.ts';

const cases: readonly Case[] = [
  ...apiCases,
  ...podCases,
  ...volumeCases,
  ...workloadCases,
  ...networkCases,
  ...probeCases,
  ...schedulingCases,
  ...kubectlCases,
];
const wanted = process.env['CASES'] ?? '';
const chosen = cases.filter(({ name }) => name.includes(wanted));
let world: World;

before(async () => {
  world = await World.start();
});
after(async () => {
  await world[Symbol.asyncDispose]();
});

function runs({ name, run }: Case): void {
  test(name, { timeout: 90_000 }, () => run(world));
}
suite('Conformance, many at a time', { concurrency: 10 }, () => {
  for (const each of chosen.filter(({ alone }) => alone !== true)) runs(each);
});
suite('Conformance, one at a time', { concurrency: 1 }, () => {
  for (const each of chosen.filter(({ alone }) => alone === true)) runs(each);
});
