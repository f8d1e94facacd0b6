import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ContainerError, type ContainerSpec } from '../runtime.ts';
import type { StoredImage } from '../images/store.ts';
import { unknownCapability } from './capabilities.ts';
import type { ContainerPlan } from './containers.ts';
import { quoted } from './conmon.ts';
import { mountPointsToMake } from './mount-points.ts';
import type { SandboxRecord } from './records.ts';
import { argsOf, ociSpec, type DeviceNode } from './spec.ts';
import { isNumericUser, resolveUser, tablesOf, UnknownUserError } from './users.ts';
import type { ResolvedUser } from './users.ts';

export interface PlanInput {
  readonly id: string;
  readonly spec: ContainerSpec;
  readonly sandbox: SandboxRecord;
  readonly image: StoredImage | undefined;
  readonly hidden: boolean;
  readonly pidPath: string | undefined;
  readonly folder: string;
  readonly sandboxDir: string;
  readonly shmDir: string;
  readonly cgroupV2: boolean;
  readonly bounding: bigint;
  readonly cpuQuotaUsMax: number | undefined;
}

const overlayOptionsBytesMax = 4095;

/** Everything that can be worked out, and refused, before anything is made. */
export function planContainer(input: PlanInput): ContainerPlan {
  const { id, spec, sandbox, image } = input;
  const security = spec.security;
  const wish = {
    add: security.capabilitiesAdd,
    drop: security.capabilitiesDrop,
    privileged: false,
  };
  const unknown = unknownCapability(wish);
  if (unknown !== undefined)
    throw new ContainerError('CreateContainerError', `unknown capability "${unknown}"`);
  const config = image?.image.config;
  if (argsOf(spec, config).length === 0)
    throw new ContainerError('CreateContainerError', 'no command specified');
  const user = userOf(input);
  const cgroup = `${sandbox.cgroup}/${id.slice(0, 24)}`;
  const oci = ociSpec({
    container: spec,
    sandbox: sandbox.spec,
    image: config,
    user,
    cgroupPath: cgroup,
    cgroupV2: input.cgroupV2,
    sandboxDir: input.sandboxDir,
    shmDir: input.shmDir,
    netPin: sandbox.netPin,
    ipcPin: sandbox.ipcPin,
    pidPath: input.pidPath,
    bounding: input.bounding,
    oomScoreAdjMin: Number(readFileSync('/proc/self/oom_score_adj', 'utf8')),
    devices: spec.devices.map(({ path, hostPath }) => deviceAt(path, hostPath ?? path)),
    cpuQuotaUsMax: input.cpuQuotaUsMax,
  });
  return {
    id,
    sandboxId: sandbox.id,
    spec,
    oci,
    cgroup,
    user,
    hidden: input.hidden,
    mountRoot: image === undefined ? hostRoot : overlayRoot(input.folder, image.layers),
    madeDirs:
      image === undefined
        ? mountPointsToMake(spec.mounts.map(({ containerPath }) => containerPath))
        : [],
  };
}

function userOf({ spec, sandbox, image }: PlanInput): ResolvedUser {
  const layers = image?.layers ?? ['/'];
  const imageUser = image?.image.config.user ?? '';
  const { security } = spec;
  try {
    const user = resolveUser(imageUser, security, tablesOf(layers.toReversed()));
    if (security.runAsNonRoot) refuseRoot(user.uid, imageUser, { spec, sandbox });
    return user;
  } catch (cause) {
    if (cause instanceof UnknownUserError)
      throw new ContainerError('CreateContainerError', cause.message, { cause });
    throw cause;
  }
}

function refuseRoot(
  uid: number,
  imageUser: string,
  of: { readonly spec: ContainerSpec; readonly sandbox: SandboxRecord },
): void {
  const { podName, podNamespace, podUid } = of.sandbox.spec;
  const where = `(pod: "${podName}_${podNamespace}(${podUid})", container: ${of.spec.name})`;
  const asked = of.spec.security.runAsUser;
  const refuse = (why: string): never => {
    throw new ContainerError('CreateContainerConfigError', why);
  };
  if (asked === 0) refuse(`container's runAsUser breaks non-root policy ${where}`);
  if (asked !== undefined || of.spec.security.runAsUserName !== undefined) {
    if (uid === 0) refuse(`container's runAsUser breaks non-root policy ${where}`);
    return;
  }
  if (!isNumericUser(imageUser))
    refuse(
      `container has runAsNonRoot and image has non-numeric user (${imageUser}), ` +
        `cannot verify user is non-root ${where}`,
    );
  if (uid === 0) refuse(`container has runAsNonRoot and image will run as root ${where}`);
}

/** The host's own tree, with what is mounted there later, but nothing of ours going back. */
const hostRoot = 'mount --rbind / rootfs && mount --make-rslave rootfs';

function overlayRoot(folder: string, layers: readonly string[]): string {
  const escaped = (path: string): string => path.replaceAll(/([\\:,])/g, '\\$1');
  const lower = layers.toReversed().map(escaped).join(':');
  const upper = escaped(join(folder, 'upper'));
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${escaped(join(folder, 'work'))}`;
  if (options.length > overlayOptionsBytesMax)
    throw new ContainerError(
      'CreateContainerError',
      `Cannot stack ${layers.length} layers: their paths exceed what one mount can take; ` +
        'use a shorter --data-dir or an image of fewer layers',
    );
  return `mount -t overlay -o ${quoted(options)} overlay rootfs`;
}

function deviceAt(path: string, hostPath: string): DeviceNode {
  const stat = statSync(hostPath);
  if (!stat.isCharacterDevice() && !stat.isBlockDevice())
    throw new ContainerError('CreateContainerError', `Cannot give "${hostPath}": it is no device`);
  const major = ((stat.rdev >> 8) & 0xfff) >>> 0;
  const minor = (stat.rdev & 0xff) | ((stat.rdev >> 12) & 0xfff00);
  const type = stat.isBlockDevice() ? 'b' : 'c';
  return { path, hostPath, type, major, minor, fileMode: stat.mode & 0o777 };
}

/** Holds a shared PID namespace: does nothing, and reaps what the Pod's processes leave behind. */
export function pauseSpec(logPath: string): ContainerSpec {
  const reaper = "$SIG{CHLD} = 'IGNORE'; $SIG{TERM} = sub { exit 0 }; sleep while 1;";
  return {
    name: 'pause',
    attempt: 0,
    imageId: undefined,
    workingDir: '/',
    logPath,
    command: ['/usr/bin/perl', '-e', reaper],
    args: [],
    env: [],
    mounts: [],
    devices: [],
    resources: {
      cpuShares: 2,
      oomScoreAdj: -998,
    },
    security: {
      privileged: false,
      runAsUser: 65535,
      runAsUserName: undefined,
      runAsGroup: 65535,
      runAsNonRoot: false,
      supplementalGroups: [],
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilitiesAdd: [],
      capabilitiesDrop: ['ALL'],
      seccomp: 'Unconfined',
      procMountUnmasked: false,
    },
    tty: false,
    stdin: false,
    stdinOnce: false,
    labels: {},
    annotations: {},
    stopSignal: undefined,
  };
}
