/** Resident memory of the server process: fresh, after much coming and going, and full. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createConfigMaps,
  createPods,
  deleteConfigMaps,
  residentMegabytes,
  startServer,
  untilServiceAccount,
} from './cluster.ts';
import type { Reading } from './line.ts';

type Readings = Promise<Readonly<Record<string, Reading>>>;

/** What is measured is what stays, not what a burst needs for a moment. */
const settleMs = 10_000;
const churn = 100_000;
const churnBatch = 10_000;
const storedConfigMaps = 22_000;
const storedPods = 11_000;

export async function freshMemory(): Readings {
  await using server = await startServer();
  await untilServiceAccount(server.endpoint);
  await sleep(settleMs);
  return { resident: { value: residentMegabytes(server.pid) } };
}

export async function memoryAfterChurn(): Readings {
  await using server = await startServer();
  const perSecond: number[] = [];
  for (let done = 0; done < churn; done += churnBatch) {
    perSecond.push((await createConfigMaps(server.endpoint, churnBatch)).perSecond);
    perSecond.push((await deleteConfigMaps(server.endpoint, churnBatch)).perSecond);
  }
  const atOnceMegabytes = residentMegabytes(server.pid);
  await sleep(settleMs);
  return {
    resident: {
      value: residentMegabytes(server.pid),
      details: { atOnceMegabytes, creates: churn, deletes: churn, perSecond },
    },
  };
}

/** The Pods name a scheduler that does not run, so that they lie there as they were written. */
export async function memoryFull(): Readings {
  await using server = await startServer();
  await untilServiceAccount(server.endpoint);
  await createConfigMaps(server.endpoint, storedConfigMaps);
  await createPods(server.endpoint, { count: storedPods, extra: { schedulerName: 'nobody' } });
  const atOnceMegabytes = residentMegabytes(server.pid);
  await sleep(settleMs);
  return { resident: { value: residentMegabytes(server.pid), details: { atOnceMegabytes } } };
}
