import type { Pod } from '#kube/kinds';
import { ContainerError } from '#node/runtime';
import type { Container, ContainerSpec, Image, Sandbox } from '#node/runtime';
import { environmentOf } from './env.ts';
import { ConfigError, StartProblem, messageOf } from './errors.ts';
import { expand } from './expand.ts';
import { PodRefused } from './extension.ts';
import type { ContainerEvent } from './images.ts';
import { containerLimits } from './limits.ts';
import { addressOf, envSources, logDir, pullSecrets } from './pod-context.ts';
import type { PodContext } from './pod-context.ts';
import { annotations, labels } from './pod-view.ts';
import type { Slot } from './pod-view.ts';
import { checkNonRoot, securityOf, selinuxOf } from './security.ts';
import type { PodVolumes } from './volumes.ts';

export interface StartRequest {
  readonly pod: Pod;
  readonly slot: Slot;
  readonly attempt: number;
  readonly sandbox: Sandbox;
  readonly volumes: PodVolumes;
  readonly event: ContainerEvent;
  readonly signal: AbortSignal;
}

const configRetryMs = 10_000;

/** Image, settings, container, start. Throws `StartProblem` with what the status should say. */
export async function startContainer(
  context: PodContext,
  request: StartRequest,
): Promise<Container> {
  const { pod, slot, event, signal } = request;
  const { runtime, clock } = context.options;
  const { name } = slot.spec;
  const handler = await context.runtimeHandler(pod.spec.runtimeClassName);
  const process = handler === 'process' && (slot.spec.image ?? '') === '';
  const fail = (error: unknown, otherwise: string): StartProblem => {
    const known = error instanceof ContainerError ? error.reason : otherwise;
    const reason = error instanceof ConfigError ? 'CreateContainerConfigError' : known;
    event(name, 'Warning', { reason: 'Failed', message: `Error: ${messageOf(error)}` });
    const retryAtMs = clock.nowMs() + configRetryMs;
    return new StartProblem(reason, messageOf(error), { cause: error, retryAtMs });
  };
  let image: Image | undefined;
  if (!process) image = await ensureImage(context, request);
  signal.throwIfAborted();
  let created: Container;
  try {
    const spec = await lastWord(context, pod, await containerSpec(context, request, image));
    signal.throwIfAborted();
    created = await runtime.createContainer(request.sandbox.id, spec);
  } catch (error) {
    if (signal.aborted || error instanceof PodRefused) throw error;
    throw fail(error, error instanceof ContainerError ? error.reason : 'CreateContainerError');
  }
  event(name, 'Normal', { reason: 'Created', message: 'Container created' });
  try {
    signal.throwIfAborted();
    await runtime.startContainer(created.id);
  } catch (error) {
    // What never ran is not kept: nobody would start it later.
    if (runtime.container(created.id)?.state === 'created')
      await runtime.removeContainer(created.id);
    if (signal.aborted) throw error;
    throw fail(error, 'RunContainerError');
  }
  event(name, 'Normal', { reason: 'Started', message: 'Container started' });
  return created;
}

async function ensureImage(context: PodContext, request: StartRequest): Promise<Image> {
  const { pod, slot, event, signal } = request;
  try {
    return await context.images.ensure(pod, slot.spec, {
      secrets: async () => [
        ...(await pullSecrets(context, pod)),
        ...(await fetchedSecrets(context, pod, slot.spec.name)),
      ],
      event,
      signal,
    });
  } catch (error) {
    if (error instanceof StartProblem)
      event(slot.spec.name, 'Warning', { reason: 'Failed', message: `Error: ${error.reason}` });
    throw error;
  }
}

async function fetchedSecrets(
  context: PodContext,
  pod: Pod,
  name: string,
): Promise<readonly unknown[]> {
  const { extension } = context.options;
  if (extension?.handles(pod) !== true) return [];
  return (await extension.pullSecrets?.(pod, name)) ?? [];
}

/** Labels mean nothing where SELinux is off; the reference says nothing then, which misleads. */
function tellOfSelinux(context: PodContext, { pod, slot, event }: StartRequest): void {
  if (context.host.selinux || selinuxOf(pod, slot.spec) === undefined) return;
  event(slot.spec.name, 'Warning', {
    reason: 'SELinuxNotEnabled',
    message: 'seLinuxOptions have no effect: SELinux is not enabled on this node',
  });
}

async function lastWord(
  context: PodContext,
  pod: Pod,
  spec: ContainerSpec,
): Promise<ContainerSpec> {
  const { extension } = context.options;
  return extension?.handles(pod) === true ? await extension.containerSpec(pod, spec) : spec;
}

/** Everything the runtime must know, from the Pod's words, the image and the API. */
async function containerSpec(
  context: PodContext,
  request: StartRequest,
  image: Image | undefined,
): Promise<ContainerSpec> {
  const { pod, slot, attempt, sandbox, volumes, event } = request;
  const { spec } = slot;
  const security = securityOf(pod, spec, context.host);
  tellOfSelinux(context, request);
  checkNonRoot(pod, spec, { security, image: image?.config });
  const env = await environmentOf(
    pod,
    spec,
    envSources(context, pod, {
      podIp: addressOf(context, pod, sandbox),
      invalid: (keys, source) =>
        event(spec.name, 'Warning', {
          reason: 'InvalidEnvironmentVariableNames',
          message: `Keys [${keys.join(', ')}] from the EnvFrom ${source} were skipped since they are considered invalid environment variable names.`,
        }),
    }),
  );
  const variables = new Map(env.map(({ name, value }) => [name, value]));
  const grace = pod.spec.terminationGracePeriodSeconds ?? 30;
  return {
    name: spec.name,
    attempt,
    imageId: image?.id,
    command: (spec.command ?? []).map((text) => expand(text, variables)),
    args: (spec.args ?? []).map((text) => expand(text, variables)),
    workingDir: spec.workingDir ?? '',
    env,
    mounts: await volumes.mountsOf(pod, spec, { variables, attempt }),
    devices: await volumes.devicesOf(spec),
    resources: containerLimits(pod, spec, context.host.memoryBytes),
    security,
    tty: spec.tty ?? false,
    stdin: spec.stdin ?? false,
    stdinOnce: spec.stdinOnce ?? false,
    logPath: `${logDir(context, pod)}/${spec.name}/${attempt}.log`,
    labels: {
      [labels.name]: pod.metadata.name,
      [labels.namespace]: pod.metadata.namespace ?? '',
      [labels.uid]: pod.metadata.uid,
      [labels.container]: spec.name,
    },
    annotations: {
      [annotations.graceSeconds]: String(grace),
      [annotations.image]: spec.image ?? '',
      [annotations.imageRef]: image?.digests[0] ?? image?.id ?? '',
      [annotations.messagePath]: volumes.messagePath(spec.name, attempt),
    },
    stopSignal: spec.lifecycle?.stopSignal,
  };
}
