import { readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '#base';
import { codeOf, isMissing } from '../oci/namespace.ts';
import { processStart } from '../oci/records.ts';

const lookAgainMs = 1_000;

/**
 * One holder among all processes of the machine: a file that names its holder. A holder that died is
 * found out by its process number and start time.
 */
export async function withLock<T>(
  path: string,
  options: { readonly clock: Clock; readonly signal: AbortSignal },
  action: () => Promise<T>,
): Promise<T> {
  while (!take(path)) {
    options.signal.throwIfAborted();
    await released(path, options);
  }
  try {
    return await action();
  } finally {
    rmSync(path, { force: true });
  }
}

let holds = 0;
function take(path: string): boolean {
  const own = `${process.pid} ${processStart(process.pid) ?? ''} ${holds++}`;
  try {
    writeFileSync(path, own, { flag: 'wx' });
    return true;
  } catch (cause) {
    if (codeOf(cause) !== 'EEXIST') throw cause;
  }
  const [pid = '', start = ''] = readHolder(path).split(' ');
  // An empty file is one just being written.
  if (pid !== '' && processStart(Number(pid)) !== start) rmSync(path, { force: true });
  return false;
}

function readHolder(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (isMissing(cause)) return '';
    throw cause;
  }
}

/** Until the folder of the lock changes, or a moment has passed (a holder may die without a trace). */
function released(
  path: string,
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(dirname(path));
    const done = (): void => {
      cancel();
      watcher.close();
      options.signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = options.clock.after(lookAgainMs, done);
    watcher.on('change', (_, name) => {
      if (typeof name === 'string' && path.endsWith(`/${name}`)) done();
    });
    options.signal.addEventListener('abort', done, { once: true });
    watcher.on('error', done);
  });
}
