import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { currentContext, mergeKubeconfig, removeFromKubeconfig } from '#client';
import type { ClusterConfig } from './config.ts';
import { connectTo } from './connect.ts';
import { defaultName } from './locate.ts';

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
export async function joinKubeconfig(
  config: ClusterConfig,
): Promise<NonNullable<ClusterConfig['kubeconfig']>> {
  const path = kubeconfigPath();
  const before = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  const context = (await currentContext(before)) ?? '';
  const merged = await mergeKubeconfig(before, entryOf(config));
  if (merged !== before) replaceFile(path, merged);
  const ours = context === contextName(config);
  // A second `up` must not remember our own context as the one before.
  const remembered = config.kubeconfig?.path === path ? config.kubeconfig.contextBefore : '';
  return { path, contextBefore: ours ? remembered : context };
}

/** Takes the cluster out of the kubeconfig it was written to. */
export async function leaveKubeconfig(config: ClusterConfig): Promise<void> {
  if (config.kubeconfig === undefined) return;
  const { path, contextBefore } = config.kubeconfig;
  if (!existsSync(path)) return;
  const left = await removeFromKubeconfig(
    readFileSync(path, 'utf8'),
    contextName(config),
    contextBefore,
  );
  if (left !== undefined) replaceFile(path, left);
  else rmSync(path);
}

/** Atomically, keeping the file's mode; a symbolic link stays one. */
function replaceFile(path: string, text: string): void {
  const target = isLink(path) ? resolve(dirname(path), readlinkSync(path)) : path;
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  const mode = existsSync(target) ? lstatSync(target).mode & 0o777 : 0o600;
  const beside = `${target}.tandem.${process.pid}`;
  writeFileSync(beside, text, { mode });
  chmodSync(beside, mode);
  renameSync(beside, target);
}

function isLink(path: string): boolean {
  return existsSync(path) && lstatSync(path).isSymbolicLink();
}
