import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { copyByHadoop } from './hadoop.ts';

const { signal } = new AbortController();
let home: string;
const had = process.env['HADOOP_HOME'];
before(() => {
  home = mkdtempSync(join(tmpdir(), 'tandem-hadoop-'));
  mkdirSync(join(home, 'bin'));
});
after(() => {
  if (had === undefined) delete process.env['HADOOP_HOME'];
  else process.env['HADOOP_HOME'] = had;
  rmSync(home, { recursive: true, force: true });
});

test('copyByHadoop() says that there is no client', async () => {
  process.env['HADOOP_HOME'] = join(home, 'nowhere');
  await assert.rejects(copyByHadoop('hdfs://n/a', join(home, 'a'), signal), {
    message: 'Failed to create HDFS client: Hadoop client is not available, exit status: 32512',
  });
});

test('copyByHadoop() has the client copy, and hands on what it says', async () => {
  process.env['HADOOP_HOME'] = home;
  const client = join(home, 'bin/hadoop');
  const script = [
    '#!/bin/sh',
    '[ "$1" = version ] && exit 0',
    'case "$3" in *none) echo out; echo "no such file" >&2; exit 1;; esac',
    'echo "$*" > "$4"',
  ];
  writeFileSync(client, `${script.join('\n')}\n`);
  chmodSync(client, 0o755);
  await copyByHadoop('hdfs://n/a', join(home, 'a'), signal);
  assert.equal(readFileSync(join(home, 'a'), 'utf8'), `fs -copyToLocal hdfs://n/a ${home}/a\n`);
  await assert.rejects(copyByHadoop('s3a://b/none', join(home, 'b'), signal), {
    message:
      'HDFS copyToLocal failed: Unexpected result from the subprocess: ' +
      "status='256', stdout='out\n', stderr='no such file\n'",
  });
});
