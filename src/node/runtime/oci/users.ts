import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Security } from '../runtime.ts';
import { isMissing } from './namespace.ts';

export interface UserTables {
  readonly passwd: string;
  readonly group: string;
}
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly home: string | undefined;
}
export class UnknownUserError extends Error {
  override readonly name = 'UnknownUserError';
}

const tableBytesMax = 1024 * 1024;
const idMax = 2 ** 31 - 1;

/** /etc/passwd and /etc/group of stacked layers, the upper first. Links are not followed. */
export function tablesOf(layers: readonly string[]): UserTables {
  const find = (name: string): string => {
    for (const layer of layers) {
      const path = join(layer, 'etc', name);
      const stat = statOf(path);
      if (stat === undefined) continue;
      // A character device is the overlay's "deleted here".
      return stat.isFile() && stat.size <= tableBytesMax && !isLink(join(layer, 'etc'))
        ? readFileSync(path, 'utf8')
        : '';
    }
    return '';
  };
  return { passwd: find('passwd'), group: find('group') };
}

/**
 * `user` is what the image says ("", "1000", "app", "app:staff", "1000:1000"); the Pod's wishes win.
 * The groups are the supplementary ones: those of /etc/group that list the user, and the Pod's.
 */
export function resolveUser(
  user: string,
  wish: Pick<
    Security,
    'runAsUser' | 'runAsUserName' | 'runAsGroup' | 'supplementalGroups' | 'supplementalGroupsPolicy'
  >,
  tables: UserTables,
): ResolvedUser {
  const [imageUser = '', imageGroup] = user.split(':');
  const wanted = wish.runAsUserName ?? wish.runAsUser?.toString() ?? imageUser;
  const entry = passwdEntry(wanted === '' ? '0' : wanted, tables.passwd);
  const uid = entry?.uid ?? numberFrom(wanted === '' ? '0' : wanted);
  if (uid === undefined)
    throw new UnknownUserError(`unable to find user ${wanted}: no matching entries in passwd file`);
  const ownWish = wish.runAsUser !== undefined || wish.runAsUserName !== undefined;
  const group = ownWish ? undefined : imageGroup;
  const gid = wish.runAsGroup ?? (group === undefined ? entry?.gid : groupId(group, tables.group));
  if (group !== undefined && gid === undefined)
    throw new UnknownUserError(`unable to find group ${group}: no matching entries in group file`);
  const groups = new Set(wish.supplementalGroups);
  const merge = wish.supplementalGroupsPolicy !== 'Strict';
  if (entry !== undefined && merge)
    for (const id of listedIn(entry.name, tables.group)) groups.add(id);
  return { uid, gid: gid ?? 0, groups: [...groups], home: entry?.home };
}

/** Whether the image's user can be judged by its number, as runAsNonRoot needs. */
export function isNumericUser(user: string): boolean {
  const [name = ''] = user.split(':');
  return name === '' || numberFrom(name) !== undefined;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}
function passwdEntry(wanted: string, passwd: string): PasswdEntry | undefined {
  for (const line of passwd.split('\n')) {
    const [name = '', , uid = '', gid = '', , home = ''] = line.split(':');
    if (name === '' || (name !== wanted && uid !== wanted)) continue;
    return { name, uid: Number(uid), gid: Number(gid), home };
  }
  return undefined;
}
function groupId(wanted: string, group: string): number | undefined {
  for (const line of group.split('\n')) {
    const [name = '', , gid = ''] = line.split(':');
    if (name === wanted) return Number(gid);
  }
  return numberFrom(wanted);
}
function listedIn(user: string, group: string): readonly number[] {
  return group.split('\n').flatMap((line) => {
    const [, , gid = '', members = ''] = line.split(':');
    return members.split(',').includes(user) ? [Number(gid)] : [];
  });
}
function numberFrom(text: string): number | undefined {
  if (!/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return value <= idMax ? value : undefined;
}
function statOf(path: string): ReturnType<typeof lstatSync> | undefined {
  try {
    return lstatSync(path);
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cause;
  }
}
function isLink(path: string): boolean {
  return statOf(path)?.isSymbolicLink() === true;
}
