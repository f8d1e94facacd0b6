/** mesos-rxjava 0.1.2, which Singularity's scheduler stands on: protobuf over RecordIO, from Java. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { run, startCluster } from '../cluster/cluster.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { bringMaven, must } from './bring.ts';

const folder = resolve(import.meta.dirname, '../../.tools/mesos-rxjava');
const jars = join(folder, 'jars');
const client = join(jars, 'mesos-rxjava-protobuf-client-0.1.2.jar');

const dependencies = [
  ['com.mesosphere.mesos.rx.java', 'mesos-rxjava-protobuf-client', '0.1.2'],
  ['org.slf4j', 'slf4j-nop', '1.7.21'],
]
  .map(
    ([group, artifact, version]) =>
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId>` +
      `<version>${version}</version></dependency>`,
  )
  .join('');
const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>tandem</groupId><artifactId>interop</artifactId><version>1</version>
<dependencies>${dependencies}</dependencies></project>`;

function install(): void {
  bringMaven();
  if (existsSync(client)) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'pom.xml'), pom);
  const args = ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`];
  must('mvn', args, { cwd: folder });
}

let cluster: Cluster | undefined;
before(async () => {
  install();
  cluster = await startCluster();
});
after(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

test('A framework over mesos-rxjava brings its own id, runs three tasks and ends', async () => {
  assert.ok(cluster !== undefined);
  const url = `http://127.0.0.1:${5050 + cluster.offset}/api/v1/scheduler`;
  const source = join(import.meta.dirname, 'RxTasks.java');
  const ended = await run('java', ['-cp', `${jars}/*`, source, url], { minutesMax: 1 });
  assert.equal(ended.code, 0, ended.out + ended.err);
  const states = ['TASK_FINISHED', 'TASK_RUNNING', 'TASK_STARTING'];
  const told = [1, 2, 3].flatMap((task) => states.map((state) => `task-${task} ${state}`));
  assert.deepEqual(ended.out.trim().split('\n'), ['subscribed as rx-tasks', ...told]);
});
