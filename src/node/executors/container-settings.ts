import type { Pod } from '#kube/kinds';
import type { ContainerSpec, Mount } from '#node/runtime';
import { agentEnvironment, containerInfoOf, containerTypeOf } from './environment.ts';
import type { EnvironmentFacts } from './environment.ts';
import { processLimits } from './rlimits.ts';
import type { TaskVolume } from './volumes.ts';

/** Where containers with an image find their sandbox (`--sandbox_directory`). */
export const sandboxInContainer = '/mnt/mesos/sandbox';

export interface SettingsFacts extends Omit<EnvironmentFacts, 'sandbox' | 'process'> {
  readonly pod: Pod;
  /** The user the executor or task runs as, when one is named. */
  readonly user: { readonly name: string; readonly uid: number; readonly gid: number } | undefined;
  readonly volumes: readonly TaskVolume[];
  /** Of the image; '' when it says none. */
  readonly imageDirectory: string;
}

/** What the agent adds to a container of a task: sandbox, volumes, environment, user. Pure. */
export function taskContainer(spec: ContainerSpec, facts: SettingsFacts): ContainerSpec {
  const process = spec.imageId === undefined;
  const sandbox = process ? facts.directory : sandboxInContainer;
  const taken = new Set(spec.env.map(({ name }) => name));
  const added = agentEnvironment({ ...facts, sandbox, process }).filter(
    ({ name }) => !taken.has(name),
  );
  const docker = containerTypeOf(facts.task) === 'DOCKER';
  return {
    ...spec,
    env: [...spec.env, ...added],
    mounts: [
      ...(process ? spec.mounts.map((mount) => inSandbox(mount, sandbox)) : spec.mounts),
      ...mountsOf(spec, { ...facts, sandbox, process }),
    ],
    workingDir: directoryOf(spec, { docker, process, sandbox, image: facts.imageDirectory }),
    security: securityOf(spec, facts, docker),
    ...limitsOf(facts),
    ...(!docker && hasShell(spec) && ownProcesses(facts.pod) ? withInit(spec) : {}),
  };
}

/** A Pod knows only where a sandbox lies in containers with an image; others have it at its own place. */
function inSandbox(mount: Mount, sandbox: string): Mount {
  const { containerPath } = mount;
  if (!containerPath.startsWith(`${sandboxInContainer}/`)) return mount;
  return { ...mount, containerPath: `${sandbox}${containerPath.slice(sandboxInContainer.length)}` };
}

function limitsOf({ task }: SettingsFacts): Pick<ContainerSpec, 'rlimits'> {
  const rlimits = processLimits(containerInfoOf(task));
  return rlimits.length === 0 ? {} : { rlimits };
}

function directoryOf(
  spec: ContainerSpec,
  of: {
    readonly docker: boolean;
    readonly process: boolean;
    readonly sandbox: string;
    readonly image: string;
  },
): string {
  if (spec.workingDir !== '') return spec.workingDir;
  if (of.process) return of.sandbox;
  // Docker works where the image says; the Mesos containerizer in the sandbox when it says nothing.
  return of.docker || (of.image !== '' && of.image !== '/') ? '' : of.sandbox;
}

function mountsOf(
  spec: ContainerSpec,
  facts: SettingsFacts & { readonly sandbox: string; readonly process: boolean },
): readonly Mount[] {
  const taken = new Set(spec.mounts.map(({ containerPath }) => containerPath));
  const made: Mount[] = [];
  const add = (hostPath: string, containerPath: string, readOnly: boolean): void => {
    if (taken.has(containerPath)) return;
    taken.add(containerPath);
    made.push({ hostPath, containerPath, readOnly, propagation: 'private' });
  };
  if (!facts.process) add(facts.directory, sandboxInContainer, false);
  for (const volume of facts.volumes) {
    const absolute = volume.containerPath.startsWith('/');
    // Without an image a link in the sandbox does the same, and tools that browse it see through.
    if (!absolute && facts.process) continue;
    add(
      volume.hostPath,
      absolute ? volume.containerPath : `${facts.sandbox}/${volume.containerPath}`,
      volume.readOnly,
    );
  }
  return made;
}

function securityOf(
  spec: ContainerSpec,
  { user, pod }: SettingsFacts,
  docker: boolean,
): ContainerSpec['security'] {
  const { security } = spec;
  const said = security.runAsUser !== undefined || security.runAsUserName !== undefined;
  // Docker containers run as their image says, whoever the framework's user is.
  if (user === undefined || said || (docker && spec.imageId !== undefined)) return security;
  if (spec.imageId === undefined) return { ...security, runAsUserName: user.name };
  // The launcher of Mesos looks the name up on the agent's machine before it changes the root.
  const group = pod.spec.securityContext?.runAsGroup ?? security.runAsGroup ?? user.gid;
  return { ...security, runAsUser: user.uid, runAsGroup: group };
}

/** The machine has one; an image whose command is one has it too. */
function hasShell({ imageId, command }: ContainerSpec): boolean {
  return imageId === undefined || command[0] === '/bin/sh' || command[0] === 'sh';
}

/** In a PID namespace of its own the command would be process 1, which no signal ends by default. */
function ownProcesses(pod: Pod): boolean {
  return pod.spec.hostPID !== true && pod.spec.shareProcessNamespace !== true;
}

/**
 * Process 1 of a task: passes signals to every process of the task, as the command
 * executor signals its tree, and ends as the command ends.
 */
const init = [
  'for s in HUP INT QUIT USR1 USR2 TERM; do trap "kill -$s -1" $s; done',
  // What a shell starts in the background reads /dev/null unless another descriptor is named.
  'exec 3<&0',
  '"$@" <&3 3<&- &',
  'p=$!',
  'while :; do wait $p; c=$?; kill -0 $p 2>/dev/null || exit $c; done',
].join('\n');

export function withInit(
  spec: Pick<ContainerSpec, 'command' | 'args'>,
): Pick<ContainerSpec, 'command' | 'args'> {
  return { command: ['/bin/sh', '-c', init, 'task'], args: [...spec.command, ...spec.args] };
}
