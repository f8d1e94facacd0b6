import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeconfigError, currentContext, mergeKubeconfig, removeFromKubeconfig } from '#client';
import { knownClusters, removeIfEmpty, saveConfig } from './config.ts';
import type { ClusterConfig, JoinedKubeconfig } from './config.ts';
import { connectTo } from './connect.ts';
import { defaultName } from './locate.ts';

const lockMsMax = 3000;

export function contextName(config: { readonly name: string }): string {
  return config.name === defaultName ? 'tandem' : `tandem-${config.name}`;
}

/** The file kubectl writes to: the first of $KUBECONFIG, else ~/.kube/config. */
export function kubeconfigPath(): string {
  const listed = (process.env['KUBECONFIG'] ?? '').split(':').find((path) => path !== '');
  return resolve(listed ?? join(homedir(), '.kube/config'));
}

function entryOf(config: ClusterConfig): Parameters<typeof mergeKubeconfig>[1] {
  const { server, ca, cert, key, api } = connectTo(config);
  api.close();
  return { name: contextName(config), server, ca, cert, key };
}

/** A kubeconfig of this cluster alone. */
export function kubeconfigText(config: ClusterConfig): Promise<string> {
  return mergeKubeconfig(undefined, entryOf(config));
}

/**
 * Adds the cluster's context to the user's kubeconfig and makes it current. Throws and leaves the
 * file alone when it cannot be parsed. Gives what `destroy` needs to put things back.
 */
export async function joinKubeconfig(config: ClusterConfig): Promise<readonly JoinedKubeconfig[]> {
  const path = kubeconfigPath();
  const madeFolder = mkdirSync(dirname(path), { recursive: true, mode: 0o700 }) !== undefined;
  await using _lock = await lock(path);
  const before = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  const context = (await currentContext(before)) ?? '';
  const merged = await mergeKubeconfig(before, entryOf(config));
  if (merged !== before) replaceFile(path, merged);
  const known = config.kubeconfigs.find((one) => one.path === path);
  const others = config.kubeconfigs.filter((one) => one.path !== path);
  // Nobody else wrote since our own writing, or this is our first.
  const untouched =
    known === undefined
      ? before?.includes(contextName(config)) !== true
      : before === undefined || known.writtenSum === sumOf(before);
  const joined: JoinedKubeconfig = {
    path,
    // A second `up` must not remember our own context as the one before.
    contextBefore: context === contextName(config) ? (known?.contextBefore ?? '') : context,
    textBefore: known === undefined || !untouched ? before : known.textBefore,
    writtenSum: untouched ? sumOf(merged) : '',
    madeFolder: madeFolder || known?.madeFolder === true,
  };
  return [...others, joined];
}

/** Takes the cluster out of the kubeconfigs it was written to. */
export async function leaveKubeconfigs(config: ClusterConfig): Promise<void> {
  for (const joined of config.kubeconfigs) await leave(config, joined);
}

async function leave(config: ClusterConfig, joined: JoinedKubeconfig): Promise<void> {
  const { path, contextBefore, textBefore } = joined;
  if (!existsSync(path)) return;
  {
    await using _lock = await lock(path);
    const now = readFileSync(path, 'utf8');
    // Byte for byte as it was, comments and all, when nobody else has written since.
    const left =
      sumOf(now) === joined.writtenSum
        ? textBefore
        : await removeFromKubeconfig(now, contextName(config), contextBefore);
    if (left !== undefined) replaceFile(path, left);
    else rmSync(target(path));
    for (const other of knownClusters(config.root))
      if (other.name !== config.name) passOn(other, { joined, now, left });
  }
  if (joined.madeFolder) removeIfEmpty(dirname(path));
}

/** A cluster that joined the same file later gives back what this one found, not what it wrote. */
function passOn(
  other: ClusterConfig,
  gone: {
    readonly joined: JoinedKubeconfig;
    readonly now: string;
    readonly left: string | undefined;
  },
): void {
  const { joined, now, left } = gone;
  if (!other.kubeconfigs.some(({ path }) => path === joined.path)) return;
  const kubeconfigs = other.kubeconfigs.map((theirs) => {
    if (theirs.path !== joined.path) return theirs;
    const onOurs =
      theirs.textBefore !== undefined && sumOf(theirs.textBefore) === joined.writtenSum;
    const theirsNow = theirs.writtenSum === sumOf(now);
    return {
      ...theirs,
      ...(onOurs ? { textBefore: joined.textBefore, contextBefore: joined.contextBefore } : {}),
      ...(theirsNow && left !== undefined ? { writtenSum: sumOf(left) } : {}),
      madeFolder: theirs.madeFolder || joined.madeFolder,
    };
  });
  saveConfig({ ...other, kubeconfigs });
}

function sumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The lock that kubectl takes for its own writes (client-go clientcmd, lockFile). */
async function lock(path: string): Promise<AsyncDisposable> {
  const beside = `${path}.lock`;
  const deadline = performance.now() + lockMsMax;
  for (;;) {
    try {
      closeSync(openSync(beside, 'wx', 0o600));
      return { [Symbol.asyncDispose]: async () => rmSync(beside, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (performance.now() > deadline)
        throw new KubeconfigError(
          `Cannot write kubeconfig: another program holds ${beside}; remove it if none runs`,
          { cause: error },
        );
      await sleep(20);
    }
  }
}

/** Atomically, keeping the file's mode; a symbolic link stays one. */
function replaceFile(path: string, text: string): void {
  const file = target(path);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const mode = existsSync(file) ? lstatSync(file).mode & 0o777 : 0o600;
  const beside = `${file}.tandem.${process.pid}`;
  writeFileSync(beside, text, { mode });
  chmodSync(beside, mode);
  renameSync(beside, file);
}

/** The file behind symbolic links, whether or not it is there. */
function target(path: string): string {
  let file = path;
  for (let depth = 0; depth < 40; depth++) {
    if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return file;
    file = resolve(dirname(file), readlinkSync(file));
  }
  throw new KubeconfigError(`Cannot write kubeconfig: ${path} is a circle of links`);
}
