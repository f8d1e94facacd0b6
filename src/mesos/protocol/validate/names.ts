import type { ContainerID } from '../types.ts';

/** Ids and roles (mesos.md 4.1 and 4.5). A result is what is wrong; undefined when nothing is. */

const idBytesMax = 255;
const containerIDBytesMax = 242;

/** Task, executor, agent, framework and persistence ids. */
export function validateID(id: string): string | undefined {
  if (id === '') return 'ID must not be empty';
  if (Buffer.byteLength(id) > idBytesMax) return 'ID must not be greater than 255 characters';
  if (id === '.' || id === '..') return `'${id}' is disallowed`;
  for (let at = 0; at < id.length; at++) {
    const code = id.charCodeAt(at);
    if (code < 0x20 || code === 0x7f || code === 0x2f || code === 0x5c)
      return `'${id}' contains invalid characters`;
  }
  return undefined;
}

/** With its parents; the value names a cgroup and directories. */
export function validateContainerID({ value, parent }: ContainerID): string | undefined {
  const problem = validateID(value);
  if (problem !== undefined) return problem;
  if (Buffer.byteLength(value) > containerIDBytesMax)
    return `'ContainerID.value' '${value}' exceeds the maximum length (${containerIDBytesMax})`;
  if (value.includes('.') || value.includes(' '))
    return `'ContainerID.value' '${value}' contains invalid characters`;
  const above = parent === undefined ? undefined : validateContainerID(parent);
  return above === undefined ? undefined : `'ContainerID.parent' is invalid: ${above}`;
}

const blank = /[\t\n\v\f\r \u007f]/;

export function validateRole(role: string): string | undefined {
  if (role === '*') return undefined;
  if (role.startsWith('/')) return `Role '${role}' cannot start with a slash`;
  if (role.endsWith('/')) return `Role '${role}' cannot end with a slash`;
  if (role.includes('//')) return `Role '${role}' cannot contain two adjacent slashes`;
  if (role === '') return 'Role names cannot be the empty string';
  for (const component of role.split('/')) {
    if (component === '.' || component === '..' || component === '*')
      return `Role '${role}' cannot include '${component}' as a component`;
    if (component.startsWith('-'))
      return `Role component '${component}' is invalid because it starts with a dash`;
    if (blank.test(component))
      return `Role component '${component}' is invalid because it contains backspace or whitespace`;
  }
  return undefined;
}
