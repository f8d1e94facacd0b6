import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';

const textBytesMax = 64 * 1024;

interface Ended {
  /** As wait(2) tells it. */
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/**
 * Whatever URI the machine's Hadoop client can read: `hadoop fs -copyToLocal`. Throws in the words of
 * the reference (src/hdfs/hdfs.cpp). The client is that of HADOOP_HOME, else the one on the PATH.
 */
export async function copyByHadoop(uri: string, path: string, signal: AbortSignal): Promise<void> {
  const home = process.env['HADOOP_HOME'];
  const hadoop = home === undefined ? 'hadoop' : join(home, 'bin', 'hadoop');
  const version = await ended(hadoop, ['version'], signal);
  if (version.status !== 0)
    throw new Error(
      'Failed to create HDFS client: ' +
        `Hadoop client is not available, exit status: ${version.status}`,
    );
  const { status, out, err } = await ended(hadoop, ['fs', '-copyToLocal', uri, path], signal);
  if (status !== 0)
    throw new Error(
      'HDFS copyToLocal failed: Unexpected result from the subprocess: ' +
        `status='${status}', stdout='${out}', stderr='${err}'`,
    );
}

/** What a shell says of a command that is not there. */
const notFound = 127 << 8;

function ended(file: string, args: readonly string[], signal: AbortSignal): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const texts = { out: '', err: '' };
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], signal });
    for (const [name, stream] of [
      ['out', child.stdout],
      ['err', child.stderr],
    ] as const)
      stream.setEncoding('utf8').on('data', (text: string) => {
        texts[name] = (texts[name] + text).slice(0, textBytesMax);
      });
    child.once('error', (error) => {
      if (signal.aborted) reject(error);
      else resolve({ status: notFound, ...texts });
    });
    child.once('close', (code, name) => {
      const status = name === null ? (code ?? 0) << 8 : constants.signals[name];
      resolve({ status, ...texts });
    });
  });
}
