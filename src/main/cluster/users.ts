import { randomBytes } from 'node:crypto';
import { CommandError, UsageError, exitCodes } from '#cli';
import type { ParsedCommand, Terminal } from '#cli';
import type { HttpApi } from '#client';
import type { Secret } from '#kube/kinds';
import { StatusError } from '#machinery';
import type { ResourceName } from '#machinery';
import { connect } from './connect.ts';

const secrets: ResourceName<Secret> = {
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  namespaced: true,
};
/** What `kube/server` looks for when somebody comes to a Mesos face with a password. */
const label = 'tandem.dev/user';
const groupsAnnotation = 'tandem.dev/groups';
const namespace = 'kube-system';
const nameMax = 200;

/** `tandem user`: users and passwords for tools that know HTTP basic credentials only. */
export async function user(command: ParsedCommand, terminal: Terminal): Promise<number> {
  const [action, name] = command.arguments;
  const { api } = await connect(command);
  try {
    if (action === 'ls' && name === undefined) return await list(api, terminal);
    if (action === 'add' && name !== undefined) return await add(api, { name, command, terminal });
    if (action === 'rm' && name !== undefined) return await remove(api, name);
  } finally {
    api.close();
  }
  throw new UsageError('user needs one of: add NAME, ls, rm NAME');
}

async function add(
  api: HttpApi,
  options: {
    readonly name: string;
    readonly command: ParsedCommand;
    readonly terminal: Terminal;
  },
): Promise<number> {
  const { name, command, terminal } = options;
  if (name.length > nameMax || /[:\s]|^system:/.test(name))
    throw new UsageError(
      `user name "${name.slice(0, nameMax)}" must be at most ${nameMax} characters without white space or ":"`,
    );
  const password = command.text('password') ?? randomBytes(18).toString('base64url');
  try {
    await api.create(secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: objectName(name),
        namespace,
        labels: { [label]: 'true' },
        annotations: { [groupsAnnotation]: command.texts('group').join(',') },
      },
      type: 'kubernetes.io/basic-auth',
      data: { username: base64(name), password: base64(password) },
    });
  } catch (error) {
    if (error instanceof StatusError && error.reason === 'AlreadyExists')
      throw new CommandError(`user "${name}" is there already: "tandem user rm ${name}" first`);
    throw error;
  }
  terminal.out(`${password}\n`);
  terminal.err(
    `User "${name}" may do what roles allow, for instance:\n` +
      `  kubectl create clusterrolebinding ${objectName(name)} --clusterrole=tandem:mesos-user --user=${name}\n`,
  );
  return exitCodes.ok;
}

async function list(api: HttpApi, terminal: Terminal): Promise<number> {
  const { items } = await api.list(secrets, { namespace, labelSelector: `${label}=true` });
  for (const secret of items) {
    const name = Buffer.from(secret.data?.['username'] ?? '', 'base64').toString();
    const groups = secret.metadata.annotations?.[groupsAnnotation] ?? '';
    terminal.out(groups === '' ? `${name}\n` : `${name}\t${groups}\n`);
  }
  return exitCodes.ok;
}

async function remove(api: HttpApi, name: string): Promise<number> {
  try {
    await api.delete(secrets, { namespace, name: objectName(name) });
  } catch (error) {
    if (error instanceof StatusError && error.reason === 'NotFound')
      throw new CommandError(`there is no user "${name}"`);
    throw error;
  }
  return exitCodes.ok;
}

/** User names may hold what object names may not; different users have different objects. */
function objectName(name: string): string {
  const plain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name);
  return plain ? `tandem-user-${name}` : `tandem-user.${Buffer.from(name).toString('hex')}`;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
